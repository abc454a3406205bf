// A reset that is finished elsewhere, two of them at once, somebody else signed in, nobody to call: none is a dead end, and
// none opens what is not one's own.

import assert from "node:assert/strict";
import { after } from "node:test";
import { demo, page } from "./harness.mjs";
import { answered, application } from "./harness/application.mjs";
import { journeys } from "./harness/journeys.mjs";
import { signIn } from "./harness/sign_in.mjs";
import { address, asksToSignIn, dashboardOf, going, isAt, signedIn, signInHere } from "./harness/practice.mjs";
import {
  ask, CELLS, choosePassword, enterCode, LANDLINES, mailed, NEW_PASSWORD, send, sendCode, toVerification, verify,
} from "./harness/ways.mjs";

const anteroom = await demo();
const app = await application(after);
const anotherBrowser = (t) => page(t, anteroom);

async function asksFor(tab, person) {
  await going(tab, () => tab.locator("a[href^='/forgot-password']").first().click());
  return mailed(tab, anteroom, person);
}

/** Opens the link of a mail and presses its button. */
async function presses(tab, { link }) {
  await tab.goto(link);
  await send(tab, "/recover");
}

journeys("a reset", anteroom, (journey) => {
  journey("finished in another browser: the tab that waits offers to go on to its application", async (tab, t) => {
    await tab.goto(app.request());
    const mail = await asksFor(tab, "bob");
    const other = await anotherBrowser(t);
    await presses(other, mail);
    await verify(other, anteroom, "text", CELLS.bob);
    await choosePassword(other, NEW_PASSWORD);
    await isAt(other, "password-changed");
    await other.locator("#elsewhere").waitFor();
    await other.locator("#forward").click();
    await asksToSignIn(other, anteroom);
    const continueLink = tab.locator("#waiting a");
    await continueLink.waitFor();
    await going(tab, () => continueLink.click());
    assert.equal(await tab.locator("[name=email]").inputValue(), address("bob"));
    await signIn(tab, address("bob"), NEW_PASSWORD);
    assert.equal((await answered(tab)).state, "a-state");
  });

  journey("twice at once, in two browsers: the second to finish is led on, and changes nothing", async (tab, t) => {
    const other = await anotherBrowser(t);
    for (const each of [tab, other]) await toVerification(each, anteroom, "carol");
    const codes = [];
    for (const each of [tab, other]) codes.push(await sendCode(each, anteroom, "text", CELLS.carol));
    for (const [number, each] of [tab, other].entries()) await enterCode(each, codes[number]);
    for (const each of [tab, other]) await isAt(each, "new-password");
    await choosePassword(tab, NEW_PASSWORD);
    await isAt(tab, "password-changed");
    await choosePassword(other, `other-${NEW_PASSWORD}`);
    await asksToSignIn(other, anteroom);
    await signIn(other, address("carol"), NEW_PASSWORD);
    await dashboardOf(other, "carol");
  });

  journey("twice in two tabs: either mail is good", async (tab) => {
    const other = await tab.context().newPage();
    for (const each of [tab, other]) await each.goto("/forgot-password");
    const first = await mailed(tab, anteroom, "alice");
    const second = await mailed(other, anteroom, "alice");
    await presses(tab, first);
    await presses(other, second);
    for (const each of [tab, other]) await isAt(each, "verify-identity");
    await sendCode(tab, anteroom, "text", CELLS.alice);
    await isAt(tab, "enter-code");
    await other.reload();
    await isAt(other, "verify-identity");
    await tab.reload();
    await isAt(tab, "enter-code");
  });

  journey("in two tabs of one browser: what one has sent, either takes, and a step that was taken is passed over", async (tab) => {
    await toVerification(tab, anteroom, "alice");
    const other = await tab.context().newPage();
    await other.goto(tab.url());
    const code = await sendCode(tab, anteroom, "text", CELLS.alice);
    await other.reload();
    await isAt(other, "enter-code");
    await enterCode(other, code);
    await isAt(other, "new-password");
    await enterCode(tab, code);
    await isAt(tab, "new-password");
    await tab.goBack();
    await tab.reload();
    await isAt(tab, "new-password");
  });

  journey("in a browser where somebody else is signed in, who stays so", async (tab) => {
    await signedIn(tab, "frank");
    await toVerification(tab, anteroom, "dave");
    await verify(tab, anteroom, "call", LANDLINES.dave);
    await choosePassword(tab, NEW_PASSWORD);
    await isAt(tab, "password-changed");
    await tab.goto("/dashboard");
    await dashboardOf(tab, "frank");
  });

  journey("of an account without a phone: who helps is said, and sign-in goes on", async (tab) => {
    await toVerification(tab, anteroom, "frank");
    await isAt(tab, "no-phone");
    assert.match(await tab.locator("main").innerText(), /in person/);
    await going(tab, () => tab.locator(".ahead a").click());
    await asksToSignIn(tab, anteroom);
    await signInHere(tab, "frank");
    await dashboardOf(tab, "frank");
  });

  journey("by choice, of a password that is too young: the way that is open is named, and the dashboard stays", async (tab) => {
    await signedIn(tab, "frank");
    await tab.goto("/dashboard");
    await going(tab, () => tab.locator("a[href='/change-password']").click());
    await isAt(tab, "new-password");
    await choosePassword(tab, NEW_PASSWORD);
    await dashboardOf(tab, "frank");
    await tab.goto("/change-password");
    await choosePassword(tab, `other-${NEW_PASSWORD}`);
    await tab.locator("#problem").waitFor();
    await tab.locator("main a[href^='/forgot-password']").waitFor();
    await going(tab, () => tab.locator("main a[href='/dashboard']").click());
    await dashboardOf(tab, "frank");
  });

  journey("of an address that nobody has looks like any other, and its code is never right", async (tab) => {
    await tab.goto("/forgot-password");
    await ask(tab, address("nobody"));
    const unknown = await said(tab, "nobody");
    await tab.goto("/forgot-password");
    await mailed(tab, anteroom, "frank");
    assert.equal(await said(tab, "frank"), unknown);
  });
});

/** The page without the address and what is drawn anew for every form. */
async function said(tab, person) {
  const page = await tab.locator("main").innerHTML();
  return page.replaceAll(address(person), "ADDRESS").replace(/[\w.-]{40,}/g, "DRAWN");
}
