// Pictures of every page, on a desk and on a phone, light and dark, for documentation and review:
//
//   ANTEROOM_BIN=../../target/release/anteroom node screenshots.mjs FOLDER [FOLDER OF THE DOCUMENTATION'S PICTURES]
//
// The second folder gets `sign-in.png` and `dashboard.png`.

import { mkdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import test, { after } from "node:test";
import { demo, page } from "./harness.mjs";
import { application } from "./harness/application.mjs";
import { APPLICATION_PAGES, applicationsOf, PAGES } from "./harness/pages.mjs";
import { signedIn } from "./harness/practice.mjs";

const [folder, documentation] = process.argv.slice(2).map((path) => resolve(path));
if (!folder) throw new Error("Which folder shall the pictures be written to?");

const app = await application(after);
// One each: some pages come only once, such as that of an account which is locked.
const DEVICES = [["desk", await demo()], ["phone", await demo()]];

for (const [device, anteroom] of DEVICES) {
  const phone = device === "phone";
  let applications;
  test(`the applications, for the ${device}`, async (t) => {
    const tab = await page(t, anteroom);
    await signedIn(tab, "alice");
    applications = await applicationsOf(tab);
  });
  for (const [name, open] of Object.entries({ ...PAGES, ...APPLICATION_PAGES })) {
    test(`${name} on the ${device}`, async (t) => {
      const tab = await page(t, { ...anteroom, phone });
      await open({ tab, app, anteroom, applications });
      for (const colorScheme of ["light", "dark"]) {
        await tab.emulateMedia({ colorScheme });
        await draw(tab, join(folder, `${name}-${device}-${colorScheme}.png`), { fullPage: true });
      }
    });
  }
}

if (documentation) {
  test("the documentation's pictures", async (t) => {
    const [[, anteroom]] = DEVICES;
    const tab = await page(t, anteroom);
    await tab.setViewportSize({ width: 1280, height: 720 });
    await tab.goto("/sign-in");
    await draw(tab, join(documentation, "sign-in.png"));
    await PAGES.dashboard({ tab });
    await draw(tab, join(documentation, "dashboard.png"));
  });
}

async function draw(tab, path, options = {}) {
  await mkdir(resolve(path, ".."), { recursive: true });
  // A pointer over the page would be drawn as what it does there.
  await tab.mouse.move(0, 0);
  await tab.screenshot({ path, animations: "disabled", caret: "hide", ...options });
}
