// Each journey from its beginning to its end, in each manner of `harness/manners.mjs`: at every page on the way a refresh and
// a second tab, and Back where it is likeliest. What is particular to a journey has a file of its own.

import assert from "node:assert/strict";
import { after } from "node:test";
import { demo } from "./harness.mjs";
import { answered, application } from "./harness/application.mjs";
import { journeys } from "./harness/journeys.mjs";
import { looksBack, MANNERS, optionsOf, stops } from "./harness/manners.mjs";
import {
  address, asksToSignIn, BOBS_TILES, dashboardOf, going, greets, isAt, openTile, PASSWORD, signedIn, signInHere, TILES, tiles,
} from "./harness/practice.mjs";
import { signIn } from "./harness/sign_in.mjs";
import {
  addPhone, CELLS, choosePassword, enterCode, invitation, LANDLINES, mailed, NEW_PASSWORD, otherThan, send, sendAgain, sendCode,
  verify,
} from "./harness/ways.mjs";

const app = await application(after);
const FAILURES_UNTIL_LOCKED = 6;
const ERINS_CELL = "+12025550199";
const ERINS_LANDLINE = "+12025550198";

const follow = (tab, link) => going(tab, () => tab.locator(link).first().click());
const signOut = (tab) => going(tab, () => tab.locator("form[action='/sign-out'] button").first().click());
const choose = (tab, text) => going(tab, () => tab.locator(".choices button", { hasText: text }).click());

/** At sign-in; ends at "Check your email" with the mail. */
async function forgets(tab, { anteroom, manner }, person) {
  await follow(tab, "a[href^='/forgot-password']");
  await stops(tab, "forgot-password", manner);
  const mail = await mailed(tab, anteroom, person);
  await stops(tab, "recovery-asked", manner);
  return mail;
}

async function stepsUp(tab, { manner }) {
  const claims = { id_token: { acr: { essential: true, value: "urn:anteroom:acr:mfa" } } };
  await tab.goto(app.request({ claims: JSON.stringify(claims) }));
  await stops(tab, "verify-identity", manner);
}

const isAnswered = async (tab) => assert.equal((await answered(tab)).state, "a-state");

