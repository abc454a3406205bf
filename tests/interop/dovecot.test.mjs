// Debian's dovecot (https://www.dovecot.org): a mail server to which a person's mail program shows an access token. It asks
// Anteroom about each.

import assert from "node:assert/strict";
import { createPublicKey } from "node:crypto";
import test from "node:test";
import { tokenRevocation } from "openid-client";
import { secretOf } from "./harness/clients.mjs";
import { dovecot, opensInbox } from "./harness/dovecot.mjs";
import { ISSUER } from "./harness/issuer.mjs";
import { ALICE } from "./harness/person.mjs";
import { signedIn } from "./harness/signed_in.mjs";

const scope = "openid email";
const mailProgram = () => signedIn({ clientId: "mail-program" }, { redirect_uri: "http://127.0.0.1:49152/callback", scope });
const mailReader = () => signedIn({ clientId: "mail-reader" }, { redirect_uri: "http://127.0.0.1:49152/callback", scope });
const handbook = { clientId: "handbook", secret: secretOf("handbook") };
const elsewhere = () => signedIn(handbook, { redirect_uri: "https://handbook.practice.example/auth/callback/anteroom", scope });

test("introspection opens the mailbox of the token's person, until it is revoked", async () => {
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

/** The keys for RS256 as files, where dovecot looks for those of a token without `azp`. */
async function keyFiles() {
  const { keys } = await (await fetch(`${ISSUER}/jwks`)).json();
  const signing = keys.filter(({ use, alg }) => use === "sig" && alg === "RS256");
  const pem = (key) => createPublicKey({ key, format: "jwk" }).export({ type: "spki", format: "pem" });
  return Object.fromEntries(signing.map((key) => [`default/${key.alg}/${key.kid}`, pem(key)]));
}

test("local validation opens the mailbox that is named like the token's `sub`", async () => {
  const server = await dovecot("local.conf.ext", await keyFiles());
  const { tokens } = await mailReader();
  const { sub } = tokens.claims();
  // With OAUTHBEARER, a token that is good ends dovecot 2.3.19's own process for sign-ins.
  assert.equal(await opensInbox(server, "XOAUTH2", sub, tokens.access_token), true, server.log());
  assert.equal(await opensInbox(server, "XOAUTH2", sub, tokens.id_token), false, "no access token");
  const other = await mailProgram();
  assert.equal(await opensInbox(server, "XOAUTH2", sub, other.tokens.access_token), false, "of another type, for another API");
});
