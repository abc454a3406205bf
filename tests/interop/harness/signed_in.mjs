// Tokens of Alice's sign-in, for those that are handed some.

import "./node.mjs";
import { allowInsecureRequests } from "openid-client";
import { anteroom, begun, completed } from "../node/openid_client.mjs";
import { Browser } from "./browser.mjs";
import { ISSUER } from "./issuer.mjs";
import { walk } from "./person.mjs";

/** What this client has after it. The provider is on loopback, where plain HTTP is good enough. */
export async function signedIn(client, parameters) {
  const config = await anteroom({ issuer: ISSUER, ...client, execute: [allowInsecureRequests] });
  const { address, checks } = await begun(config, parameters);
  const { url } = await walk(new Browser(), address, parameters.redirect_uri);
  return { config, tokens: await completed(config, url, checks) };
}