/** By name, in the order in which they leave the demo fit for each other. */
const JOURNEYS = {
  "alice at her dashboard": async (tab, { anteroom, manner }) => {
    await tab.goto("/");
    await stops(tab, null, manner);
    await signInHere(tab, "alice");
    await stops(tab, null, manner);
    await dashboardOf(tab, "alice");
    assert.deepEqual(await tiles(tab), TILES);
    const schedule = await openTile(tab, "Schedule");
    await greets(schedule, "alice");
    await signOut(tab);
    await stops(tab, "signed-out", manner);
    await tab.goBack();
    await asksToSignIn(tab, anteroom);
  },

  "an application asks alice for a code: by text, and by call": async (tab, place) => {
    for (const [method, number] of [["text", CELLS.alice], ["call", LANDLINES.alice]]) {
      await tab.context().clearCookies();
      await signedIn(tab, "alice");
      await stepsUp(tab, place);
      const code = await sendCode(tab, place.anteroom, method, number, method === "call" ? 1 : 0);
      await stops(tab, "enter-code", place.manner);
      await enterCode(tab, code);
      await isAnswered(tab);
    }
  },

  "alice and frank in one browser: the application asks for whom": async (tab, { manner }) => {
    await signedIn(tab, "alice");
    await signedIn(tab, "frank");
    await tab.goto(app.request());
    await stops(tab, null, manner);
    assert.equal(await tab.locator(".choices button").count(), 3);
    await choose(tab, address("frank"));
    await isAnswered(tab);
    await tab.goto("/dashboard");
    await follow(tab, "a[href='/choose-account']");
    await stops(tab, null, manner);
    await choose(tab, address("alice"));
    await dashboardOf(tab, "alice");
  },

  "alice changes her password": async (tab, { anteroom, manner }) => {
    await signedIn(tab, "alice");
    await tab.goto("/dashboard");
    await follow(tab, "a[href='/change-password']");
    await stops(tab, "verify-identity", manner);
    await verify(tab, anteroom, "text", CELLS.alice);
    await stops(tab, "new-password", manner);
    await looksBack(tab);
    await choosePassword(tab, NEW_PASSWORD, PASSWORD);
    await tab.locator("#problem").waitFor();
    await choosePassword(tab, NEW_PASSWORD);
    await dashboardOf(tab, "alice");
    await stops(tab, null, manner);
    await signOut(tab);
    await tab.goto("/sign-in");
    await signIn(tab, address("alice"), NEW_PASSWORD);
    await dashboardOf(tab, "alice");
  },

  "bob locks himself out at his desk, and types the code of the mail": async (tab, place) => {
    const { anteroom, manner } = place;
    await tab.goto("/sign-in");
    await signInHere(tab, "bob");
    await dashboardOf(tab, "bob");
    assert.deepEqual(await tiles(tab), BOBS_TILES);
    await signOut(tab);
    await tab.goto("/sign-in");
    for (let failure = 0; failure < FAILURES_UNTIL_LOCKED; failure += 1) await signIn(tab, address("bob"), "wrong");
    await signInHere(tab, "bob");
    await tab.locator("#problem a[href^='/forgot-password']").waitFor();
    const { code } = await forgets(tab, place, "bob");
    await tab.locator("[name=code]").fill(code);
    await send(tab, "/recover/code");
    await stops(tab, "verify-identity", manner);
    const called = await sendCode(tab, anteroom, "call", CELLS.bob);
    await stops(tab, "enter-code", manner);
    await enterCode(tab, otherThan(called));
    await tab.locator("#problem").waitFor();
    await enterCode(tab, called);
    await stops(tab, "new-password", manner);
    await choosePassword(tab, NEW_PASSWORD);
    await stops(tab, "password-changed", manner);
    await follow(tab, "#forward");
    await tab.locator("#notice").waitFor();
    await signIn(tab, address("bob"), NEW_PASSWORD);
    await dashboardOf(tab, "bob");
  },

  "carol, who is locked, comes from an application and goes back to it": async (tab, place) => {
    const { anteroom, manner } = place;
    await tab.goto(app.request());
    await stops(tab, null, manner);
    await signInHere(tab, "carol");
    await tab.locator("#help").waitFor();
    const { link } = await forgets(tab, place, "carol");
    const letter = await tab.context().newPage();
    await letter.goto(link);
    await stops(letter, "recovery-link", manner);
    await send(letter, "/recover");
    await stops(letter, "verify-identity", manner);
    await sendCode(letter, anteroom, "text", CELLS.carol);
    await stops(letter, "enter-code", manner);
    await looksBack(letter);
    await sendAgain(letter, anteroom, "text", CELLS.carol);
    await follow(letter, "a[href*='choose=1']");
    await stops(letter, "verify-identity", manner);
    await verify(letter, anteroom, "call", LANDLINES.carol, 1);
    await stops(letter, "new-password", manner);
    await choosePassword(letter, NEW_PASSWORD);
    await stops(letter, "password-changed", manner);
    await follow(letter, "#forward");
    await asksToSignIn(letter, anteroom);
    await signIn(letter, address("carol"), NEW_PASSWORD);
    await isAnswered(letter);
  },

  "dave's password has expired on the way to an application": async (tab, { anteroom, manner }) => {
    await tab.goto(app.request());
    await signInHere(tab, "dave");
    await stops(tab, "password-expired", manner);
    await send(tab, "/expired-password");
    await stops(tab, "verify-identity", manner);
    const code = await sendCode(tab, anteroom, "call", LANDLINES.dave);
    await stops(tab, "enter-code", manner);
    await enterCode(tab, code);
    await stops(tab, "new-password", manner);
    await looksBack(tab);
    await choosePassword(tab, NEW_PASSWORD);
    await isAnswered(tab);
  },

  "erin completes her registration": async (tab, { anteroom, manner }) => {
    await tab.goto("/sign-in");
    await follow(tab, "a[href^='/complete-registration']");
    await stops(tab, "complete-registration", manner);
    await tab.goto(await invitation(anteroom));
    await stops(tab, "invitation", manner);
    await send(tab, "/register");
    await stops(tab, "add-phone", manner);
    await addPhone(tab, ERINS_LANDLINE, "landline");
    await stops(tab, "verify-identity", manner);
    await verify(tab, anteroom, "call", ERINS_LANDLINE);
    await stops(tab, "add-phone", manner);
    await addPhone(tab, ERINS_CELL, "cell");
    await verify(tab, anteroom, "text", ERINS_CELL);
    await send(tab, "/register/phones-done");
    await stops(tab, "new-password", manner);
    await looksBack(tab);
    await choosePassword(tab, NEW_PASSWORD);
    await dashboardOf(tab, "erin");
  },

  "frank has no phone, and remembers the password on the way to an application": async (tab, place) => {
    await tab.goto(app.request());
    const { link } = await forgets(tab, place, "frank");
    await tab.goto(link);
    await send(tab, "/recover");
    await stops(tab, "no-phone", place.manner);
    await follow(tab, ".ahead a");
    await stops(tab, null, place.manner);
    assert.match(await tab.locator(".lead").first().innerText(), /Demo native application/);
    await signInHere(tab, "frank");
    await isAnswered(tab);
  },
};

for (const manner of MANNERS) {
  const anteroom = await demo();
  journeys(manner.name, { ...anteroom, ...optionsOf(manner) }, (journey) => {
    for (const [name, walk] of Object.entries(JOURNEYS)) journey(name, (tab) => walk(tab, { anteroom, manner }));
  });
}
