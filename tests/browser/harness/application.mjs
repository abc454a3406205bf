// An application of a developer's own, on another origin than Anteroom: `demo-native`, which shows what it was answered.

import { once } from "node:events";
import { createServer } from "node:http";
import { text } from "node:stream/consumers";

const CLIENT = "demo-native";
// SHA-256 of a verifier that is never needed: nothing here redeems a code.
const CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/** Listens until the test file is done. `request({…})` is the address of an authorization request of its own. */
export async function application(after) {
  const server = createServer(answer).listen(0, "127.0.0.1");
  await once(server, "listening");
  after(() => {
    server.closeAllConnections();
    server.close();
  });
  const url = `http://127.0.0.1:${server.address().port}`;
  const request = (parameters = {}) => `/authorize?${new URLSearchParams({ ...usual(url), ...parameters })}`;
  return { url, request };
}

/** What the page of the application says that it was answered. */
export async function answered(tab) {
  return JSON.parse(await tab.locator("#answer").textContent());
}

function usual(url) {
  return {
    client_id: CLIENT,
    redirect_uri: `${url}/callback`,
    response_type: "code",
    scope: "openid profile email",
    state: "a-state",
    nonce: "a-nonce",
    code_challenge: CHALLENGE,
    code_challenge_method: "S256",
  };
}

async function answer(request, response) {
  const { searchParams } = new URL(request.url, "http://application");
  const parameters = request.method === "POST" ? new URLSearchParams(await text(request)) : searchParams;
  const shown = JSON.stringify(Object.fromEntries(parameters)).replaceAll("&", "&amp;").replaceAll("<", "&lt;");
  response.writeHead(200, { "content-type": "text/html; charset=utf-8" }).end(
    `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Answered</title></head>
    <body><main><h1>Answered</h1><pre id="answer">${shown}</pre><a href="/">Again</a></main></body></html>`,
  );
}
