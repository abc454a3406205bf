// Erin completes her registration: begun in one browser and finished in another, or in one go on a phone.

import assert from "node:assert/strict";
import test from "node:test";
import { demo, page, signIn } from "./harness.mjs";
import { address, BOBS_TILES, dashboardOf, eventually, going, isAt, tiles } from "./harness/practice.mjs";
import {
  addPhone, choosePassword, enterCode, invitation, NEW_PASSWORD, otherThan, outbox, receive, send, sendCode, toPhones, verify,
} from "./harness/ways.mjs";

const CELL = "+12025550199";
const LANDLINE = "+12025550198";

test("half-way in one browser, with scripts; the rest in a second", async (t) => {
  const anteroom = await demo();
  const first = await page(t, anteroom);
  const link = await invitation(anteroom);
  await first.goto(link);
  await isAt(first, "invitation");
  assert.equal(await first.locator("#address").innerText(), address("erin"));
  await send(first, "/register");
  await isAt(first, "add-phone");
  for (const [number, kind] of [["", null], ["555", "cell"], ["202-555-0199 ext 3", "cell"]]) {
    await addPhone(first, number, kind);
    await isAt(first, "add-phone");
    await first.locator("#problem").waitFor();
    assert.equal(await first.locator("[name=phone]").inputValue(), number, "what was entered stays");
  }
  // Mistyped: before a code is sent, and after.
  await addPhone(first, "(202) 555-0197", "cell");
  await isAt(first, "verify-identity");
  await send(first, "/register/phone/another");
  await isAt(first, "add-phone");
  await addPhone(first, "(202) 555-0196", "cell");
  await sendCode(first, anteroom, "text", "+12025550196");
  await isAt(first, "enter-code");
  await send(first, "/register/phone/another");
  await isAt(first, "add-phone");
  await addPhone(first, "(202) 555-0199", "cell");
  await verify(first, anteroom, "text", CELL);
  await isAt(first, "add-phone");
  await first.locator("#phones-done").waitFor();

  const second = await page(t, anteroom);
  await second.goto(link);
  await send(second, "/register");
  // The link alone does not go on behind a phone that was verified elsewhere.
  await isAt(second, "verify-identity");
  assert.equal(await second.locator("form[action='/register/phone/another']").count(), 0);
  await verify(second, anteroom, "text", CELL);
  await isAt(second, "add-phone");
  assert.match(await second.locator("#phones").innerText(), /99[^]*verified/i);
  await send(second, "/register/phones-done");
  await isAt(second, "new-password");
  await choosePassword(second, NEW_PASSWORD);
  await dashboardOf(second, "erin");
  assert.deepEqual(await tiles(second), BOBS_TILES);

  // The first one is not lost, and neither is whoever opens the old mail.
  await send(first, "/register/phones-done");
  assert.notEqual((await first.locator("h1").innerText()).trim(), "");
  await first.goto(link);
  await isAt(first, "error-link-dead");
  await going(first, () => first.locator("#forward").click());
  await isAt(first, "complete-registration");
  await first.goto("/sign-in");
  await signIn(first, address("erin"), NEW_PASSWORD);
  await dashboardOf(first, "erin");
});

test("by a new invitation, without scripts, on a phone, in Spanish", async (t) => {
  const anteroom = await demo();
  const tab = await page(t, { ...anteroom, js: false, phone: true, locale: "es-ES" });
  await tab.goto("/sign-in");
  await going(tab, () => tab.locator("a[href^='/complete-registration']").click());
  await isAt(tab, "complete-registration");
  const ask = async (email) => {
    await tab.locator("[name=email]").fill(email);
    await send(tab, "/complete-registration");
    await tab.locator("#asked").waitFor();
  };
  await ask(address("nobody"));
  await tab.goto("/complete-registration");
  const before = await invitation(anteroom);
  const { link } = await receive(anteroom, "email", address("erin"), () => ask(address("erin")));
  assert.notEqual(link, before);
  await eventually("the new invitation", async () => (await invitation(anteroom)) === link);
  await toPhones(tab, anteroom);
  assert.equal(await tab.locator("html").getAttribute("lang"), "es");
  await addPhone(tab, LANDLINE, "landline");
  const code = await sendCode(tab, anteroom, "call", LANDLINE);
  await enterCode(tab, otherThan(code));
  await tab.locator("#problem").waitFor();
  await enterCode(tab, code);
  await addPhone(tab, CELL, "cell");
  await verify(tab, anteroom, "text", CELL);
  assert.equal(await tab.locator("#phones > li").count(), 2);
  await send(tab, "/register/phones-done");
  await choosePassword(tab, NEW_PASSWORD);
  await dashboardOf(tab, "erin");
  const letters = await outbox(anteroom);
  assert.equal(letters.filter(({ to }) => to === address("nobody")).length, 0);
});
