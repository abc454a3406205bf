// Dave's password has expired, and his phone takes no texts: by a call to a new one, and on to where he was going.

import assert from "node:assert/strict";
import test, { after } from "node:test";
import { demo, page } from "./harness.mjs";
import { answered, application } from "./harness/application.mjs";
import { address, BOBS_TILES, dashboardOf, going, greets, isAt, openTile, signInHere, tiles } from "./harness/practice.mjs";
import { choosePassword, enterCode, LANDLINES, NEW_PASSWORD, otherThan, send, sendCode } from "./harness/ways.mjs";
import { signIn } from "./harness/sign_in.mjs";

const app = await application(after);

async function toNewPassword(tab, anteroom) {
  await signInHere(tab, "dave");
  await isAt(tab, "password-expired");
  await send(tab, "/expired-password");
  await isAt(tab, "verify-identity");
  assert.equal(await tab.locator("[name=method]").count(), 1);
  const code = await sendCode(tab, anteroom, "call", LANDLINES.dave);
  await isAt(tab, "enter-code");
  assert.equal(await tab.locator("a[href*='choose=1']").count(), 0, "there is no other way to choose");
  await enterCode(tab, otherThan(code));
  await tab.locator("#problem").waitFor();
  await enterCode(tab, code);
  await isAt(tab, "new-password");
}

test("with scripts, on a desk: to his tiles", async (t) => {
  const anteroom = await demo();
  const tab = await page(t, anteroom);
  await tab.goto("/sign-in");
  await toNewPassword(tab, anteroom);
  const ticked = tab.locator("[data-rule=match][data-met]");
  assert.equal(await ticked.count(), 0);
  await tab.locator("[name=new_password]").fill(NEW_PASSWORD);
  await tab.locator("[name=confirm_password]").fill(NEW_PASSWORD);
  await ticked.waitFor();
  await send(tab, "/new-password");
  await dashboardOf(tab, "dave");
  assert.deepEqual(await tiles(tab), BOBS_TILES);
  await greets(await openTile(tab, "Schedule"), "dave");
  await going(tab, () => tab.locator("form[action='/sign-out'] button").click());
  await tab.goto("/sign-in");
  await signIn(tab, address("dave"), NEW_PASSWORD);
  await dashboardOf(tab, "dave");
});

test("without scripts, on a phone, in Spanish: to the application", async (t) => {
  const anteroom = await demo();
  const tab = await page(t, { ...anteroom, js: false, phone: true, locale: "es-ES" });
  await tab.goto(app.request());
  await toNewPassword(tab, anteroom);
  assert.equal(await tab.locator("html").getAttribute("lang"), "es");
  await choosePassword(tab, NEW_PASSWORD);
  assert.equal((await answered(tab)).state, "a-state");
});
