// Debian's nginx with the book's settings, as what stands between people and Anteroom.

import assert from "node:assert/strict";
import test from "node:test";
import { parse } from "node-html-parser";
import { page } from "../browser/harness/browser.mjs";
import { ISSUER, register } from "./harness/issuer.mjs";
import { nginx } from "./harness/nginx.mjs";
import { ALICE } from "./harness/person.mjs";

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
