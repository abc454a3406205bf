import * as oidc from "openid-client";

/** Once, when the application starts. */
export function anteroom({ issuer, clientId, secret, ...options }) {
  const authentication = secret ? oidc.ClientSecretBasic(secret) : oidc.None();
  return oidc.discovery(new URL(issuer), clientId, undefined, authentication, options);
}

/** Where to send the browser, and what to keep for it until it comes back: in its session at the application. */
export async function begun(config, parameters) {
  const pkceCodeVerifier = oidc.randomPKCECodeVerifier();
  const checks = { pkceCodeVerifier, expectedState: oidc.randomState(), expectedNonce: oidc.randomNonce(), idTokenExpected: true };
  const address = oidc.buildAuthorizationUrl(config, {
    ...parameters,
    code_challenge: await oidc.calculatePKCECodeChallenge(pkceCodeVerifier),
    code_challenge_method: "S256",
    state: checks.expectedState,
    nonce: checks.expectedNonce,
  });
  return { address, checks };
}

/** The tokens, for the address at which the browser came back. `tokens.claims()` is what the ID token says. */
export function completed(config, address, checks) {
  return oidc.authorizationCodeGrant(config, address, checks);
}

/** Other tokens, before the access token ends. Keep the new `refresh_token` in place of the old one before using anything. */
export function refreshed(config, tokens) {
  return oidc.refreshTokenGrant(config, tokens.refresh_token);
}

/** Where to send the browser after its session at the application was ended: Anteroom ends its own and leads back. */
export function signedOut(config, idToken, back) {
  return oidc.buildEndSessionUrl(config, { id_token_hint: idToken, post_logout_redirect_uri: back });
}
