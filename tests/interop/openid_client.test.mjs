// openid-client (https://github.com/panva/openid-client), which is certified as a relying party. It registers itself, and
// checks every answer as the specifications ask.

import assert from "node:assert/strict";
import { once } from "node:events";
import test from "node:test";
import express from "express";
import * as oidc from "openid-client";
import { exportJWK, generateKeyPair } from "jose";
import { application } from "./harness/application.mjs";
import { Browser } from "./harness/browser.mjs";
import { ISSUER, logoutToken } from "./harness/issuer.mjs";
import { secretOf } from "./harness/clients.mjs";
import { ALICE, walk } from "./harness/person.mjs";
import { backchannelLogout } from "./node/backchannel_logout.mjs";
import { anteroom, begun, completed, refreshed, signedOut } from "./node/openid_client.mjs";

const app = await application();
const CALLBACK = `${app.url}/callback`;
const SIGNED_OUT = `${app.url}/signed-out`;
const SCOPE = "openid profile email offline_access";

const METADATA = {
  client_name: "openid-client",
  redirect_uris: [CALLBACK],
  post_logout_redirect_uris: [SIGNED_OUT],
  grant_types: ["authorization_code", "refresh_token"],
};

async function registered(metadata, authentication, ...more) {
  const execute = [oidc.allowInsecureRequests, oidc.enableNonRepudiationChecks, ...more];
  return oidc.dynamicClientRegistration(new URL(ISSUER), { ...METADATA, ...metadata }, authentication, { execute });
}

/** A key of the client's own, and what it registers of it. */
async function key(alg) {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
  const jwks = { keys: [{ ...(await exportJWK(publicKey)), kid: "one", use: "sig", alg }] };
  return { key: { key: privateKey, kid: "one" }, jwks };
}

/** The parameters of a request, and what its answer is held against. */
async function asked(parameters = {}) {
  const pkceCodeVerifier = oidc.randomPKCECodeVerifier();
  const checks = { pkceCodeVerifier, expectedNonce: oidc.randomNonce(), expectedState: oidc.randomState(), idTokenExpected: true };
  const request = {
    redirect_uri: CALLBACK,
    scope: SCOPE,
    code_challenge: await oidc.calculatePKCECodeChallenge(pkceCodeVerifier),
    code_challenge_method: "S256",
    nonce: checks.expectedNonce,
    state: checks.expectedState,
    ...parameters,
  };
  return { request, checks };
}

/** What the client is handed at its redirect URI: an address, or a form that was posted there. */
const answer = ({ url, form }) => (form ? new Request(url, { method: "POST", body: form }) : url);

async function isAlice(config, tokens) {
  const { sub } = tokens.claims();
  const person = await oidc.fetchUserInfo(config, tokens.access_token, sub);
  assert.deepEqual([person.email, person.email_verified, person.given_name], [ALICE.email, true, ALICE.given_name]);
}

test("registration, PAR, private_key_jwt, PKCE, userinfo, refresh, and logout at both ends", async () => {
  const { key: own, jwks } = await key("ES256");
  const metadata = {
    jwks,
    token_endpoint_auth_method: "private_key_jwt",
    token_endpoint_auth_signing_alg: "ES256",
    require_pushed_authorization_requests: true,
    backchannel_logout_uri: `${app.url}/backchannel-logout`,
    backchannel_logout_session_required: true,
  };
  const config = await registered(metadata, oidc.PrivateKeyJwt(own));
  const { client_id } = config.clientMetadata();
  const browser = new Browser();

  const { request, checks } = await asked({ max_age: "3600" });
  const address = await oidc.buildAuthorizationUrlWithPAR(config, request);
  assert.deepEqual([...address.searchParams.keys()].sort(), ["client_id", "request_uri"]);
  const back = await walk(browser, address, CALLBACK);
  assert.deepEqual(back.met, ["/sign-in", "/consent"]);
  const tokens = await oidc.authorizationCodeGrant(config, answer(back), { ...checks, maxAge: 3600 });
  await isAlice(config, tokens);

  const refreshed = await oidc.refreshTokenGrant(config, tokens.refresh_token);
  assert.notEqual(refreshed.refresh_token, tokens.refresh_token);
  assert.equal(refreshed.claims().sub, tokens.claims().sub);
  await isAlice(config, refreshed);
  const known = await oidc.tokenIntrospection(config, refreshed.access_token);
  assert.deepEqual([known.active, known.client_id, known.sub], [true, client_id, tokens.claims().sub]);

  const parameters = { id_token_hint: refreshed.id_token, post_logout_redirect_uri: SIGNED_OUT, state: "a-state" };
  const { url } = await walk(browser, oidc.buildEndSessionUrl(config, parameters), SIGNED_OUT);
  assert.deepEqual(Object.fromEntries(url.searchParams), { state: "a-state" });
  const claims = await logoutToken(await app.posted("/backchannel-logout"), client_id);
  assert.deepEqual([claims.sub, claims.sid], [undefined, tokens.claims().sid]);

  // With `offline_access` the grant outlives the session, until it is revoked.
  const later = await oidc.refreshTokenGrant(config, refreshed.refresh_token);
  await oidc.tokenRevocation(config, later.refresh_token);
  await assert.rejects(oidc.refreshTokenGrant(config, later.refresh_token), { error: "invalid_grant" });
  assert.equal((await oidc.tokenIntrospection(config, later.access_token)).active, false);
});

