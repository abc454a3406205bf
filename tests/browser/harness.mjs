// What a journey is written with:
//
//   import test from "node:test";
//   import { axe, demo, page, signIn } from "./harness.mjs";
//
//   const anteroom = await demo();
//
//   test("alice sees her tiles", async (t) => {
//     const tab = await page(t, { url: anteroom.url, js: false });
//     await tab.goto("/");
//     await signIn(tab, "alice@demo.example", "Anteroom-demo-1");
//     await tab.getByRole("link", { name: "Schedule" }).waitFor();
//     await axe(tab);
//   });
//
// Whatever is started here ends with the test, or with the test file.

export { axe } from "./harness/axe.mjs";
export { keepPages, page, useWholeBrowser } from "./harness/browser.mjs";
export { demo } from "./harness/demo.mjs";
export { signIn } from "./harness/sign_in.mjs";
