// A browser that goes back shows a page as it was left, without asking. What it shows of a person whose session has
// ended elsewhere is hidden before it can be seen, on every page that says who is signed in. What a person typed to prove who they
// are is gone from it.

import assert from "node:assert/strict";
import test, { after } from "node:test";
import { demo, keepPages, page } from "./harness.mjs";
import { application } from "./harness/application.mjs";
import { address, dashboardOf, eventually, signedIn } from "./harness/practice.mjs";

keepPages();
const anteroom = await demo();
const app = await application(after);

/** Pages that say who is signed in, and what of them says it. */
const PAGES = {
  "/dashboard": "#signed-in-as",
  "/account/profile": ".identity",
  "/change-password": "[name=username]",
  [app.request({ prompt: "consent" })]: ".identity",
  [app.request({ prompt: "select_account" })]: ".choices",
  "/end-session": "#people",
};
/** Alice has a phone, and is asked for a code before she may change her password. */
const personOf = (path) => (path === "/change-password" ? "frank" : "alice");
const IN_SESSION = ["/dashboard", "/account/profile", "/change-password"];

/** Whether the page is the one that was left, brought back. */
const isBack = (tab) => tab.evaluate(() => window.left === true).catch(() => false);
const isHidden = (tab) => tab.evaluate(() => !document.body.checkVisibility());

/**
 * A person's page, just before it is left. `came` has an entry for each time that it is brought back: whether it can be seen then.
 * Playwright routes no request of such a page, so that the page itself holds its own back: `window.answer()` lets them go.
 */
async function left(t, path) {
  const tab = await page(t, anteroom);
  await signedIn(tab, personOf(path));
  await tab.goto(path);
  assert.ok(await tab.locator(PAGES[path]).first().isVisible(), `${path} says who is signed in`);
  const came = [];
  tab.on("console", (message) => {
    const [, seen] = message.text().match(/^came back: (.*)$/s) ?? [];
    if (seen !== undefined) came.push(seen);
  });
  await tab.evaluate(() => {
    window.left = true;
    const { fetch } = window;
    const answered = new Promise((resolve) => (window.answer = resolve));
    window.fetch = async (...what) => (await answered, window.fails ? Promise.reject(new TypeError()) : fetch(...what));
    addEventListener("pageshow", ({ persisted }) => {
      if (persisted) console.log(`came back: ${document.body.checkVisibility() ? "seen" : "hidden"}`);
    });
  });
  return { tab, came };
}

async function away(tab) {
  await tab.goto(app.url);
}

async function back(tab) {
  await tab.evaluate(() => history.back()).catch(() => {});
}

/** As another browser of the person's would: this one's cookies stay as they are. */
async function endElsewhere(tab) {
  const cookies = await tab.context().cookies(anteroom.url);
  const cookie = cookies.map(({ name, value }) => `${name}=${value}`).join("; ");
  const shown = await (await fetch(`${anteroom.url}/dashboard`, { headers: { cookie } })).text();
  const [, token] = shown.match(/action="\/sign-out">\s*<input type="hidden" name="form_token" value="([^"]+)"/);
  const headers = { cookie, origin: anteroom.url };
  const body = new URLSearchParams({ form_token: token });
  const answer = await fetch(`${anteroom.url}/sign-out`, { method: "POST", headers, body, redirect: "manual" });
  assert.equal(answer.status, 303);
}

for (const path of Object.keys(PAGES)) {
  test(`${path.split("?")[0]}: of a session that has ended nothing is seen`, async (t) => {
    const { tab, came } = await left(t, path);
    await away(tab);
    await endElsewhere(tab);
    await back(tab);
    await eventually("the page that was left", () => came.length > 0);
    assert.deepEqual(came, ["hidden"]);
    if (IN_SESSION.includes(path)) {
      assert.ok(await isHidden(tab), "and until the server has answered");
      await tab.evaluate(() => window.answer());
    }
    await eventually("what the server has to say", async () => !(await isBack(tab)));
    await tab.locator("h1").waitFor();
    assert.ok(!(await tab.locator("body").innerText()).includes(address(personOf(path))), tab.url());
  });
}

