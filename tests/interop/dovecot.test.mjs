// Debian's dovecot (https://www.dovecot.org): a mail server to which a person's mail program shows an access token. It asks
// Anteroom about each.

import assert from "node:assert/strict";
import test from "node:test";
import { tokenRevocation } from "openid-client";
import { secretOf } from "./harness/clients.mjs";
import { dovecot, opensInbox } from "./harness/dovecot.mjs";
import { ALICE } from "./harness/person.mjs";
import { signedIn } from "./harness/signed_in.mjs";

const scope = "openid email";
const mailProgram = () => signedIn({ clientId: "mail-program" }, { redirect_uri: "http://127.0.0.1:49152/callback", scope });
const handbook = { clientId: "handbook", secret: secretOf("handbook") };
const elsewhere = () => signedIn(handbook, { redirect_uri: "https://handbook.practice.example/auth/callback/anteroom", scope });

test("introspection opens the mailbox of whom the token is of, until it is revoked", async () => {
  const server = await dovecot("introspection.conf.ext");
  const { config, tokens } = await mailProgram();
  const { access_token } = tokens;
  for (const mechanism of ["XOAUTH2", "OAUTHBEARER"]) {
    assert.equal(await opensInbox(server, mechanism, ALICE.email, access_token), true, server.log());
  }
  assert.equal(await opensInbox(server, "XOAUTH2", "bob@practice.example", access_token), false, "somebody else's");
  assert.equal(await opensInbox(server, "XOAUTH2", ALICE.email, tokens.id_token), false, "no access token");
  const other = await elsewhere();
  assert.equal(await opensInbox(server, "XOAUTH2", ALICE.email, other.tokens.access_token), false, "for another application");
  await tokenRevocation(config, tokens.refresh_token);
  assert.equal(await opensInbox(server, "XOAUTH2", ALICE.email, access_token), false, "revoked");
});
