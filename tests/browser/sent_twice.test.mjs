// A button that is pressed twice. With scripts its form leaves once; without, the browser sends it twice, drops the first answer, and
// both come to one session.

import assert from "node:assert/strict";
import test, { after } from "node:test";
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

for (const [js, times] of [[true, 1], [false, 2]]) {
  test(`a double click on "Sign In" ${js ? "with" : "without"} scripts`, async (t) => {
    const tab = await page(t, { ...anteroom, js });
    await tab.goto(app.request());
    await enter(tab);
    const sent = posts(tab, "/sign-in");
    await tab.locator(SIGN_IN).dblclick();
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
  // The answer does not come, and the person thinks again.
  await tab.route("**/consent", (route) => new Promise(() => route));
  const sent = posts(tab, "/consent");
  const button = (value) => tab.locator(`form[action='/consent'] [value=${value}]`);
  await button("allow").dblclick({ noWaitAfter: true });
  await button("deny").click({ noWaitAfter: true });
  const decisions = () => sent.map((body) => [...new URLSearchParams(body).values()].find((value) => /^(allow|deny)$/.test(value)));
  await tab.waitForTimeout(300);
  assert.deepEqual(decisions(), ["allow", "deny"]);
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
