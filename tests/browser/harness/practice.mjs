// The demo's people and tiles, and what journeys ask of any page.

import assert from "node:assert/strict";
import { setTimeout as pause } from "node:timers/promises";
import { signIn } from "./sign_in.mjs";

export const PASSWORD = "Anteroom-demo-1";
export const TILES = ["Schedule", "Patient Forms", "Secure Mail", "Imaging", "Analytics"];
export const BOBS_TILES = ["Schedule", "Patient Forms", "Secure Mail"];

export const address = (person) => `${person}@demo.example`;

/** Signs one of the demo's people in at the sign-in page that is open. */
export const signInHere = (tab, person) => signIn(tab, address(person), PASSWORD);

/** Signs `person` in, not on the way to any application, and sees that it is their dashboard that comes. */
export async function toDashboard(tab, person) {
  await tab.goto("/sign-in");
  await signInHere(tab, person);
  await dashboardOf(tab, person);
}

/** Signs `person` in without showing a page: for journeys that begin with somebody signed in. */
export async function signedIn(tab, person) {
  const { request } = tab.context();
  const page = await (await request.get("/sign-in?another=1")).text();
  const [, token] = page.match(/name="form_token" value="([^"]+)"/);
  const form = { email: address(person), password: PASSWORD, form_token: token };
  const answer = await request.post("/sign-in", { form, maxRedirects: 0 });
  assert.equal(answer.headers().location, "/dashboard", `${person} signs in`);
}

/** Fails unless the dashboard shown is that of `person`. */
export async function dashboardOf(tab, person) {
  assert.equal(new URL(tab.url()).pathname, "/dashboard");
  assert.equal(await tab.locator("#signed-in-as").textContent(), address(person));
}

/** The names on the tiles, in their order. */
export const tiles = (tab) => tab.locator("#tiles a").allTextContents();

/** Opens the tile `name` in a tab of its own, as people do with the wheel or Ctrl. Returns that tab. */
export async function openTile(tab, name) {
  const opened = tab.context().waitForEvent("page");
  await tab.getByRole("link", { name, exact: true }).click({ modifiers: ["Control"] });
  const application = await opened;
  // A tab may be told of before it has left its empty page.
  await application.waitForURL((url) => url.protocol !== "about:");
  return application;
}

/** Where an application itself lives: the tile of somebody signed in, followed no further than its first address. */
export async function addressOfApplication(tab, client) {
  const answer = await tab.context().request.get(`/open/${client}`, { maxRedirects: 0 });
  return `${new URL(answer.headers().location).origin}/`;
}

/** Fails unless `tab` shows an application that greets `person`. */
export async function greets(tab, person) {
  const name = `${person[0].toUpperCase()}${person.slice(1)}`;
  assert.equal(await tab.locator("#greeting").textContent(), `Welcome, ${name}`, tab.url());
}

/** Fails unless the page shown is Anteroom's sign-in form. */
export async function asksToSignIn(tab, anteroom) {
  assert.equal(new URL(tab.url()).origin, anteroom.url);
  await tab.locator("form [name=password]").waitFor();
}

/**
 * Fails unless the page says what happened (one heading) and leads on (a link or a button that can be seen), and, where
 * it is an error page, carries a reference. Returns the heading.
 */
export async function leadsOn(tab) {
  const headings = tab.locator("h1");
  assert.equal(await headings.count(), 1, `headings of ${tab.url()}`);
  const heading = (await headings.innerText()).trim();
  assert.notEqual(heading, "", tab.url());
  const ways = tab.locator("a[href]:not(.skip), button").filter({ visible: true });
  assert.notEqual(await ways.count(), 0, `nothing leads on from "${heading}" at ${tab.url()}`);
  const isError = (await headings.getAttribute("id"))?.startsWith("error-");
  if (isError) assert.match(await tab.locator("#reference").innerText(), /^\S{6,}$/, "the reference");
  return heading;
}

/** Does what makes the browser go somewhere else, and returns when it has arrived. */
export async function going(tab, act) {
  const [answer] = await Promise.all([tab.waitForNavigation({ waitUntil: "load" }), act()]);
  return answer;
}

const PATIENCE = 30_000;
const BETWEEN = 25;

/** Asks again until the answer is yes: for what happens beside the browser, such as a message from server to server. */
export async function eventually(what, holds) {
  const end = Date.now() + PATIENCE;
  while (!(await holds())) {
    assert.ok(Date.now() < end, `waited in vain for ${what}`);
    await pause(BETWEEN);
  }
}

/** Fails unless the page shown is the one whose heading has this `id`. */
export async function isAt(tab, id) {
  assert.equal(await tab.locator("h1").getAttribute("id"), id, `${tab.url()}: ${await tab.locator("h1").innerText()}`);
}
