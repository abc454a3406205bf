// Before a session ends, its page says so in time and offers to stay; when it has ended, sign-in says why. The page's clock is
// the test's; the server's goes on as ever.

import assert from "node:assert/strict";
import test from "node:test";
import { axe, demo, page } from "./harness.mjs";
import { address, dashboardOf, eventually, going, isAt, signedIn } from "./harness/practice.mjs";

const anteroom = await demo();
const UNTIL_WARNED = "25:00";

const warning = (tab) => tab.getByRole("alertdialog");
const hasFocus = (locator) => locator.evaluate((element) => element === document.activeElement);

/** A person's page, whose server says that so many seconds are left (`null`: what is true). */
async function at(t, path, { seconds = 300, ...options } = {}) {
  const tab = await page(t, { ...anteroom, ...options });
  await tab.clock.install();
  // Alice has a phone, and is asked for a code before she may change her password.
  await signedIn(tab, path === "/change-password" ? "frank" : "alice");
  if (seconds !== null) await tab.route("**/session?*", (route) => route.fulfill({ json: { seconds } }));
  await tab.goto(path);
  return tab;
}

async function warned(tab) {
  await tab.clock.fastForward(UNTIL_WARNED);
  await warning(tab).waitFor();
}

for (const [path, js] of [["/dashboard", "a link"], ["/change-password", "a field"]]) {
  test(`${path}: whoever stays stays, and works on in ${js}`, async (t) => {
    const tab = await at(t, path);
    const title = await tab.title();
    const atWork = tab.locator(path === "/dashboard" ? "#tiles a >> nth=1" : "[name=new_password]");
    await atWork.focus();
    if (path === "/change-password") await atWork.fill("half of a new password");
    await tab.clock.fastForward("24:00");
    assert.equal(await warning(tab).count(), 0);
    await tab.clock.fastForward("01:00");
    await warning(tab).waitFor();
    assert.match(await warning(tab).innerText(), /Are you still there\?[^]*you are signed out at \d+:\d\d\s[AP]M/);
    assert.ok(await hasFocus(warning(tab).getByRole("button", { name: "Stay Signed In" })), "the focus is in the warning");
    assert.match(await tab.title(), /^Are you still there\?/);
    await axe(tab);
    const answer = tab.waitForResponse((response) => response.request().method() === "POST");
    await tab.keyboard.press("Enter");
    assert.ok((await (await answer).json()).seconds > 300, "the server has taken it as activity");
    await warning(tab).waitFor({ state: "detached" });
    assert.ok(await hasFocus(atWork), "the focus is where it was");
    assert.equal(await tab.title(), title);
    if (path === "/change-password") assert.equal(await atWork.inputValue(), "half of a new password");
    await warned(tab);
  });
}

test("Escape is an answer as well", async (t) => {
  const tab = await at(t, "/dashboard");
  await warned(tab);
  const answer = tab.waitForResponse((response) => response.request().method() === "POST");
  await tab.keyboard.press("Escape");
  assert.equal((await answer).status(), 200);
  await warning(tab).waitFor({ state: "detached" });
});

test("nobody is warned whose other tab is at work", async (t) => {
  const tab = await at(t, "/dashboard", { seconds: null });
  const asked = tab.waitForResponse(/\/session\?/);
  await tab.clock.fastForward(UNTIL_WARNED);
  await (await asked).finished();
  assert.equal(await warning(tab).count(), 0);
});

test("the answer given in one tab is good for the other", async (t) => {
  const tab = await at(t, "/dashboard");
  await warned(tab);
  await tab.unroute("**/session?*");
  await tab.clock.runFor("00:11");
  await warning(tab).waitFor({ state: "detached" });
});

test("\"Sign Out\" signs out", async (t) => {
  const tab = await at(t, "/dashboard");
  await warned(tab);
  await going(tab, () => warning(tab).getByRole("button", { name: "Sign Out" }).click());
  await isAt(tab, "signed-out");
});

test("a session that is over leads to sign-in, which says why", async (t) => {
  const tab = await at(t, "/dashboard", { seconds: null });
  const other = await tab.context().newPage();
  await other.goto("/dashboard");
  await going(other, () => other.locator("form[action='/sign-out'] button").first().click());
  await Promise.all([tab.waitForURL(/\/sign-in/), tab.clock.fastForward(UNTIL_WARNED)]);
  assert.match(await tab.locator("#notice").innerText(), /nothing happened for a while/);
});

test("a server that is away sends nobody away", async (t) => {
  const tab = await at(t, "/dashboard", { seconds: null });
  await tab.route("**/session?*", (route) => route.abort());
  await tab.clock.fastForward("40:00");
  await warning(tab).waitFor();
  assert.equal(new URL(tab.url()).pathname, "/dashboard");
  await tab.unroute("**/session?*");
  await tab.clock.runFor("00:11");
  await warning(tab).waitFor({ state: "detached" });
});

test("at the last limit of all it is only announced, once", async (t) => {
  const tab = await at(t, "/dashboard");
  await tab.route("**/dashboard", async (route) => {
    const response = await route.fetch();
    const body = (await response.text()).replace('id="session-text"', 'id="session-text" data-fixed="1"');
    await route.fulfill({ response, body });
  });
  await tab.goto("/dashboard");
  await warned(tab);
  let posted = 0;
  tab.on("request", (request) => (posted += Number(request.method() === "POST")));
  await tab.keyboard.press("Enter");
  await warning(tab).waitFor({ state: "detached" });
  const asked = tab.waitForResponse(/\/session\?/);
  await tab.clock.runFor("00:11");
  await (await asked).finished();
  assert.equal(await warning(tab).count(), 0);
  assert.equal(posted, 0);
});

test("on a phone, in Spanish", async (t) => {
  const tab = await at(t, "/dashboard", { phone: true, locale: "es-US" });
  await warned(tab);
  assert.match(await warning(tab).innerText(), /¿Sigue ahí\?[^]*a esta hora: \d+:\d\d/);
  await axe(tab);
  const wide = await tab.evaluate(() => document.documentElement.scrollWidth);
  assert.ok(wide <= 390, `${wide}`);
});

test("without scripts the page is as it was", async (t) => {
  const tab = await page(t, { ...anteroom, js: false });
  await signedIn(tab, "alice");
  await tab.goto("/dashboard");
  await dashboardOf(tab, "alice");
  assert.equal(await warning(tab).count(), 0);
  await eventually("nothing of it is seen", async () => !(await tab.locator("body").innerText()).includes("Are you still there?"));
  assert.equal(await tab.locator("#signed-in-as").innerText(), address("alice"));
});
