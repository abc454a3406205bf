// What `no_dead_end.test.mjs` asks of forms, asked of those on the way to a new password, past a code and through a
// registration: lost cookies, an outdated form, a sign-out in another tab, a double click. Back and refresh are there.

import assert from "node:assert/strict";
import { after } from "node:test";
import { demo } from "./harness.mjs";
import { application } from "./harness/application.mjs";
import { journeys } from "./harness/journeys.mjs";
import { outdate } from "./harness/pages.mjs";
import { PAGES_OF_WAYS } from "./harness/pages_of_ways.mjs";
import { address, dashboardOf, going, leadsOn } from "./harness/practice.mjs";
import { signIn } from "./harness/sign_in.mjs";
import { CELLS, NEW_PASSWORD, sendCode, toVerification } from "./harness/ways.mjs";

const anteroom = await demo();
const app = await application(after);

const CHECK = "Check your email";
const VERIFY = "Verify your identity";
const ENTER = "Enter your code";
const IN = "Sign In";
const PHONE = "Add a phone";
const ELSEWHERE = "This browser did not ask for the email";
const INTERRUPTED = "Your registration was interrupted";
const NO_COOKIES = "Your browser keeps no cookies";

// For every page: its form and what is entered there (`page`: where its name is that of another form already); where it
// ends after all cookies were lost (`then`: and once more, with the cookie of that answer), where after signing out in
// another tab (where a person is signed in), where a double click ends.
const FORMS = {
  "forgot-password": { form: "/forgot-password", enter: { email: address("nobody") }, lost: CHECK, twice: CHECK },
  "recovery-asked": { form: "/recover/code", enter: { code: "AAAAA-AAAAA" }, lost: ELSEWHERE, twice: CHECK },
  "recovery-asked-again": { page: "recovery-asked", form: "/forgot-password", lost: CHECK, twice: CHECK },
  // Once is enough for all browsers.
  "recovery-link": { form: "/recover", lost: NO_COOKIES, then: "This link no longer works", twice: VERIFY, twiceFirst: true },
  "verify-identity": { form: "/verify/send", lost: IN },
  "enter-code": { form: "/verify/code", enter: { code: "not a code" }, lost: IN, twice: ENTER },
  "enter-code-resend": { page: "enter-code", form: "/verify/send", lost: IN },
  "new-password": { form: "/new-password", enter: passwords("short"), lost: IN, twice: "Choose a new password" },
  "verify-identity-expired": { form: "/verify/send", lost: IN, twice: ENTER },
  "verify-identity-step-up": { form: "/verify/send", lost: IN, out: IN, twice: ENTER },
  // Behind a code, which is sent only so often: its session has to go on, so that nobody signs out of it here.
  "change-password": { form: "/new-password", enter: passwords("short"), lost: IN, twice: "Choose a new password" },
  "complete-registration": {
    form: "/complete-registration", enter: { email: address("nobody") }, lost: "Complete your registration",
    twice: "Complete your registration",
  },
  "invitation": { form: "/register", lost: NO_COOKIES, then: PHONE, twice: PHONE },
  "add-phone": { form: "/register/phone", enter: { phone: "(202) 555-0197" }, check: "cell", lost: INTERRUPTED, twice: VERIFY },
  "verify-identity-registration-send": { page: "verify-identity-registration", form: "/verify/send", lost: IN },
  "verify-identity-registration": { form: "/register/phone/another", lost: INTERRUPTED, twice: PHONE },
  "add-phone-another": { form: "/register/phones-done", lost: INTERRUPTED, twice: "Choose a password" },
  "new-password-registration": { form: "/new-password", enter: passwords("short"), lost: IN, twice: "Choose a password" },
};

function passwords(password) {
  return { new_password: password, confirm_password: password };
}

/** In a browser that came from somewhere. */
async function open(tab, name, { page = name } = {}) {
  await tab.goto("/signed-out");
  await tab.context().clearCookies();
  await PAGES_OF_WAYS[page]({ tab, app, anteroom });
}

async function fill(tab, { form, enter = {}, check }) {
  const shown = tab.locator(`form[action='${form}']`).first();
  for (const [field, value] of Object.entries(enter)) await shown.locator(`[name=${field}]`).fill(value);
  if (check) await shown.locator(`[value=${check}]`).check();
  return shown.locator("[type=submit]");
}

async function submit(tab, form) {
  const button = await fill(tab, form);
  await going(tab, () => button.click());
}

journeys("every form", anteroom, (journey) => {
  for (const [name, form] of Object.entries(FORMS)) {
    if (form.twiceFirst) twice(journey, name, form);
    journey(`${name}: the form is out of date, or all cookies are lost`, async (tab) => {
      await open(tab, name, form);
      await outdate(tab);
      await submit(tab, form);
      if (await tab.locator("#problem").count()) {
        assert.match(await tab.locator("#problem").innerText(), /out of date/);
        await submit(tab, form);
      } else {
        assert.equal(await leadsOn(tab), "This page was out of date");
        await going(tab, () => tab.locator("#forward").click());
      }
      await leadsOn(tab);
      await open(tab, name, form);
      await tab.context().clearCookies();
      await submit(tab, form);
      assert.equal(await leadsOn(tab), form.lost);
      if ([ELSEWHERE, INTERRUPTED, NO_COOKIES].includes(form.lost)) await going(tab, () => tab.locator("#forward").click());
      await leadsOn(tab);
      if (!form.then) return;
      await submit(tab, form);
      assert.equal(await leadsOn(tab), form.then);
    });

    if (form.out) {
      journey(`${name}: signed out in another tab`, async (tab) => {
        await open(tab, name, form);
        const other = await tab.context().newPage();
        await other.goto("/dashboard");
        await going(other, () => other.locator("form[action='/sign-out'] button").click());
        await submit(tab, form);
        assert.equal(await leadsOn(tab), form.out);
      });
    }
    if (form.twice && !form.twiceFirst) twice(journey, name, form);
  }

  journey("the last steps, each taken twice at once", async (tab) => {
    await toVerification(tab, anteroom, "carol");
    const code = await sendCode(tab, anteroom, "text", CELLS.carol);
    await doublePress(tab, { form: "/verify/code", enter: { code } }, "Choose a new password");
    // Chromium sends a form only once, whatever is clicked; the second press is another tab's, at the same time.
    const other = await tab.context().newPage();
    await other.goto(tab.url());
    const presses = [tab, other].map((each) => submit(each, { form: "/new-password", enter: passwords(NEW_PASSWORD) }));
    await Promise.all(presses);
    for (const each of [tab, other]) assert.equal(await leadsOn(each), "Your password is changed");
    await tab.goto("/sign-in");
    await signIn(tab, address("carol"), NEW_PASSWORD);
    await dashboardOf(tab, "carol");
    // What was done with cannot be done again.
    await tab.goBack();
    await leadsOn(tab);
  });
});

function twice(journey, name, form) {
  journey(`${name}: a double click`, async (tab) => {
    await open(tab, name, form);
    await doublePress(tab, form, form.twice);
  });
}

async function doublePress(tab, form, ends) {
  await (await fill(tab, form)).dblclick();
  await tab.locator("h1", { hasText: ends }).waitFor();
  await tab.waitForLoadState();
  assert.equal(await leadsOn(tab), ends);
}
