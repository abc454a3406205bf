// Back, refresh, two tabs, a stale form, a lost cookie, a bookmark, a double click: each ends on a page that says what
// happened and leads on.

import assert from "node:assert/strict";
import test, { after, describe } from "node:test";
import { demo, page, signIn } from "./harness.mjs";
import { answered, application } from "./harness/application.mjs";
import { applicationsOf, outdate, PAGES } from "./harness/pages.mjs";
import {
  address, asksToSignIn, dashboardOf, going, greets, leadsOn, PASSWORD, signInHere, toDashboard,
} from "./harness/practice.mjs";

const anteroom = await demo();
const app = await application(after);
const open = (t) => page(t, anteroom);

let applications;
test("the sample applications are there", async (t) => {
  const tab = await open(t);
  await toDashboard(tab, "alice");
  applications = await applicationsOf(tab);
});

/** The button that carries each page's journey on. Pages without one have nothing to submit. */
const BUTTONS = {
  "sign-in": "main [type=submit]",
  "sign-in-for-application": "main [type=submit]",
  "sign-in-refused": "main [type=submit]",
  "sign-in-again": "main [type=submit]",
  "dashboard": "form[action='/sign-out'] button",
  "choose-account": ".choices button >> nth=0",
  "choose-account-for-application": ".choices button >> nth=0",
  "consent": "[value=allow]",
  "not-entitled": "form[action='/not-entitled'] button",
  "password-expired": "form[action='/expired-password'] button",
  "sign-out": "form[action='/sign-out'] button",
  "form-post": "#form-post button",
};

/** Opens one of the pages in a browser that came from somewhere. */
async function openPage(t, name) {
  const tab = await open(t);
  await tab.goto(app.url);
  await PAGES[name]({ tab, app, anteroom, applications });
  return tab;
}

/** Presses the page's button, with what a person would have entered. */
async function press(tab, name) {
  if (name.startsWith("sign-in")) return signInHere(tab, "alice");
  return going(tab, () => tab.locator(BUTTONS[name]).click());
}

async function signOutElsewhere(tab) {
  const other = await tab.context().newPage();
  await other.goto("/dashboard");
  await going(other, () => other.locator(BUTTONS.dashboard).click());
  await other.close();
}

describe("every page", () => {
  // A letter is shown as its reader's mail program would.
  const pages = Object.keys(PAGES).filter((name) => name !== "outbox-email");
  for (const name of pages) {
    test(`${name}: refresh and Back`, async (t) => {
      const tab = await openPage(t, name);
      await leadsOn(tab);
      await tab.reload();
      const h = await leadsOn(tab);
      await tab.goBack();
      console.log(name, "| reload:", h, "| back:", await leadsOn(tab));
    });
  }
});

describe("every form", () => {
  for (const name of Object.keys(BUTTONS)) {
    test(`${name}: all cookies lost`, async (t) => {
      const tab = await openPage(t, name);
      await tab.context().clearCookies();
      await press(tab, name);
      console.log(name, "lost:", await leadsOn(tab), tab.url().slice(0,60));
    });
    if (name !== "form-post") test(`${name}: out of date`, async (t) => {
      const tab = await openPage(t, name);
      await outdate(tab);
      await press(tab, name);
      const h = await leadsOn(tab), u = tab.url().slice(0, 60);
      if (name.startsWith("sign-in")) await press(tab, name);
      else await going(tab, () => tab.locator("#forward").click());
      console.log(name, "stale:", h, u, "then", await leadsOn(tab), tab.url().slice(0,60));
    });
    test(`${name}: signed out in another tab`, async (t) => {
      const tab = await openPage(t, name);
      await signOutElsewhere(tab).catch(() => {});
      await press(tab, name);
      console.log(name, "out elsewhere:", await leadsOn(tab), tab.url().slice(0,60));
    });
    test(`${name}: double click`, async (t) => {
      const tab = await openPage(t, name);
      const before = tab.url();
      if (name.startsWith("sign-in")) { await tab.locator("[name=email]").fill(address("alice")); await tab.locator("[name=password]").fill(PASSWORD); }
      await Promise.all([tab.waitForURL((u) => u.href !== before || 1 , {waitUntil: "load"}), tab.locator(BUTTONS[name]).dblclick()]);
      await tab.waitForLoadState("networkidle");
      console.log(name, "dbl:", await leadsOn(tab), tab.url().slice(0,60));
    });
  }
});
