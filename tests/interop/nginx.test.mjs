// Debian's nginx with the book's settings, as what stands between people and Anteroom.

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import test from "node:test";
import { parse } from "node-html-parser";
import { page } from "../browser/harness/browser.mjs";
import { ISSUER, register } from "./harness/issuer.mjs";
import { nginx } from "./harness/nginx.mjs";
import { ALICE } from "./harness/person.mjs";
import { freePort } from "./harness/ports.mjs";

// As long as Anteroom takes it.
const LONGEST_STATE = 4096;

test("the longest answers and requests come through", async () => {
  const proxy = await nginx(ISSUER);
  const redirect_uri = "https://long.example/callback";
  const { client_id } = await register({ client_name: "Long", redirect_uris: [redirect_uri] });
  for (const length of [128, 2_800, LONGEST_STATE]) {
    const state = "s".repeat(length);
    const asked = { client_id, redirect_uri, state, scope: "openid", response_type: "code", prompt: "none" };
    const answer = await fetch(`${proxy}/authorize?${new URLSearchParams(asked)}`, { redirect: "manual" });
    // Too long for a header, it is a page that goes there.
    const to = answer.headers.get("location") ?? parse(await answer.text()).querySelector("#redirect")?.getAttribute("href");
    assert.ok([200, 302, 303].includes(answer.status), `${length}: ${answer.status}`);
    assert.match(to, /error=login_required/, `${length}`);
    assert.ok(to.includes(`state=${state}`), `${length}`);
  }
});

test("a proxy that hides the referrer, and with it the origin, keeps nobody from signing in", async (t) => {
  const proxy = await nginx(ISSUER, "add_header Referrer-Policy no-referrer always;");
  const tab = await page(t, { url: proxy });
  await tab.goto("/sign-in");
  const sent = tab.waitForRequest((request) => request.method() === "POST");
  await tab.locator("[name=email]").fill(ALICE.email);
  await tab.locator("[name=password]").fill("not her password");
  const answered = tab.waitForResponse((response) => response.request().method() === "POST");
  await tab.getByRole("button", { name: "Sign In" }).click();
  assert.equal((await (await sent).allHeaders()).origin, "null", "the browser says nothing of where it comes from");
  assert.equal((await answered).status(), 422, "the password was looked at");
});

test("health and readiness are not for the world", async () => {
  const proxy = await nginx(ISSUER);
  for (const path of ["/healthz", "/readyz"]) assert.equal((await fetch(proxy + path)).status, 404);
});

const { port: SOUND } = new URL(ISSUER);
const MANY = Array.from({ length: 20 });

/** Refused by the provider (401), whatever it is asked for. */
function post(proxy) {
  return fetch(`${proxy}/token`, { method: "POST", body: new URLSearchParams({ grant_type: "authorization_code", code: "none" }) });
}

test("with two nodes, one that is gone is not noticed", async () => {
  const proxy = await nginx(ISSUER, "", [await freePort(), SOUND]);
  for (const _ of MANY) {
    assert.equal((await fetch(`${proxy}/sign-in`)).status, 200);
    assert.equal((await post(proxy)).status, 401);
  }
});

test("with two nodes, one that cannot serve is passed over by what can be asked twice, and by nothing else", async (t) => {
  const asked = [];
  const node = createServer((request, answer) => {
    asked.push(request.method);
    answer.writeHead(503, { "retry-after": "1" }).end("this node");
  }).listen(0, "127.0.0.1");
  await once(node, "listening");
  t.after(() => node.close());
  const proxy = await nginx(ISSUER, "", [node.address().port, SOUND]);
  const statuses = [];
  for (const _ of MANY) statuses.push((await post(proxy)).status);
  const posts = asked.length;
  assert.ok(posts > 0);
  assert.equal(statuses.filter((status) => status === 503).length, posts, "what it was asked is asked of no other");
  assert.equal(statuses.filter((status) => status === 401).length, MANY.length - posts);
  for (const _ of MANY) assert.equal((await fetch(`${proxy}/sign-in`)).status, 200);
  assert.ok(asked.length > posts, "it was asked, and the other one after it");
});

test("with two nodes of which none can serve, the answer is still theirs", async (t) => {
  const nodes = await Promise.all(
    [0, 1].map(async () => {
      const node = createServer((_, answer) => answer.writeHead(503, { "retry-after": "1" }).end("this node")).listen(0, "127.0.0.1");
      await once(node, "listening");
      t.after(() => node.close());
      return node.address().port;
    }),
  );
  const proxy = await nginx(ISSUER, "", nodes);
  for (const _ of MANY) {
    const answer = await fetch(`${proxy}/sign-in`);
    assert.equal(answer.status, 503);
    assert.equal(answer.headers.get("retry-after"), "1");
  }
});

test("with two nodes of which one is gone and one cannot serve, and with none, the answer is 503 and when to ask again", async (t) => {
  const node = createServer((_, answer) => answer.writeHead(503, { "retry-after": "1" }).end("this node")).listen(0, "127.0.0.1");
  await once(node, "listening");
  t.after(() => node.close());
  for (const nodes of [
    [await freePort(), node.address().port],
    [node.address().port, await freePort()],
    [await freePort(), await freePort()],
  ]) {
    const proxy = await nginx(ISSUER, "", nodes);
    for (const _ of MANY) {
      for (const answer of [await fetch(`${proxy}/sign-in`), await post(proxy)]) {
        assert.equal(answer.status, 503);
        assert.match(answer.headers.get("retry-after"), /^[15]$/);
        await answer.text();
      }
    }
  }
});