for (const path of IN_SESSION) {
  test(`${path}: as long as the session goes on it is as it was`, async (t) => {
    const { tab, came } = await left(t, path);
    const typed = tab.locator("main input:visible:not([readonly])").first();
    const types = (await typed.count()) > 0;
    if (types) await typed.fill("half of something");
    await tab.evaluate(() => window.answer());
    await away(tab);
    await back(tab);
    await eventually("the page that was left", async () => came.length > 0 && !(await isHidden(tab)));
    assert.ok(await isBack(tab));
    assert.ok(await tab.locator(PAGES[path]).first().isVisible());
    // But for what the next person at the browser could use.
    const kept = path === "/change-password" ? "" : "half of something";
    if (types) assert.equal(await typed.inputValue(), kept);
  });
}

test("where the server cannot be asked the page is loaded anew", async (t) => {
  const { tab, came } = await left(t, "/dashboard");
  await tab.evaluate(() => {
    window.fails = true;
    window.answer();
  });
  await away(tab);
  await back(tab);
  await eventually("the page that was left", () => came.length > 0);
  await eventually("the dashboard, anew", async () => !(await isBack(tab)));
  await tab.locator("#signed-in-as").waitFor();
  await dashboardOf(tab, "alice");
});

/** A page where something secret is typed, what that is, and how it is left. */
const TYPED = {
  "a password at sign-in": {
    open: (tab) => tab.goto("/sign-in"),
    secrets: ["#password"],
    leave: (tab) => tab.locator("a[href^='/forgot-password']").first().click(),
  },
  "a new password and one that does not match": {
    open: async (tab) => {
      await signedIn(tab, "frank");
      await tab.goto("/change-password");
    },
    secrets: ["#new_password", "#confirm_password"],
    leave: (tab) => tab.locator("form[action='/new-password'] button[type=submit]").click(),
  },
  "the code of a mail": {
    open: async (tab) => {
      await tab.goto("/forgot-password");
      await tab.locator("#email").fill(address("nobody"));
      await tab.locator("main button[type=submit]").click();
      await tab.locator("#recovery-asked").waitFor();
    },
    secrets: ["#code"],
    leave: (tab) => tab.locator(".ways a").click(),
  },
};

for (const [what, { open, secrets, leave }] of Object.entries(TYPED)) {
  for (const kept of [true, false]) {
    test(`${what} is gone by going back, ${kept ? "to the page as it was left" : "to the page opened anew"}`, async (t) => {
      const tab = await page(t, anteroom);
      await open(tab);
      for (const [place, secret] of secrets.entries()) await tab.locator(secret).fill(`typed by mia ${place}`);
      if (await tab.locator(".reveal").count()) await tab.locator(".reveal").first().click();
      const typed = await tab.locator("input[type=email]:not([readonly])").all();
      for (const field of typed) await field.fill(address("mia"));
      await tab.evaluate((keeps) => {
        window.here = true;
        // A browser keeps no page that wants to know when it is unloaded.
        if (!keeps) addEventListener("unload", () => {});
        addEventListener("pageshow", () => (window.shown = true));
      }, kept);
      const before = tab.url();
      await leave(tab);
      const isThere = (selector) => tab.evaluate((sought) => document.querySelector(sought) !== null, selector).catch(() => false);
      await eventually("the next page", async () => !(await tab.evaluate(() => window.here === true).catch(() => true)));
      await tab.waitForLoadState();
      await back(tab);
      await eventually("the page before", async () => tab.url() === before && (await isThere(secrets[0])));
      await eventually("all of it", () => tab.evaluate(() => document.readyState === "complete").catch(() => false));
      const values = await tab.evaluate((all) => all.map((one) => document.querySelector(one).value), secrets);
      assert.deepEqual(values, secrets.map(() => ""));
      const types = await tab.evaluate((all) => all.map((one) => document.querySelector(one).type), secrets);
      if (what !== "the code of a mail") assert.deepEqual(types, secrets.map(() => "password"));
    });
  }
}
