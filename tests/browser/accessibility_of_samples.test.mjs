// Every sample of every page and email, in both languages: what no demo comes to is for everyone, too.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { page } from "./harness.mjs";
import { isForEveryone, SAMPLED } from "./harness/for_everyone.mjs";

test("every sample is fit for everyone", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "anteroom-gallery-"));
  t.after(() => rm(folder, { recursive: true }));
  const cargo = ["run", "--quiet", "--package", "anteroom-pages", "--example", "gallery", "--", folder];
  await promisify(execFile)(process.env.CARGO ?? "cargo", cargo, { cwd: fileURLToPath(new URL("../..", import.meta.url)) });
  const tab = await page(t, { url: pathToFileURL(folder).href });
  const pages = (await readdir(folder)).filter((name) => name.endsWith(".html")).sort();
  assert.ok(pages.length > 100, `${pages.length} pages`);
  for (const name of pages) {
    await tab.goto(pathToFileURL(join(folder, name)).href);
    const language = name.split(".").at(-2);
    await isForEveryone(tab, language, SAMPLED[language]);
  }
});
