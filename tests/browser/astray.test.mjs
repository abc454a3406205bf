// Two tabs, bookmarks and addresses that are worth nothing any more.

import assert from "node:assert/strict";
import { after } from "node:test";
import { demo, page, signIn } from "./harness.mjs";
import { answered, application } from "./harness/application.mjs";
import { journeys } from "./harness/journeys.mjs";
import { PAGES } from "./harness/pages.mjs";
import { address, asksToSignIn, dashboardOf, going, leadsOn, signInHere, toDashboard } from "./harness/practice.mjs";

const anteroom = await demo();
const app = await application(after);

const another = (tab) => tab.context().newPage();

journeys("two tabs", anteroom, (journey) => {
  journey("the same person signs in in both, one after the other", async (one) => {
    const other = await another(one);
    await other.goto("/sign-in");
    await toDashboard(one, "alice");
    await signInHere(other, "alice");
    await dashboardOf(other, "alice");
    await one.reload();
    await dashboardOf(one, "alice");
  });

  journey("both are opened before the browser has a cookie, and both sign in at once", async (one) => {
    const other = await another(one);
    await Promise.all([one.goto("/sign-in"), other.goto("/sign-in")]);
    await Promise.all([signInHere(one, "alice"), signInHere(other, "alice")]);
    for (const tab of [one, other]) {
      await dashboardOf(tab, "alice");
      await tab.reload();
      await dashboardOf(tab, "alice");
    }
  });

  journey("somebody else signs in in the other: the one who signed in last is at work", async (one) => {
    const other = await another(one);
    await other.goto("/sign-in");
    await toDashboard(one, "alice");
    await signInHere(other, "bob");
    await dashboardOf(other, "bob");
    await one.reload();
    await dashboardOf(one, "bob");
  });

  journey("each is on the way to an application of its own", async (one) => {
    const other = await another(one);
    await one.goto(app.request({ state: "one" }));
    await other.goto(app.request({ state: "other" }));
    await signInHere(one, "alice");
    assert.equal((await answered(one)).state, "one");
    await signInHere(other, "alice");
    assert.equal((await answered(other)).state, "other");
  });

  journey("a wrong password in one takes nothing from the other", async (one) => {
    const other = await another(one);
    await other.goto("/sign-in");
    await toDashboard(one, "alice");
    await signIn(other, address("alice"), "wrong");
    assert.equal(await leadsOn(other), "Sign In");
    await one.reload();
    await dashboardOf(one, "alice");
  });
});

journeys("Back", anteroom, (journey) => {
  journey("after signing in ends at the dashboard", async (tab) => {
    await toDashboard(tab, "alice");
    await tab.goBack();
    await dashboardOf(tab, "alice");
  });

  journey("from an application ends at the application", async (tab) => {
    await tab.goto(app.request());
    await signInHere(tab, "alice");
    await tab.goBack();
    assert.equal((await answered(tab)).state, "a-state");
  });

  journey("after signing out shows nothing of what was", async (tab) => {
    await toDashboard(tab, "alice");
    await going(tab, () => tab.getByRole("button", { name: "Sign Out" }).click());
    await tab.goBack();
    await asksToSignIn(tab, anteroom);
  });
});

journeys("a bookmark", anteroom, (journey) => {
  const forAnyone = ["/forgot-password", "/complete-registration", "/signed-out", "/sign-in?another=1"];
  const onTheWay = [
    "/forgot-password/sent", "/recover", "/recover/code", "/verify/send", "/verify/code", "/new-password", "/password-changed",
    "/register", "/register/phone", "/register/phones-done",
  ];
  const forSignedIn = ["/", "/sign-in", "/dashboard", "/consent", "/not-entitled", "/expired-password", "/sign-out"];
  for (const path of forSignedIn) {
    journey(`${path}: signed in or not`, async (tab) => {
      await tab.goto(path);
      await asksToSignIn(tab, anteroom);
      await signInHere(tab, "alice");
      await tab.goto(path);
      await dashboardOf(tab, "alice");
    });
  }

  journey("any other: signed in or not", async (tab) => {
    const paths = [
      ...forAnyone, ...onTheWay, "/choose-account", "/change-password", "/open/schedule", "/end-session", "/continue",
    ];
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

  journey("of the sign-in for an application: once the application has its answer, it says so", async (tab) => {
    await tab.goto(app.request());
    await signIn(tab, address("alice"), "wrong");
    const bookmark = `/sign-in?${new URLSearchParams({ interaction: await interaction(tab) })}`;
    await signInHere(tab, "alice");
    assert.equal((await answered(tab)).state, "a-state");
    await tab.goto(bookmark);
    await leadsOn(tab);
  });

  journey("of a step that was taken", async (tab) => {
    await PAGES["choose-account-for-application"]({ tab, app });
    await going(tab, () => tab.getByRole("button", { name: "Use another account" }).click());
    const bookmark = tab.url();
    await signInHere(tab, "frank");
    assert.equal((await answered(tab)).state, "a-state");
    await tab.goto(bookmark);
    await leadsOn(tab);
  });
});

journeys("an interaction that is worth nothing", anteroom, (journey) => {
  const worthless = { garbage: "garbage", "empty seal": "s.", "broken seal": "s.AAAA", "unknown handle": "A".repeat(43) };

  for (const [kind, value] of Object.entries(worthless)) {
    journey(`${kind}: in an address`, async (tab) => {
      for (const path of ["/sign-in", "/continue"]) {
        await tab.goto(`${path}?interaction=${value}`);
        await leadsOn(tab);
        await going(tab, () => tab.locator("main a, main [type=submit]").first().click());
        await leadsOn(tab);
      }
    });

    for (const name of ["sign-in-for-application", "choose-account-for-application", "consent"]) {
      journey(`${kind}: in the form of ${name}`, async (tab) => {
        await PAGES[name]({ tab, app });
        await tab.locator("[name=interaction]").evaluate((field, value) => (field.value = value), value);
        if (name.startsWith("sign-in")) await signInHere(tab, "alice");
        else await going(tab, () => tab.locator("main button").first().click());
        assert.equal(await leadsOn(tab), "This sign-in took too long");
        await going(tab, () => tab.locator("#forward").click());
        await leadsOn(tab);
      });
    }
  }

  journey("another browser's handle opens the request alone there, and stays good here", async (tab, t) => {
    await PAGES["choose-account-for-application"]({ tab, app });
    await going(tab, () => tab.getByRole("button", { name: "Use another account" }).click());
    const otherBrowser = await page(t, anteroom);
    await otherBrowser.goto(tab.url());
    assert.equal(await leadsOn(otherBrowser), "Sign In");
    await signInHere(tab, "frank");
    assert.equal((await answered(tab)).state, "a-state");
  });
});

const interaction = (tab) => tab.locator("[name=interaction]").first().inputValue();
