// Two tabs, bookmarks and addresses that are worth nothing any more.

import assert from "node:assert/strict";
import test, { after, describe } from "node:test";
import { demo, page, signIn } from "./harness.mjs";
import { answered, application } from "./harness/application.mjs";
import { PAGES } from "./harness/pages.mjs";
import { address, asksToSignIn, dashboardOf, going, leadsOn, signInHere, toDashboard } from "./harness/practice.mjs";

const anteroom = await demo();
const app = await application(after);

async function twoTabs(t) {
  const one = await page(t, anteroom);
  return [one, await one.context().newPage()];
}

describe("two tabs", () => {
  test("the same person signs in in both, one after the other", async (t) => {
    const [one, other] = await twoTabs(t);
    await other.goto("/sign-in");
    await toDashboard(one, "alice");
    await signInHere(other, "alice");
    await dashboardOf(other, "alice");
    await one.reload();
    await dashboardOf(one, "alice");
  });

  test("both are opened before the browser has a cookie, and both sign in at once", async (t) => {
    const [one, other] = await twoTabs(t);
    await Promise.all([one.goto("/sign-in"), other.goto("/sign-in")]);
    await Promise.all([signInHere(one, "alice"), signInHere(other, "alice")]);
    for (const tab of [one, other]) {
      await dashboardOf(tab, "alice");
      await tab.reload();
      await dashboardOf(tab, "alice");
    }
  });

  test("somebody else signs in in the other: the one who signed in last is at work", async (t) => {
    const [one, other] = await twoTabs(t);
    await other.goto("/sign-in");
    await toDashboard(one, "alice");
    await signInHere(other, "bob");
    await dashboardOf(other, "bob");
    await one.reload();
    await dashboardOf(one, "bob");
  });

  test("each is on the way to an application of its own", async (t) => {
    const [one, other] = await twoTabs(t);
    await one.goto(app.request({ state: "one" }));
    await other.goto(app.request({ state: "other" }));
    await signInHere(one, "alice");
    assert.equal((await answered(one)).state, "one");
    await signInHere(other, "alice");
    assert.equal((await answered(other)).state, "other");
  });

  test("a wrong password in one takes nothing from the other", async (t) => {
    const [one, other] = await twoTabs(t);
    await other.goto("/sign-in");
    await toDashboard(one, "alice");
    await signIn(other, address("alice"), "wrong");
    assert.equal(await leadsOn(other), "Sign In");
    await one.reload();
    await dashboardOf(one, "alice");
  });
});

describe("Back", () => {
  test("after signing in ends at the dashboard", async (t) => {
    const tab = await page(t, anteroom);
    await toDashboard(tab, "alice");
    await tab.goBack();
    await dashboardOf(tab, "alice");
  });

  test("from an application ends at the application", async (t) => {
    const tab = await page(t, anteroom);
    await tab.goto(app.request());
    await signInHere(tab, "alice");
    await tab.goBack();
    assert.equal((await answered(tab)).state, "a-state");
  });

  test("after signing out shows nothing of what was", async (t) => {
    const tab = await page(t, anteroom);
    await toDashboard(tab, "alice");
    await going(tab, () => tab.getByRole("button", { name: "Sign Out" }).click());
    await tab.goBack();
    await asksToSignIn(tab, anteroom);
  });
});

describe("a bookmark", () => {
  const forAnyone = ["/forgot-password", "/complete-registration", "/signed-out", "/sign-in?another=1"];
  const forSignedIn = ["/", "/sign-in", "/dashboard", "/consent", "/not-entitled", "/expired-password", "/sign-out"];
  for (const path of forSignedIn) {
    test(`${path}: signed in or not`, async (t) => {
      const tab = await page(t, anteroom);
      await tab.goto(path);
      await asksToSignIn(tab, anteroom);
      await signInHere(tab, "alice");
      await tab.goto(path);
      await dashboardOf(tab, "alice");
    });
  }

  test("any other: signed in or not", async (t) => {
    const tab = await page(t, anteroom);
    const paths = [...forAnyone, "/choose-account", "/change-password", "/open/schedule", "/end-session", "/continue"];
    for (const path of paths) {
      await tab.goto(path);
      await leadsOn(tab);
    }
    await toDashboard(tab, "alice");
    for (const path of paths) {
      await tab.goto(path);
      await leadsOn(tab);
    }
  });

  test("of the sign-in for an application: signed in, it leads to the application", async (t) => {
    const tab = await page(t, anteroom);
    await tab.goto(app.request());
    await signIn(tab, address("alice"), "wrong");
    const bookmark = `/sign-in?${new URLSearchParams({ interaction: await interaction(tab) })}`;
    await signInHere(tab, "alice");
    await tab.goto(bookmark);
    assert.equal((await answered(tab)).state, "a-state");
  });

  test("of a step that was taken", async (t) => {
    const tab = await page(t, anteroom);
    await PAGES["choose-account-for-application"]({ tab, app });
    await going(tab, () => tab.getByRole("button", { name: "Use another account" }).click());
    const bookmark = tab.url();
    await signInHere(tab, "frank");
    assert.equal((await answered(tab)).state, "a-state");
    await tab.goto(bookmark);
    await leadsOn(tab);
  });
});

describe("an interaction that is worth nothing", () => {
  const worthless = { garbage: "garbage", "empty seal": "s.", "broken seal": "s.AAAA", "unknown handle": "A".repeat(43) };

  for (const [kind, value] of Object.entries(worthless)) {
    test(`${kind}: in an address`, async (t) => {
      const tab = await page(t, anteroom);
      for (const path of ["/sign-in", "/continue"]) {
        await tab.goto(`${path}?interaction=${value}`);
        await leadsOn(tab);
        await going(tab, () => tab.locator("main a, main [type=submit]").first().click());
        await leadsOn(tab);
      }
    });

    test(`${kind}: in a form`, async (t) => {
      for (const name of ["sign-in-for-application", "choose-account-for-application", "consent"]) {
        const tab = await page(t, anteroom);
        await PAGES[name]({ tab, app });
        await tab.locator("[name=interaction]").evaluate((field, value) => (field.value = value), value);
        if (name.startsWith("sign-in")) await signInHere(tab, "alice");
        else await going(tab, () => tab.locator("main button").first().click());
        assert.equal(await leadsOn(tab), "This sign-in took too long");
        await going(tab, () => tab.locator("#forward").click());
        await leadsOn(tab);
      }
    });
  }

  test("another browser's handle opens nothing there, and stays good here", async (t) => {
    const tab = await page(t, anteroom);
    await PAGES["choose-account-for-application"]({ tab, app });
    await going(tab, () => tab.getByRole("button", { name: "Use another account" }).click());
    const stranger = await page(t, anteroom);
    await stranger.goto(tab.url());
    assert.equal(await leadsOn(stranger), "This sign-in took too long");
    await signInHere(tab, "frank");
    assert.equal((await answered(tab)).state, "a-state");
  });
});

const interaction = (tab) => tab.locator("[name=interaction]").first().inputValue();
