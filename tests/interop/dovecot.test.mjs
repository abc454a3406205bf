// Debian's dovecot (https://www.dovecot.org): a mail server to which a person's mail program shows an access token. It asks
// Anteroom about each.

import assert from "node:assert/strict";
import test from "node:test";
import "./harness/node.mjs";
import * as oidc from "openid-client";
import { Browser } from "./harness/browser.mjs";
import { dovecot, opensInbox } from "./harness/dovecot.mjs";
import { ISSUER } from "./harness/issuer.mjs";
import { ALICE, walk } from "./harness/person.mjs";

const CALLBACK = "http://127.0.0.1:49152/callback";

/** What her mail program has, after a sign-in. */
async function mailProgram() {
  const config = await oidc.discovery(new URL(ISSUER), "mail-program", undefined, oidc.None(), { execute: [oidc.allowInsecureRequests] });
  const pkceCodeVerifier = oidc.randomPKCECodeVerifier();
  const request = {
    redirect_uri: CALLBACK,
    scope: "openid email",
    code_challenge: await oidc.calculatePKCECodeChallenge(pkceCodeVerifier),
    code_challenge_method: "S256",
  };
  const { url } = await walk(new Browser(), oidc.buildAuthorizationUrl(config, request), CALLBACK);
  return { config, tokens: await oidc.authorizationCodeGrant(config, url, { pkceCodeVerifier }) };
}

test("introspection opens the mailbox of whom the token is of, until it is revoked", async () => {
  const server = await dovecot("introspection.conf.ext");
  const { config, tokens } = await mailProgram();
  const { access_token } = tokens;
  for (const mechanism of ["XOAUTH2", "OAUTHBEARER"]) {
    assert.equal(await opensInbox(server, mechanism, ALICE.email, access_token), true, server.log());
  }
  assert.equal(await opensInbox(server, "XOAUTH2", "bob@practice.example", access_token), false, "somebody else's");
  assert.equal(await opensInbox(server, "XOAUTH2", ALICE.email, tokens.id_token), false, "no access token");
  await oidc.tokenRevocation(config, tokens.refresh_token);
  assert.equal(await opensInbox(server, "XOAUTH2", ALICE.email, access_token), false, "revoked");
});
