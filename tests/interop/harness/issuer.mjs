// The provider that these tests are for: started by `provider.mjs`, named by `ANTEROOM_URL`.

import "./node.mjs";
import { createRemoteJWKSet, jwtVerify } from "jose";

const { ANTEROOM_URL } = process.env;
if (!ANTEROOM_URL) throw new Error("Set ANTEROOM_URL to what provider.mjs says after \"Ready: \".");
export const ISSUER = ANTEROOM_URL;

const EVENT = "http://schemas.openid.net/event/backchannel-logout";

/** The claims of a logout token that is for this client, held to OpenID Connect Back-Channel Logout 1.0 section 2.6. */
export async function logoutToken(form, client_id) {
  const keys = createRemoteJWKSet(new URL("/jwks", ISSUER));
  const checks = { issuer: ISSUER, audience: client_id, typ: "logout+jwt", requiredClaims: ["iat", "exp", "jti", "sid"] };
  const { payload } = await jwtVerify(form.get("logout_token"), keys, checks);
  if (typeof payload.events?.[EVENT] !== "object") throw new Error("the logout token has no such event");
  if ("nonce" in payload) throw new Error("the logout token has a nonce");
  return payload;
}

/** A client for what leaves that to its users: Dynamic Client Registration 1.0 section 3. */
export async function register(metadata) {
  const headers = { "content-type": "application/json" };
  const answer = await fetch(`${ISSUER}/clients`, { method: "POST", headers, body: JSON.stringify(metadata) });
  if (answer.status !== 201) throw new Error(`registration: ${answer.status} ${await answer.text()}`);
  return answer.json();
}
