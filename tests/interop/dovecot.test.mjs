// Debian's dovecot (https://www.dovecot.org): a mail server to which a person's mail program shows an access token. It asks
// Anteroom about each.

import assert from "node:assert/strict";
import test from "node:test";
import { tokenRevocation } from "openid-client";
import { dovecot, opensInbox } from "./harness/dovecot.mjs";
import { ALICE } from "./harness/person.mjs";
import { signedIn } from "./harness/signed_in.mjs";

const client = { clientId: "mail-program" };
const request = { redirect_uri: "http://127.0.0.1:49152/callback", scope: "openid email" };

test("introspection opens the mailbox of whom the token is of, until it is revoked", async () => {
  const server = await dovecot("introspection.conf.ext");
  const { config, tokens } = await signedIn(client, request);
  const { access_token } = tokens;
  for (const mechanism of ["XOAUTH2", "OAUTHBEARER"]) {
    assert.equal(await opensInbox(server, mechanism, ALICE.email, access_token), true, server.log());
  }
  assert.equal(await opensInbox(server, "XOAUTH2", "bob@practice.example", access_token), false, "somebody else's");
  assert.equal(await opensInbox(server, "XOAUTH2", ALICE.email, tokens.id_token), false, "no access token");
  await tokenRevocation(config, tokens.refresh_token);
  assert.equal(await opensInbox(server, "XOAUTH2", ALICE.email, access_token), false, "revoked");
});
