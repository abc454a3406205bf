import express from "express";
import { createRemoteJWKSet, jwtVerify } from "jose";

const EVENT = "http://schemas.openid.net/event/backchannel-logout";

/** For `app.post("/backchannel-logout", …)`. `end` ends the application's sessions whose ID token has this `sid`. */
export function backchannelLogout({ issuer, clientId, end }) {
  const keys = createRemoteJWKSet(new URL("/jwks", issuer));
  const checks = { issuer, audience: clientId, typ: "logout+jwt", requiredClaims: ["iat", "exp", "jti", "sid"] };
  const answer = async (request, response) => {
    response.set("cache-control", "no-store");
    try {
      const { payload } = await jwtVerify(request.body.logout_token, keys, checks);
      if (!payload.events?.[EVENT] || "nonce" in payload) throw new Error("not a logout token");
      // A token that comes twice ends nothing more, so no `jti` has to be kept.
      await end(payload.sid);
      response.sendStatus(200);
    } catch (error) {
      response.status(400).json({ error: "invalid_request", error_description: error.message });
    }
  };
  return [express.urlencoded({ extended: false }), answer];
}
