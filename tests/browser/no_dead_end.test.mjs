// Refresh and Back on every page; lost cookies, an outdated form, a sign-out in another tab and a double click for every
// form. Each ends on a page that says what happened and leads on. The forms on the way to a new password and through a
// registration have a file of their own.

import assert from "node:assert/strict";
import test, { after } from "node:test";
import { demo, page } from "./harness.mjs";
import { application } from "./harness/application.mjs";
import { journeys } from "./harness/journeys.mjs";
import { applicationsOf, outdate, PAGES } from "./harness/pages.mjs";
import { address, going, leadsOn, PASSWORD, signedIn, signInHere } from "./harness/practice.mjs";

const anteroom = await demo();
const app = await application(after);

let applications;
test("the sample applications are there", async (t) => {
  const tab = await page(t, anteroom);
  await signedIn(tab, "alice");
  applications = await applicationsOf(tab);
});

const SIGN_IN = "form[action='/sign-in'] [type=submit]";
const SIGN_OUT = "form[action='/sign-out'] button";
const FIRST_CHOICE = ".choices button >> nth=0";

const DASHBOARD = /^Welcome, Alice/;
const APPLICATION = /^Answered$/;
const OUT = /^You are signed out$/;
const ASKED = /^Sign In$/;
const REFUSED = /^You cannot open this application$/;
// The application lost its cookie, too.
const OTHER_BROWSER = /^This sign-in began in another browser$/;
const CODE = /^Verify your identity$/;

// For every page with a form: its button; where it ends after all cookies were lost, and after the person has signed in
// again if that is asked; where after signing out in another tab (where anybody is signed in); where a double click ends.
const FORMS = {
  "sign-in": { button: SIGN_IN, lost: DASHBOARD, twice: DASHBOARD },
  "sign-in-for-application": { button: SIGN_IN, lost: APPLICATION, twice: APPLICATION },
  "sign-in-refused": { button: SIGN_IN, lost: DASHBOARD, twice: DASHBOARD },
  "sign-in-again": { button: SIGN_IN, lost: APPLICATION, out: APPLICATION, twice: APPLICATION },
  "dashboard": { button: SIGN_OUT, lost: OUT, out: OUT, twice: OUT },
  "choose-account": { button: FIRST_CHOICE, lost: ASKED, then: DASHBOARD, out: ASKED, twice: DASHBOARD },
  "choose-account-for-application": {
    button: FIRST_CHOICE, lost: ASKED, then: APPLICATION, out: ASKED, twice: APPLICATION,
  },
  "consent": { button: "[value=allow]", lost: ASKED, then: /^Allow /, out: ASKED, twice: APPLICATION },
  "not-entitled": {
    button: "form[action='/not-entitled'] button", lost: ASKED, then: OTHER_BROWSER, out: ASKED, twice: REFUSED,
  },
  "password-expired": { button: "form[action='/expired-password'] button", lost: ASKED, twice: CODE },
  "sign-out": { button: SIGN_OUT, lost: OUT, out: OUT, twice: OUT },
  "form-post": { button: "#form-post button", lost: APPLICATION, out: APPLICATION, twice: APPLICATION },
};

/** Opens one of the pages in a browser that came from somewhere. */
async function open(tab, name) {
  await tab.goto("/signed-out");
  await tab.context().clearCookies();
  await PAGES[name]({ tab, app, anteroom, applications });
}

/** Back. To a page that came in answer to a form browsers go only when they may send the form again: yes. */
async function back(tab) {
  await tab.goBack().catch(async (error) => {
    assert.match(error.message, /ERR_CACHE_MISS/);
    await tab.waitForURL("chrome-error://**");
    await tab.reload();
  });
}

/** Presses the page's button, with what a person would have entered. */
function submit(tab, { button }) {
  return button === SIGN_IN ? signInHere(tab, "alice") : going(tab, () => tab.locator(button).click());
}

journeys("every page", anteroom, (journey) => {
  // A letter looks as it does in its reader's mail program, which has ways of its own.
  for (const name of Object.keys(PAGES).filter((name) => name !== "outbox-email")) {
    journey(`${name}: refresh, Back, and the link of an error page`, async (tab) => {
      await open(tab, name);
      const heading = await leadsOn(tab);
      await tab.reload();
      assert.equal(await leadsOn(tab), heading);
      if (name.startsWith("error-")) {
        assert.equal(await tab.locator("h1").getAttribute("id"), name);
        const answer = await going(tab, () => tab.locator("#forward").click());
        assert.equal(answer.status(), 200);
        assert.equal(new URL(tab.url()).origin, anteroom.url);
        await leadsOn(tab);
      }
      await back(tab);
      await leadsOn(tab);
    });
  }
});

journeys("every form", anteroom, (journey) => {
  for (const [name, form] of Object.entries(FORMS)) {
    journey(`${name}: all cookies are lost`, async (tab) => {
      await open(tab, name);
      await tab.context().clearCookies();
      await submit(tab, form);
      if (form.button === SIGN_IN) {
        // A browser that has lost its cookies looks like one that keeps none, until it sends the next ones back.
        assert.match(await tab.locator("#problem").innerText(), /keeps no cookies/);
        await submit(tab, form);
      }
      assert.match(await leadsOn(tab), form.lost);
      if (!form.then) return;
      await signInHere(tab, "alice");
      assert.match(await leadsOn(tab), form.then);
    });

    // The last step is the application's own form: there is nothing of ours in it that could be outdated.
    if (name !== "form-post") {
      journey(`${name}: the form is out of date`, async (tab) => {
        await open(tab, name);
        await outdate(tab);
        await submit(tab, form);
        const heading = await leadsOn(tab);
        if (form.button === SIGN_IN) {
          assert.match(await tab.locator("#problem").innerText(), /out of date/);
          assert.equal(await tab.locator("[name=email]").inputValue(), address("alice"));
          await submit(tab, form);
          assert.match(await leadsOn(tab), form.lost);
        } else {
          assert.equal(heading, "This page was out of date");
          await going(tab, () => tab.locator("#forward").click());
          await leadsOn(tab);
        }
      });
    }

    if (form.out) {
      journey(`${name}: signed out in another tab`, async (tab) => {
        await open(tab, name);
        const other = await tab.context().newPage();
        await other.goto("/dashboard");
        await going(other, () => other.locator(SIGN_OUT).click());
        await submit(tab, form);
        assert.match(await leadsOn(tab), form.out);
      });
    }

    journey(`${name}: a double click`, async (tab) => {
      await open(tab, name);
      if (form.button === SIGN_IN) {
        await tab.locator("[name=email]").fill(address("alice"));
        await tab.locator("[name=password]").fill(PASSWORD);
      }
      await tab.locator(form.button).dblclick();
      await tab.locator("h1", { hasText: form.twice }).waitFor();
      await tab.waitForLoadState();
      assert.match(await leadsOn(tab), form.twice);
    });
  }
});