test("the application of the book: sign-in, refresh and sign-out", async () => {
  const home = "https://notes.practice.example";
  const client = { issuer: ISSUER, clientId: "notes", secret: secretOf("notes"), execute: [oidc.allowInsecureRequests] };
  const config = await anteroom(client);
  const browser = new Browser();
  const { address, checks } = await begun(config, { redirect_uri: `${home}/callback`, scope: "openid profile email" });
  const { url } = await walk(browser, address, `${home}/callback`);
  const tokens = await completed(config, url, checks);
  const next = await refreshed(config, tokens);
  assert.notEqual(next.refresh_token, tokens.refresh_token);
  await isAlice(config, next);
  const out = await walk(browser, signedOut(config, next.id_token, `${home}/`), `${home}/`);
  assert.deepEqual(out.met, [], "with an ID token of this session nobody is asked");
  await assert.rejects(refreshed(config, next), { error: "invalid_grant" });
});

test("the handler of the book ends a session by the back channel, and takes nothing else for a logout token", async (t) => {
  const application = express();
  const server = application.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const uri = `http://127.0.0.1:${server.address().port}/backchannel-logout`;
  const metadata = { backchannel_logout_uri: uri, backchannel_logout_session_required: true };
  const config = await registered(metadata, oidc.ClientSecretBasic());
  const { client_id: clientId } = config.clientMetadata();
  const ended = new Promise((end) => application.post("/backchannel-logout", backchannelLogout({ issuer: ISSUER, clientId, end })));

  const { address, checks } = await begun(config, { redirect_uri: CALLBACK, scope: "openid" });
  const browser = new Browser();
  const tokens = await completed(config, (await walk(browser, address, CALLBACK)).url, checks);
  const refusals = [new URLSearchParams({ logout_token: tokens.id_token }), new URLSearchParams({ logout_token: "x" }), new URLSearchParams()];
  for (const body of refusals) assert.equal((await fetch(uri, { method: "POST", body })).status, 400, `${body}`);
  await walk(browser, signedOut(config, tokens.id_token, SIGNED_OUT), SIGNED_OUT);
  assert.equal(await ended, tokens.claims().sid);
});

test("single sign-on for a second client, and prompt=none", async () => {
  const config = await registered({ token_endpoint_auth_method: "client_secret_post" });
  const browser = new Browser();
  const scope = "openid email";
  const signIn = async (parameters) => {
    const { request, checks } = await asked({ scope, ...parameters });
    return { checks, back: await walk(browser, oidc.buildAuthorizationUrl(config, request), CALLBACK) };
  };
  const nobody = await signIn({ prompt: "none" });
  await assert.rejects(oidc.authorizationCodeGrant(config, nobody.back.url, nobody.checks), { error: "login_required" });
  const first = await signIn();
  const tokens = await oidc.authorizationCodeGrant(config, answer(first.back), first.checks);
  const silent = await signIn({ prompt: "none", id_token_hint: tokens.id_token });
  assert.deepEqual(silent.back.met, []);
  const again = await oidc.authorizationCodeGrant(config, answer(silent.back), silent.checks);
  assert.equal(again.claims().auth_time, tokens.claims().auth_time);
});

test("a signed request (JAR) by client_secret_basic, with form_post", async () => {
  const { key: own, jwks } = await key("RS256");
  const metadata = { jwks, request_object_signing_alg: "RS256", token_endpoint_auth_method: "client_secret_basic" };
  const config = await registered(metadata, oidc.ClientSecretBasic());
  const { request, checks } = await asked({ response_mode: "form_post" });
  const back = await walk(new Browser(), await oidc.buildAuthorizationUrlWithJAR(config, request, own), CALLBACK);
  assert.ok(back.form.has("code"));
  await isAlice(config, await oidc.authorizationCodeGrant(config, answer(back), checks));
});

for (const alg of ["RS256", "ES256", "EdDSA"]) {
  test(`hybrid flow: code id_token, signed with ${alg}, in the fragment`, async () => {
    const metadata = {
      response_types: ["code id_token"],
      grant_types: [...METADATA.grant_types, "implicit"],
      id_token_signed_response_alg: alg,
      token_endpoint_auth_method: "client_secret_post",
    };
    const config = await registered(metadata, undefined, oidc.useCodeIdTokenResponseType);
    const { request, checks } = await asked();
    const back = await walk(new Browser(), oidc.buildAuthorizationUrl(config, request), CALLBACK);
    assert.match(back.url.hash, /id_token=/);
    await isAlice(config, await oidc.authorizationCodeGrant(config, answer(back), checks));
  });
}

test("implicit flow: an ID token alone has the claims of its scopes", async () => {
  const metadata = { response_types: ["id_token"], grant_types: ["implicit"], token_endpoint_auth_method: "none" };
  const config = await registered(metadata, oidc.None(), oidc.useIdTokenResponseType);
  const { request, checks } = await asked({ scope: "openid email", response_mode: "form_post" });
  const back = await walk(new Browser(), oidc.buildAuthorizationUrl(config, request), CALLBACK);
  const { expectedNonce, expectedState } = checks;
  const claims = await oidc.implicitAuthentication(config, answer(back), expectedNonce, { expectedState });
  assert.equal(claims.email, ALICE.email);
});
