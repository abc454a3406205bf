// mod_auth_openidc (https://github.com/OpenIDC/mod_auth_openidc), certified as a relying party, in front of a page that shows
// the claims: with a client of its configuration, and with one that it registers itself.

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import test from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { adapted, apache, prepared } from "./harness/apache.mjs";
import { Browser } from "./harness/browser.mjs";
import { metadataOf } from "./harness/clients.mjs";
import { ISSUER, register } from "./harness/issuer.mjs";
import { ALICE, walk } from "./harness/person.mjs";

const PATIENCE = 30_000;
const BETWEEN = 50;

const place = await prepared("known", "unknown");
const { known, unknown } = place.sites;
const callback = ({ url }) => `${url}/app/callback`;

const client = await register(metadataOf("schedule.toml", "https://schedule.practice.example", known.url));

const PASSPHRASE = randomBytes(32).toString("hex");
const TELLS = "OIDCInfoHook access_token id_token refresh_token userinfo";

/** The book's settings, for this provider and this client. */
const settings = adapted("schedule.conf", {
  "https://id.practice.example": ISSUER,
  "OIDCClientID schedule": `OIDCClientID ${client.client_id}`,
  SECRET: client.client_secret,
  "https://schedule.practice.example": known.url,
  PASSPHRASE,
});

await apache(place, {
  known: [settings, TELLS],
  unknown: [
    `OIDCRedirectURI ${callback(unknown)}`,
    `OIDCCryptoPassphrase ${PASSPHRASE}`,
    `OIDCDefaultLoggedOutURL ${unknown.url}/bye.html`,
    `OIDCPKCEMethod S256`,
    `OIDCRemoteUserClaim email`,
    `OIDCMetadataDir ${unknown.folder}`,
    `OIDCScope "openid profile email"`,
    `OIDCClientName Apache`,
    TELLS,
  ],
});

async function signedIn(address) {
  const browser = new Browser();
  const page = await walk(browser, address);
  assert.equal(page.status, 200, page.gist);
  return { browser, page };
}

const shown = (page, id) => page.html.querySelector(`#${id}`).textContent;

function showsAlice(page) {
  assert.equal(shown(page, "given_name"), ALICE.given_name);
  assert.match(shown(page, "user"), new RegExp(`^${ALICE.email}`));
}

const info = async (browser, site) => JSON.parse((await browser.open(`${callback(site)}?info=json`)).text);

/** Whether the page is still open to her. */
async function isIn(browser, site) {
  const { html } = await browser.open(`${site.url}/app/`, { until: `${ISSUER}/authorize` });
  return Boolean(html?.querySelector("#sub"));
}

test("sign-in, claims, refresh, and sign-out at the application", async () => {
  const { browser, page } = await signedIn(`${known.url}/app/`);
  assert.deepEqual(page.met, ["/sign-in", "/consent"]);
  showsAlice(page);
  const before = await info(browser, known);
  assert.equal(before.userinfo.sub, shown(page, "sub"));

  const query = new URLSearchParams({ refresh: `${known.url}/app/`, access_token: before.access_token });
  const again = await browser.open(`${callback(known)}?${query}`);
  assert.equal(again.url.searchParams.get("error_code"), null);
  const after = await info(browser, known);
  assert.notEqual(after.access_token, before.access_token);
  assert.notEqual(after.refresh_token, before.refresh_token);

  const bye = await walk(browser, `${callback(known)}?${new URLSearchParams({ logout: `${known.url}/bye.html` })}`);
  assert.deepEqual([bye.url.pathname, bye.met], ["/bye.html", []]);
  assert.equal(await isIn(browser, known), false);
  assert.deepEqual((await walk(browser, `${known.url}/app/`)).met, ["/sign-in"], "consent is remembered, the session is not");
});

test("a sign-out at Anteroom ends the application's session over the back channel", async () => {
  const { browser } = await signedIn(`${known.url}/app/`);
  assert.equal(await isIn(browser, known), true);
  await browser.submit(await browser.open(`${ISSUER}/dashboard`), "/sign-out");
  for (const end = Date.now() + PATIENCE; await isIn(browser, known); await pause(BETWEEN)) {
    assert.ok(Date.now() < end, "the application does not hear of it");
  }
});

test("a provider that it discovers, a client that it registers by itself, and front-channel logout", async () => {
  const browser = new Browser();
  const choice = await browser.open(`${unknown.url}/app/`);
  const fields = choice.html.querySelectorAll("input[type=hidden]").map(({ attributes }) => [attributes.name, attributes.value]);
  const query = new URLSearchParams([...fields, ["iss", ISSUER]]);
  const page = await walk(browser, `${callback(unknown)}?${query}`);
  assert.deepEqual(page.met, ["/sign-in", "/consent"]);
  showsAlice(page);

  // The session at the application goes before the browser gets to Anteroom, so here it is told what it knows.
  const telling = await walk(browser, `${callback(unknown)}?${new URLSearchParams({ logout: `${unknown.url}/bye.html` })}`);
  const frame = new URL(telling.html.querySelector("iframe").getAttribute("src"));
  assert.deepEqual([frame.searchParams.get("logout"), frame.searchParams.get("iss")], ["get", ISSUER]);
  assert.equal((await browser.open(frame)).status, 200);
  assert.equal((await browser.open(telling.html.querySelector("#continue").getAttribute("href"))).url.pathname, "/bye.html");
  assert.equal(await isIn(browser, unknown), false);
});
