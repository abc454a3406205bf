// Several accounts in one browser.

import assert from "node:assert/strict";
import { after } from "node:test";
import { demo } from "./harness.mjs";
import { answered, application } from "./harness/application.mjs";
import { journeys } from "./harness/journeys.mjs";
import { applicationsOf } from "./harness/pages.mjs";
import {
  address, asksToSignIn, dashboardOf, eventually, going, greets, leadsOn, openTile, signedIn, signInHere, toDashboard,
} from "./harness/practice.mjs";

const anteroom = await demo();
const app = await application(after);

/** Both are signed in; bob, who came last, is at work. */
async function aliceAndBob(tab) {
  await signedIn(tab, "alice");
  await signedIn(tab, "bob");
  await tab.goto("/dashboard");
  await dashboardOf(tab, "bob");
  assert.ok((await tab.locator("#also-signed-in").innerText()).includes(address("alice")));
}

const choices = (tab) => tab.locator(".choices button");
const choose = (tab, person) => going(tab, () => choices(tab).filter({ hasText: address(person) }).click());

for (const js of [true, false]) {
  journeys(`with scripts ${js ? "on" : "off"}`, { ...anteroom, js }, (journey) => {
    journey("people change between their accounts at the dashboard", async (tab) => {
      await toDashboard(tab, "alice");
      await going(tab, () => tab.getByRole("link", { name: "Use another account" }).click());
      await asksToSignIn(tab, anteroom);
      await signInHere(tab, "bob");
      await dashboardOf(tab, "bob");
      await going(tab, () => tab.getByRole("link", { name: "Use another account" }).click());
      assert.equal(await leadsOn(tab), "Choose an account");
      assert.equal(await choices(tab).count(), 3);
      await choose(tab, "alice");
      await dashboardOf(tab, "alice");
      await tab.reload();
      await dashboardOf(tab, "alice");
    });

    journey("an application asks which account it is for", async (tab) => {
      await aliceAndBob(tab);
      const { schedule } = await applicationsOf(tab, ["schedule"]);
      await tab.goto(schedule);
      assert.equal(await leadsOn(tab), "Choose an account");
      assert.match(await tab.locator("main").innerText(), /to continue to Schedule/);
      await choose(tab, "alice");
      assert.equal(tab.url(), schedule);
      await greets(tab, "alice");
    });

    journey("a tile asks nothing: it is for the account whose tile it is", async (tab) => {
      await aliceAndBob(tab);
      await greets(await openTile(tab, "Secure Mail"), "bob");
    });

    journey("on the way to an application a third account signs in", async (tab) => {
      await aliceAndBob(tab);
      const { schedule } = await applicationsOf(tab, ["schedule"]);
      await tab.goto(schedule);
      await going(tab, () => tab.getByRole("button", { name: "Use another account" }).click());
      assert.match(await tab.locator("main").innerText(), /to continue to Schedule/);
      await signInHere(tab, "frank");
      assert.equal(tab.url(), schedule);
      await greets(tab, "frank");
    });

    journey("prompt=select_account asks even where there is only one", async (tab) => {
      await signedIn(tab, "alice");
      await tab.goto(app.request({ prompt: "select_account" }));
      assert.equal(await leadsOn(tab), "Choose an account");
      await choose(tab, "alice");
      assert.equal((await answered(tab)).state, "a-state");
    });

    journey("whoever is refused can come back as the one who is not", async (tab) => {
      await signedIn(tab, "alice");
      const { imaging } = await applicationsOf(tab, ["imaging"]);
      await signedIn(tab, "bob");
      await tab.goto(imaging);
      await choose(tab, "bob");
      assert.equal(await leadsOn(tab), "You do not have access to Imaging");
      await tab.goto(imaging);
      await choose(tab, "alice");
      await greets(tab, "alice");
    });

    journey("signing out at the dashboard signs everyone out, in every application", async (tab) => {
      await aliceAndBob(tab);
      const bobs = await openTile(tab, "Schedule");
      await going(tab, () => tab.getByRole("link", { name: "Use another account" }).click());
      await choose(tab, "alice");
      const alices = await openTile(tab, "Imaging");
      await going(tab, () => tab.getByRole("button", { name: "Sign Out" }).click());
      for (const application of [bobs, alices]) {
        const claims = new URL("/claims.json", application.url()).href;
        await eventually("the sign-out", async () => (await tab.context().request.get(claims)).status() === 401);
      }
      await tab.goto("/choose-account");
      await asksToSignIn(tab, anteroom);
    });
  });
}
