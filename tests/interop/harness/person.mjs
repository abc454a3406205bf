// Alice, who works here: how she joined, and what she does at Anteroom's pages when an application sends her there.

import { setTimeout as pause } from "node:timers/promises";
import { Browser } from "./browser.mjs";

export const ALICE = {
  email: "alice@practice.example",
  given_name: "Alice",
  family_name: "Example",
  password: "lemon-tide-harbor-92",
  phone: "(202) 555-0143",
};

const PATIENCE = 30_000;
const BETWEEN = 50;

/** Completes her registration: a phone, the code that comes to it, a password. */
export async function register(issuer) {
  const browser = new Browser();
  const { link } = await received(issuer, ({ to, link }) => to === ALICE.email && link);
  let page = await browser.submit(await browser.open(link), "/register");
  page = await browser.submit(page, "/register/phone", { phone: ALICE.phone, phone_kind: "cell" });
  const method = page.html.querySelector("[name=method][value^='text:']").getAttribute("value");
  page = await browser.submit(page, "/verify/send", { method });
  const { code } = await received(issuer, ({ channel, code }) => channel === "text" && code);
  page = await browser.submit(page, "/verify/code", { code });
  page = await browser.submit(page, "/register/phones-done");
  const { password } = ALICE;
  page = await browser.submit(page, "/new-password", { new_password: password, confirm_password: password });
  if (page.url.pathname !== "/dashboard") throw new Error(`the registration ended at ${page.url}: ${page.gist}`);
}

async function received(issuer, wanted) {
  for (const end = Date.now() + PATIENCE; Date.now() < end; await pause(BETWEEN)) {
    const found = (await (await fetch(`${issuer}/dev/outbox.json`)).json()).find(wanted);
    if (found) return found;
  }
  throw new Error("a message does not come");
}

/** What she does where a page has this form. */
const DOES = {
  "/sign-in": { email: ALICE.email, password: ALICE.password },
  "/consent": { decision: "allow" },
  "/sign-out": {},
};

/**
 * Goes to `address` and does what the pages ask, until an address of the application's that begins with `until`; without it,
 * until a page asks nothing. Returns where that is, and the `form` that was sent there if it was no redirect. `met` are the
 * forms she sent.
 */
export async function walk(browser, address, until) {
  const met = [];
  let at = await browser.open(address, { until });
  while (at.html) {
    const action = asks(at.html);
    if (!action && !until) break;
    if (!action || met.includes(action)) throw new Error(`no way on from ${at.url}: ${at.gist}`);
    met.push(action);
    at = await browser.submit(at, action, DOES[action], { until });
  }
  return { ...at, met };
}

function asks(html) {
  const posted = html.querySelector("form#form-post");
  if (posted) return posted.getAttribute("action");
  return Object.keys(DOES).find((action) => html.querySelector(`form[action="${action}"]`));
}
