// Auth.js (https://authjs.dev), with which applications of Next.js, SvelteKit and Express sign people in. It asks userinfo for
// nothing: what it knows of a person is in the ID token.

import assert from "node:assert/strict";
import test from "node:test";
import "./harness/node.mjs";
import { Auth } from "@auth/core";
import { Browser } from "./harness/browser.mjs";
import { secretOf } from "./harness/clients.mjs";
import { ISSUER } from "./harness/issuer.mjs";
import { ALICE, walk } from "./harness/person.mjs";

const HOME = "https://handbook.practice.example";

process.env.ANTEROOM_ISSUER = ISSUER;
process.env.ANTEROOM_SECRET = secretOf("handbook");
process.env.AUTH_SECRET = "a key of the application's own";
const { config } = await import("./node/auth_js.mjs");

/** The application, and the cookies that its browser has of it. Auth.js is handed what would be sent there. */
class Application {
  #cookies = new Map();

  async send(path, form) {
    const headers = { cookie: Array.from(this.#cookies, ([name, value]) => `${name}=${value}`).join("; ") };
    const request = new Request(new URL(path, HOME), { method: form ? "POST" : "GET", headers, body: form && new URLSearchParams(form) });
    const answer = await Auth(request, config);
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

  const back = await walk(new Browser(), asked, HOME);
  assert.deepEqual(back.met, ["/sign-in"], "the practice's own application asks for no consent");
  const answer = await application.send(back.url);
  assert.equal(answer.headers.get("location"), `${HOME}/`);

  const { user } = await (await application.send("/auth/session")).json();
  assert.equal(user.email, ALICE.email);
  assert.deepEqual(user.groups, ["staff"]);
});
