// The harness itself, tried on a small site with a strict policy.

import assert from "node:assert/strict";
import test, { after, describe } from "node:test";
import { fileURLToPath } from "node:url";
import { site } from "./fixtures/site.mjs";
import { axe, demo, page, signIn } from "./harness.mjs";

const url = await site(after);

// A test whose last acts are looked at here rather than run.
function rehearsal() {
  const acts = [];
  return { after: (act) => acts.push(act), end: async () => { for (const act of acts) await act(); } };
}

describe("a page", () => {
  for (const js of [true, false]) {
    test(`signs in with scripts ${js ? "on" : "off"}`, async (t) => {
      const tab = await page(t, { url, js });
      await tab.goto("/");
      assert.equal(await tab.locator("html[data-scripted]").count(), js ? 1 : 0);
      await signIn(tab, "alice@demo.example", "a password");
      assert.equal(tab.url(), `${url}/welcome?email=alice%40demo.example`);
    });
  }

  test("is a desktop's or a phone's, light or dark, in a language", async (t) => {
    const media = (tab, query) => tab.evaluate((query) => matchMedia(query).matches, query);
    const desk = await page(t, { url });
    await desk.goto("/welcome");
    assert.equal(await media(desk, "(min-width: 1200px) and (prefers-color-scheme: light)"), true);
    assert.equal(await desk.locator("p").textContent(), "en-US");
    const phone = await page(t, { url, phone: true, dark: true, locale: "es-ES" });
    await phone.goto("/welcome");
    assert.equal(await media(phone, "(max-width: 400px) and (prefers-color-scheme: dark) and (pointer: coarse)"), true);
    assert.equal(await phone.locator("p").textContent(), "es-ES");
  });

  for (const [path, problem] of [["/foreign", /asked for http:\/\/elsewhere\.example/], ["/broken", /Content Security Policy/]]) {
    test(`fails its test for ${path}`, async () => {
      const rehearsed = rehearsal();
      const tab = await page(rehearsed, { url });
      await tab.goto(path);
      await assert.rejects(rehearsed.end(), problem);
    });
  }
});

describe("axe", () => {
  for (const js of [true, false]) {
    test(`passes what is accessible and names what is not, scripts ${js ? "on" : "off"}`, async (t) => {
      const tab = await page(t, { url, js });
      await tab.goto("/");
      await axe(tab);
      await tab.goto("/poor");
      await assert.rejects(axe(tab), (error) => {
        assert.match(error.message, /\/poor is not accessible/);
        assert.deepEqual(error.actual.map((line) => line.split(":")[0]).sort(), ["color-contrast", "label"]);
        return true;
      });
      await tab.goto("/");
      assert.equal(await tab.locator("html[data-scripted]").count(), js ? 1 : 0);
    });
  }
});

describe("a demo", () => {
  const before = { ...process.env };
  after(() => Object.assign(process.env, before));

  test("of the file's own comes up when it says so", async () => {
    process.env.ANTEROOM_BIN = fileURLToPath(new URL("fixtures/pretend_demo.mjs", import.meta.url));
    const { url } = await demo();
    assert.equal(await (await fetch(url)).text(), "demo --port");
  });

  test("that fails is told with its last words", async () => {
    process.env.PRETEND = "fail";
    await assert.rejects(demo(), /ended before it was ready[^]*the database is locked/);
    delete process.env.PRETEND;
  });

  test("that is up already is used where there is no program", async () => {
    delete process.env.ANTEROOM_BIN;
    process.env.ANTEROOM_URL = "http://localhost:8080";
    assert.deepEqual(await demo(), { url: "http://localhost:8080" });
    delete process.env.ANTEROOM_URL;
    await assert.rejects(demo(), /Set ANTEROOM_BIN/);
  });
});
