// The pages on the ways of `ways.mjs`. Codes are sent to a phone only so often, so a browser comes to such a page once;
// after that it comes back with the cookies it had, as people do by a bookmark.

import { address, going, PASSWORD, signedIn } from "./practice.mjs";
import { signIn } from "./sign_in.mjs";
import {
  addPhone, ask, CELLS, choosePassword, enterCode, invitation, mailed, NEW_PASSWORD, send, sendAgain, sendCode, toPhones,
  toVerification, verify,
} from "./ways.mjs";

const ERINS_CELL = "+12025550199";
const ERINS_LANDLINE = "+12025550198";

/** By name, as in `pages.mjs`. Alice is half-way, carol at the end, bob impatient, frank without a phone. */
export const PAGES_OF_WAYS = {
  "forgot-password": ({ tab }) => tab.goto("/forgot-password"),
  "forgot-password-for-application": async ({ tab, app }) => {
    await tab.goto(app.request());
    await going(tab, () => tab.locator("a[href^='/forgot-password']").first().click());
  },
  "forgot-password-missing": async ({ tab }) => {
    await tab.goto("/forgot-password");
    await ask(tab, "");
  },
  "recovery-asked": once("recovery-asked", async ({ tab }) => {
    await tab.goto("/forgot-password");
    await ask(tab, address("nobody"));
  }),
  "recovery-asked-wrong": async (place) => {
    await PAGES_OF_WAYS["recovery-asked"](place);
    await place.tab.locator("[name=code]").fill("AAAAA-AAAAA");
    await send(place.tab, "/recover/code");
  },
  "recovery-link": once("recovery-link", async ({ tab, anteroom }) => {
    await tab.goto("/forgot-password");
    const { link } = await mailed(tab, anteroom, "carol");
    await tab.goto(link);
  }),
  "error-link-dead": async ({ tab }) => {
    await tab.goto("/recover?token=AAAA");
    await send(tab, "/recover");
  },
  "verify-identity": once("verify-identity", ({ tab, anteroom }) => toVerification(tab, anteroom, "alice")),
  "enter-code": once("enter-code", async ({ tab, anteroom }) => {
    await toVerification(tab, anteroom, "alice");
    await sendCode(tab, anteroom, "text", CELLS.alice);
  }),
  "enter-code-wrong": async (place) => {
    await PAGES_OF_WAYS["enter-code"](place);
    await enterCode(place.tab, "not a code");
  },
  "enter-code-again": once("enter-code-again", async ({ tab, anteroom }) => {
    await toVerification(tab, anteroom, "bob");
    await sendCode(tab, anteroom, "call", CELLS.bob);
    for (let time = 0; time < 2; time += 1) await sendAgain(tab, anteroom, "call", CELLS.bob);
  }),
  "new-password": once("new-password", async ({ tab, anteroom }) => {
    await toVerification(tab, anteroom, "alice");
    await verify(tab, anteroom, "text", CELLS.alice);
  }),
  "new-password-mismatch": async (place) => {
    await PAGES_OF_WAYS["new-password"](place);
    await choosePassword(place.tab, NEW_PASSWORD, "something else");
  },
  "password-changed": once("password-changed", async ({ tab, anteroom }) => {
    await toVerification(tab, anteroom, "carol");
    await verify(tab, anteroom, "text", CELLS.carol);
    await choosePassword(tab, NEW_PASSWORD);
  }),
  "no-phone": once("no-phone", ({ tab, anteroom }) => toVerification(tab, anteroom, "frank")),
  "password-expired": ({ tab }) => expired(tab),
  "verify-identity-expired": once("verify-identity-expired", async ({ tab }) => {
    await expired(tab);
    await send(tab, "/expired-password");
  }),
  "verify-identity-step-up": async ({ tab, app }) => {
    await signedIn(tab, "alice");
    const claims = { id_token: { acr: { essential: true, value: "urn:anteroom:acr:mfa" } } };
    await tab.goto(app.request({ claims: JSON.stringify(claims) }));
  },
  "change-password": once("change-password", async ({ tab, anteroom }) => {
    await signedIn(tab, "alice");
    await tab.goto("/change-password");
    await verify(tab, anteroom, "text", CELLS.alice);
  }),
  "complete-registration": ({ tab }) => tab.goto("/complete-registration"),
  "complete-registration-asked": async ({ tab }) => {
    await tab.goto("/complete-registration");
    await tab.locator("[name=email]").fill(address("nobody"));
    await send(tab, "/complete-registration");
  },
  "invitation": async ({ tab, anteroom }) => tab.goto(await invitation(anteroom)),
  "add-phone": once("add-phone", ({ tab, anteroom }) => toPhones(tab, anteroom)),
  "error-registration-interrupted": async (place) => {
    await PAGES_OF_WAYS["add-phone"](place);
    await place.tab.context().clearCookies();
    await addPhone(place.tab, ERINS_CELL, "cell");
  },
  "add-phone-refused": async (place) => {
    await PAGES_OF_WAYS["add-phone"](place);
    await addPhone(place.tab, "555", "cell");
  },
  "verify-identity-registration": once("verify-identity-registration", async ({ tab, anteroom }) => {
    await toPhones(tab, anteroom);
    await addPhone(tab, ERINS_LANDLINE, "landline");
  }),
  "add-phone-another": once("add-phone-another", async ({ tab, anteroom }) => {
    await toPhones(tab, anteroom);
    await addPhone(tab, ERINS_CELL, "cell");
    await verify(tab, anteroom, "text", ERINS_CELL);
  }),
  // In the browser that has verified the phone: any other is asked for a code to it first.
  "new-password-registration": once("new-password-registration", async (place) => {
    await PAGES_OF_WAYS["add-phone-another"](place);
    const done = "/register/phones-done";
    // Where an earlier test has gone on in that browser, its page leads here by itself.
    if (await place.tab.locator(`form[action='${done}']`).count()) await send(place.tab, done);
  }),
};

const places = new WeakMap();

function once(name, lead) {
  return async (place) => {
    const { tab, anteroom } = place;
    if (!places.has(anteroom)) places.set(anteroom, new Map());
    const reached = places.get(anteroom);
    const before = reached.get(name);
    if (before) {
      await tab.context().addCookies(before.cookies);
      await tab.goto(before.url);
      return;
    }
    await lead(place);
    reached.set(name, { url: tab.url(), cookies: await tab.context().cookies() });
  };
}

async function expired(tab) {
  await tab.goto("/sign-in");
  await signIn(tab, address("dave"), PASSWORD);
}
