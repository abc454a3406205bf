// A button that is pressed twice: with scripts its form leaves once. Without, the browser sends it twice and drops the first answer.

import assert from "node:assert/strict";
import test, { after } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { demo, page } from "./harness.mjs";
import { application } from "./harness/application.mjs";
import { address, going, PASSWORD, signedIn } from "./harness/practice.mjs";

const anteroom = await demo();
const app = await application(after);

const SIGN_IN = "form[action='/sign-in'] [type=submit]";

/** What a browser sends of a form from now on. */
function posts(tab, path) {
  const sent = [];
  tab.on("request", (request) => {
    if (request.method() === "POST" && new URL(request.url()).pathname === path) sent.push(request.postData());
  });
  return sent;
}

async function enter(tab, who = "alice") {
  await tab.locator("[name=email]").fill(address(who));
  await tab.locator("[name=password]").fill(PASSWORD);
}

/** Presses buttons as a hand does, without waiting for what comes of it. */
async function clickAll(tab, ...buttons) {
  const places = await Promise.all(buttons.map((button) => tab.locator(button).boundingBox()));
  for (const { x, y, width, height } of places) {
    await tab.mouse.click(x + width / 2, y + height / 2);
    await pause(100);
  }
}

for (const [js, times] of [[true, 1], [false, 2]]) {
  test(`"Sign In" is pressed twice ${js ? "with" : "without"} scripts`, async (t) => {
    const tab = await page(t, { ...anteroom, js });
    await tab.goto(app.request());
    await enter(tab);
    const sent = posts(tab, "/sign-in");
    await tab.route("**/sign-in", async (route) => {
      await pause(500);
      // What the browser has dropped by then does not go on.
      await route.continue().catch(() => {});
    });
    await clickAll(tab, SIGN_IN, SIGN_IN);
    await tab.locator("h1", { hasText: "Answered" }).waitFor();
    assert.equal(sent.length, times);
    await tab.goto("/dashboard");
    assert.match(await tab.locator("h1").innerText(), /^Welcome, Alice/);
  });
}

test("the button's value is sent, and another button is another matter", async (t) => {
  const tab = await page(t, anteroom);
  await signedIn(tab, "alice");
  await tab.goto(app.request({ prompt: "consent" }));
  // No answer comes, and the person thinks again.
  await tab.route("**/consent", () => {});
  const sent = posts(tab, "/consent");
  const button = (value) => `form[action='/consent'] [value=${value}]`;
  await clickAll(tab, button("allow"), button("allow"), button("deny"));
  const decided = (body) => [...new URLSearchParams(body).values()].find((value) => /^(allow|deny)$/.test(value));
  assert.deepEqual(sent.map(decided), ["allow", "deny"]);
  await tab.unrouteAll();
});

test("a form whose network was gone is sent again after a while, and at once where the page is shown again", async (t) => {
  const tab = await page(t, anteroom);
  await tab.clock.install();
  await tab.goto("/sign-in");
  const sent = posts(tab, "/sign-in");
  await tab.route("**/sign-in", (route) => (route.request().method() === "POST" ? route.fulfill({ status: 204 }) : route.continue()));
  await enter(tab);
  await tab.locator(SIGN_IN).click();
  await tab.locator(SIGN_IN).click();
  assert.equal(sent.length, 1);
  await tab.clock.fastForward("00:11");
  await tab.locator(SIGN_IN).click();
  assert.equal(sent.length, 2);
  await tab.evaluate(() => dispatchEvent(new PageTransitionEvent("pageshow", { persisted: true })));
  await enter(tab);
  await tab.unrouteAll();
  await going(tab, () => tab.locator(SIGN_IN).click());
  assert.equal(sent.length, 3);
});
