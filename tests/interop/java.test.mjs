// Spring Security's decoder on the JVM, strict about everything, as the API in `java/Api.java`. It learns the keys from the
// issuer, and is given the access tokens of an application and of a person.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { delimiter } from "node:path";
import test from "node:test";
import { fileURLToPath } from "node:url";
import { decodeJwt, decodeProtectedHeader } from "jose";
import { secretOf } from "./harness/clients.mjs";
import { ISSUER } from "./harness/issuer.mjs";
import { started } from "./harness/program.mjs";
import { signedIn } from "./harness/signed_in.mjs";

const CALLBACK = "https://charts.practice.example/callback";
const CHARTS = "https://charts.practice.example/api";
const IMAGES = "https://images.practice.example/api";

const place = (path) => fileURLToPath(new URL(`java/${path}`, import.meta.url));
// Those whose hashes were looked at when they were installed.
const jars = Array.from(readFileSync(place("jars.sha256"), "utf8").matchAll(/^\S+ +(\S+)$/gm), ([, jar]) => place(`jars/${jar}`));
const api = await started("java", ["-cp", jars.join(delimiter), place("Api.java"), ISSUER, CHARTS]);

const client = { clientId: "charts", secret: secretOf("charts") };

/** Tokens of a person's sign-in, for this resource where one is named. */
async function signedInFor(resource) {
  const request = { redirect_uri: CALLBACK, scope: "openid charts.read", ...(resource && { resource }) };
  return (await signedIn(client, request)).tokens;
}

async function decides(path, token) {
  const answer = await fetch(api + path, { headers: { authorization: `Bearer ${token}` } });
  return { status: answer.status, text: await answer.text() };
}

test("an API takes access tokens that are for it, and no others", async () => {
  const { access_token, id_token } = await signedInFor(CHARTS);
  const { alg, typ } = decodeProtectedHeader(access_token);
  assert.deepEqual([alg, typ, decodeJwt(access_token).aud], ["RS256", "at+jwt", CHARTS]);
  const { sub } = decodeJwt(id_token);
  assert.deepEqual(await decides("/charts", access_token), { status: 200, text: `${sub} openid charts.read` });

  const refused = async (why, path, token) => {
    const { status, text } = await decides(path, token);
    assert.equal(status, 401, text);
    assert.match(text, why);
  };
  await refused(/aud/, "/charts", (await signedInFor(IMAGES)).access_token);
  await refused(/typ/, "/charts", id_token);
  await refused(/expired/i, "/charts-later", access_token);
  const [header, claims, signature] = access_token.split(".");
  const other = signature.startsWith("A") ? "B" : "A";
  await refused(/signature/i, "/charts", [header, claims, other + signature.slice(1)].join("."));
});

test("a token for all APIs of the application is for this one as well", async () => {
  const { access_token } = await signedInFor();
  assert.deepEqual(new Set(decodeJwt(access_token).aud), new Set([CHARTS, IMAGES, ISSUER]), "and for userinfo");
  assert.equal((await decides("/charts", access_token)).status, 200);
});
