// oidc-client-ts (https://github.com/authts/oidc-client-ts) where it lives: in a browser, as a public client. The application is
// on Anteroom's own site, `localhost`, as it has to be for frames to see the session.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";
import { page } from "../browser/harness/browser.mjs";
import { signIn } from "../browser/harness/sign_in.mjs";
import { settings } from "./browser/settings.mjs";
import { application } from "./harness/application.mjs";
import { metadataOf } from "./harness/clients.mjs";
import { ISSUER, register } from "./harness/issuer.mjs";
import { ALICE } from "./harness/person.mjs";

const file = (path, type) => ({ type, body: readFileSync(new URL(path, import.meta.url)) });
const html = file("browser/single_page.html", "text/html");
const library = file("node_modules/oidc-client-ts/dist/browser/oidc-client-ts.min.js", "text/javascript");

/** The application, as a client that asks for this scope. */
async function singlePage(scope, more = {}) {
  const pages = {
    "/": html,
    "/callback": html,
    "/signed-out": html,
    "/oidc-client-ts.js": library,
  };
  const app = await application({ host: "localhost", pages });
  const { client_id } = await register(metadataOf("desk.toml", "https://desk.practice.example", app.url));
  const own = { ...settings(ISSUER, app.url, client_id, scope), automaticSilentRenew: false, ...more };
  pages["/settings.json"] = { type: "application/json", body: JSON.stringify(own) };
  return app;
}

const shown = async (tab) => JSON.parse(await tab.locator("#shown:not(:empty)").textContent());

/** The application in a browser of its own. */
async function opened(t, app) {
  const tab = await page(t, app);
  await tab.goto("/");
  await tab.locator("body[data-ready]").waitFor({ state: "attached" });
  return tab;
}

/** The same, with Alice signed in to it. */
async function signedIn(t, app) {
  const tab = await opened(t, app);
  await Promise.all([tab.waitForURL(`${ISSUER}/**`), tab.evaluate(() => void manager.signinRedirect())]);
  await signIn(tab, ALICE.email, ALICE.password);
  await tab.locator("[name=decision][value=allow]").click();
  await tab.waitForURL(`${app.url}/callback*`);
  const { profile } = await shown(tab);
  assert.deepEqual([profile.email, profile.given_name], [ALICE.email, ALICE.given_name], "userinfo is among it");
  return tab;
}

/** What it holds now, and what it holds after a renewal. */
function renewed(tab) {
  return tab.evaluate(async () => {
    const tokens = (user) => [user.access_token, user.refresh_token, user.profile.sub];
    const before = tokens(await manager.getUser());
    return [before, tokens(await manager.signinSilent())];
  });
}

test("sign-in with PKCE, renewal by refresh token, and sign-out", async (t) => {
  const app = await singlePage("openid profile email offline_access");
  const tab = await signedIn(t, app);
  const [before, after] = await renewed(tab);
  assert.ok(before[1] && after[1]);
  assert.notEqual(after[0], before[0]);
  assert.notEqual(after[1], before[1]);
  assert.equal(after[2], before[2]);

  await Promise.all([tab.waitForURL(`${app.url}/signed-out*`), tab.evaluate(() => void manager.signoutRedirect({ state: "a state" }))]);
  assert.deepEqual(await shown(tab), { signedOut: "a state" });
  await tab.goto(`${ISSUER}/dashboard`);
  await tab.locator("form [name=password]").waitFor();
});

test("renewal in a frame, with prompt=none", async (t) => {
  const app = await singlePage("openid profile email", { revokeTokensOnSignout: true });
  const tab = await signedIn(t, app);
  // An application with a refresh token uses it; one that lost it asks in a frame.
  await tab.evaluate(async () => {
    const user = await manager.getUser();
    delete user.refresh_token;
    await manager.storeUser(user);
  });
  const answers = [];
  tab.on("response", (answer) => answers.push(new URL(answer.url())));
  const [before, after] = await renewed(tab);
  assert.notEqual(after[0], before[0]);
  assert.equal(after[2], before[2]);
  const asked = answers.find(({ pathname }) => pathname === "/authorize");
  assert.equal(asked.searchParams.get("prompt"), "none");

  const revoked = tab.waitForResponse(`${ISSUER}/revoke`);
  await Promise.all([tab.waitForURL(`${app.url}/signed-out*`), tab.evaluate(() => void manager.signoutRedirect())]);
  assert.equal((await revoked).status(), 200);
  // The page is not taken away while it still loads.
  await tab.locator("body[data-ready]").waitFor({ state: "attached" });
});

test("session management: a sign-out in another tab is noticed", async (t) => {
  const app = await singlePage("openid profile email", { monitorSession: true, checkSessionIntervalInSeconds: 1 });
  const tab = await signedIn(t, app);
  const other = await tab.context().newPage();
  await other.goto(`${ISSUER}/dashboard`);
  await other.locator("form[action='/sign-out'] button").click();
  await other.locator("#signed-out").waitFor();
  await tab.locator("#shown", { hasText: "user signed out" }).waitFor();
});

/** Starts a sign-in in a window of its own, goes through with it there, and returns the profile that the application then has. */
async function signedInInWindow(tab) {
  const opened = tab.waitForEvent("popup");
  await tab.evaluate(() => {
    window.begun = manager.signinPopup();
    window.begun.catch(console.error);
  });
  const popup = await opened;
  await signIn(popup, ALICE.email, ALICE.password);
  const closed = popup.waitForEvent("close");
  await popup.locator("[name=decision][value=allow]").click();
  await closed;
  return tab.evaluate(async () => (await window.begun).profile);
}

test("a sign-in in a window of its own", async (t) => {
  const tab = await opened(t, await singlePage("openid profile email"));
  const profile = await signedInInWindow(tab);
  assert.deepEqual([profile.email, profile.given_name], [ALICE.email, ALICE.given_name]);
});

test("a code that is exchanged with the browser's cookies along", async (t) => {
  // Documents that are for everyone are not there with cookies, so the application brings what discovery says.
  const metadata = await (await fetch(`${ISSUER}/.well-known/openid-configuration`)).json();
  const app = await singlePage("openid", { fetchRequestCredentials: "include", loadUserInfo: false, metadata });
  const tab = await opened(t, app);
  const exchanged = tab.waitForResponse((answer) => answer.url() === `${ISSUER}/token` && answer.request().method() === "POST");
  assert.ok((await signedInInWindow(tab)).sub);
  const headers = await (await exchanged).allHeaders();
  assert.deepEqual([headers["access-control-allow-origin"], headers["access-control-allow-credentials"]], [app.url, "true"]);
});
