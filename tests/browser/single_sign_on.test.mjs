// One sign-in opens every tile, one sign-out closes them all, and an application that is not a person's own refuses them.

import assert from "node:assert/strict";
import { demo } from "./harness.mjs";
import { journeys } from "./harness/journeys.mjs";
import {
  addressOfApplication, asksToSignIn, eventually, going, greets, leadsOn, openTile, signedIn, signInHere, toDashboard,
} from "./harness/practice.mjs";

const anteroom = await demo();
const OPENED = ["Schedule", "Imaging", "Analytics"];

/** Three applications, each in a tab of its own, opened by their tiles without being asked anything. */
async function openThree(dashboard) {
  const applications = [];
  for (const name of OPENED) {
    const application = await openTile(dashboard, name);
    await greets(application, "alice");
    assert.match(await application.title(), new RegExp(name));
    applications.push(application);
  }
  return applications;
}

/** Applications hear of a sign-out from Anteroom. */
async function isFoundSignedOut(application) {
  const claims = new URL("/claims.json", application.url()).href;
  const isOver = async () => (await application.context().request.get(claims)).status() === 401;
  await eventually(`the end of the session at ${application.url()}`, isOver);
  await application.reload();
  await asksToSignIn(application, anteroom);
}

/** Where an application lives that is not everyone's. Leaves the browser signed out. */
async function alicesApplication(tab, client) {
  await signedIn(tab, "alice");
  const address = await addressOfApplication(tab, client);
  await tab.context().clearCookies();
  return address;
}

for (const js of [true, false]) {
  journeys(`with scripts ${js ? "on" : "off"}`, { ...anteroom, js }, (journey) => {
    journey("signing out at the dashboard signs out of every application", async (dashboard) => {
      await toDashboard(dashboard, "alice");
      const applications = await openThree(dashboard);
      await going(dashboard, () => dashboard.getByRole("button", { name: "Sign Out" }).click());
      assert.equal(await leadsOn(dashboard), "You are signed out");
      for (const application of applications) await isFoundSignedOut(application);
    });

    journey("signing out of one application signs out of the others and of Anteroom", async (dashboard) => {
      await toDashboard(dashboard, "alice");
      const [first, ...others] = await openThree(dashboard);
      // By way of the page that tells Imaging in a frame.
      const back = `${new URL(first.url()).origin}/signed-out?*`;
      await Promise.all([first.waitForURL(back), first.getByRole("button", { name: "Sign Out" }).click()]);
      assert.equal(await leadsOn(first), "Signed out");
      assert.match(await first.locator("main").innerText(), /everything else you opened/);
      for (const application of others) await isFoundSignedOut(application);
      await dashboard.reload();
      await asksToSignIn(dashboard, anteroom);
    });

    journey("an application opened by its own address asks for a sign-in and ends where it was opened", async (tab) => {
      const forms = await alicesApplication(tab, "patient-forms");
      await tab.goto(forms);
      await asksToSignIn(tab, anteroom);
      assert.match(await tab.locator("main").innerText(), /to continue to Patient Forms/);
      await signInHere(tab, "bob");
      assert.equal(tab.url(), forms);
      await greets(tab, "bob");
      await tab.goto("/");
      await greets(await openTile(tab, "Schedule"), "bob");
    });

    journey("bob is refused by an application that is not his, told whom to ask, and led back to it", async (tab) => {
      const imaging = await alicesApplication(tab, "imaging");
      await signedIn(tab, "bob");
      await tab.goto(imaging);
      assert.equal(await leadsOn(tab), "You do not have access to Imaging");
      assert.match(await tab.locator("main").innerText(), /ask the practice manager \(sample\), extension 12/);
      await going(tab, () => tab.getByRole("button", { name: "Back to the application" }).click());
      assert.equal(new URL(tab.url()).origin, new URL(imaging).origin);
      assert.equal(await tab.locator("#error").textContent(), "access_denied");
      await leadsOn(tab);
      await going(tab, () => tab.getByRole("link", { name: "Back to the dashboard" }).click());
      assert.match(await leadsOn(tab), /^Welcome, Bob/);
    });

    journey("a tile that is not bob's is not there at all", async (tab) => {
      await signedIn(tab, "bob");
      const answer = await tab.goto("/open/imaging");
      assert.equal(answer.status(), 404);
      assert.equal(await leadsOn(tab), "There is nothing at this address");
      await going(tab, () => tab.locator("#forward").click());
      assert.match(await leadsOn(tab), /^Welcome, Bob/);
    });

    journey("a tile pressed after the session has ended leads to sign-in", async (dashboard) => {
      await toDashboard(dashboard, "alice");
      const other = await dashboard.context().newPage();
      await other.goto("/dashboard");
      await going(other, () => other.getByRole("button", { name: "Sign Out" }).click());
      await going(dashboard, () => dashboard.getByRole("link", { name: "Imaging" }).click());
      await asksToSignIn(dashboard, anteroom);
    });
  });
}
