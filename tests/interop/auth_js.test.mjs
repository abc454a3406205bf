// Auth.js (https://authjs.dev), with which applications of Next.js, SvelteKit and Express sign people in. It asks userinfo for
// nothing: what it knows of a person is in the ID token.

import assert from "node:assert/strict";
import { once } from "node:events";
import { request } from "node:http";
import { buffer } from "node:stream/consumers";
import test, { after } from "node:test";
import "./harness/node.mjs";
import { Browser } from "./harness/browser.mjs";
import { secretOf } from "./harness/clients.mjs";
import { ISSUER } from "./harness/issuer.mjs";
import { ALICE, walk } from "./harness/person.mjs";

const HOME = "https://handbook.practice.example";

process.env.ANTEROOM_ISSUER = ISSUER;
process.env.ANTEROOM_SECRET = secretOf("handbook");
process.env.AUTH_SECRET = "a key of the application's own";
process.env.HANDBOOK_URL = HOME;
const { app } = await import("./node/handbook.mjs");

const server = app.listen(0, "127.0.0.1");
await once(server, "listening");
after(() => {
  server.closeAllConnections();
  server.close();
});

/** The application in Express, as a proxy reaches it, and the cookies that its browser has of it. */
class Application {
  #cookies = new Map();

  async send(path, form) {
    const { pathname, search } = new URL(path, HOME);
    const headers = {
      host: new URL(HOME).host,
      "x-forwarded-proto": "https",
      cookie: Array.from(this.#cookies, ([name, value]) => `${name}=${value}`).join("; "),
      ...(form && { "content-type": "application/x-www-form-urlencoded" }),
    };
    const asked = { host: "127.0.0.1", port: server.address().port, path: pathname + search, method: form ? "POST" : "GET", headers };
    const sent = request(asked).end(form && String(new URLSearchParams(form)));
    const [received] = await once(sent, "response");
    const answer = new Response(await buffer(received), { status: received.statusCode });
    const { rawHeaders } = received;
    for (let at = 0; at < rawHeaders.length; at += 2) answer.headers.append(rawHeaders[at], rawHeaders[at + 1]);
    for (const one of answer.headers.getSetCookie()) {
      const [, name, value] = one.match(/^([^=]+)=([^;]*)/);
      this.#cookies.set(name, value);
    }
    return answer;
  }
}

test("an application that reads the ID token alone", async () => {
  const application = new Application();
  const { csrfToken } = await (await application.send("/auth/csrf")).json();
  const begun = await application.send("/auth/signin/anteroom", { csrfToken, callbackUrl: `${HOME}/` });
  const asked = new URL(begun.headers.get("location"));
  assert.equal(asked.searchParams.get("code_challenge_method"), "S256");

  const browser = new Browser();
  const back = await walk(browser, asked, HOME);
  assert.deepEqual(back.met, ["/sign-in"], "the practice's own application asks for no consent");
  const answer = await application.send(back.url);
  assert.equal(answer.headers.get("location"), `${HOME}/`);

  const { user } = await (await application.send("/auth/session")).json();
  assert.equal(user.email, ALICE.email);
  assert.deepEqual(user.groups, ["staff"]);

  const { person, out } = await (await application.send("/")).json();
  assert.equal(person.email, ALICE.email);
  await application.send(out);
  const form = { csrfToken: (await (await application.send("/auth/csrf")).json()).csrfToken };
  const signOutUrl = (await application.send("/auth/signout", form)).headers.get("location");
  assert.equal(new URL(signOutUrl).origin, ISSUER);
  const signedOut = await walk(browser, signOutUrl, HOME);
  assert.deepEqual([signedOut.met, signedOut.url.href], [["/sign-out"], `${HOME}/`]);
  assert.equal((await application.send("/")).headers.get("location"), "/auth/signin");
});
