// One Chromium for each test file, and for each page a context of its own: no cookie is left over from another test.

import assert from "node:assert/strict";
import { after } from "node:test";
import { chromium } from "playwright-core";

const CHROMIUM = process.env.CHROMIUM ?? "/usr/bin/chromium";
// The same engine without a window's interface: a page costs it half the processor time.
const HEADLESS_SHELL = process.env.CHROMIUM_HEADLESS_SHELL ?? CHROMIUM;

// No sandbox, since it does not start for root, and no traffic of the browser's own.
const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

const DESKTOP = { viewport: { width: 1280, height: 800 } };
const PHONE = { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, isMobile: true, hasTouch: true };

// How long anything that is waited for may take. Generous, for machines that are busy.
const PATIENCE = 15_000;

// A wait that has no end would keep everyone waiting: no test file takes this long.
const FILE_WITHIN = 6 * 60_000;

const LOOPBACK = ["localhost", "127.0.0.1", "[::1]"];
const isLoopback = (host) => LOOPBACK.includes(host) || host.endsWith(".localhost");

let browser;
let program = HEADLESS_SHELL;
let withheld = [];
const scriptless = new WeakSet();

after(async () => {
  await (await browser)?.close();
});

setTimeout(() => {
  console.error("These tests do not end.");
  process.exit(1);
}, FILE_WITHIN).unref();

/** Before the first page: the whole Chromium, which treats the cookies of frames and the pages it leaves as people's does. */
export function useWholeBrowser() {
  program = CHROMIUM;
}

/**
 * Before the first page: a browser that keeps pages as they were left and shows them again when it goes back, as people's
 * browsers do. Playwright switches that off: it does not follow such a page in all it does, and routes none of its requests.
 * Go back by `history.back()`, and ask the page where it is.
 */
export function keepPages() {
  useWholeBrowser();
  withheld = ["--disable-back-forward-cache"];
}

/**
 * A page of a browser that has been nowhere. It closes with the test `t`, which then fails if a script stumbled, a
 * Content-Security-Policy was broken, anything was asked of another machine or a server gave up (5xx).
 *
 * A second tab of the same browser is `page.context().newPage()`; it is watched as well.
 */
export async function page(t, { url, js = true, phone = false, dark = false, locale = "en-US" } = {}) {
  browser ??= chromium.launch({
    executablePath: program,
    headless: true,
    args: FLAGS,
    ignoreDefaultArgs: withheld,
  });
  const context = await (await browser).newContext({
    ...(phone ? PHONE : DESKTOP),
    baseURL: url,
    javaScriptEnabled: js,
    colorScheme: dark ? "dark" : "light",
    locale,
  });
  context.setDefaultTimeout(PATIENCE);
  if (!js) scriptless.add(context);
  const problems = watch(context);
  t.after(async () => {
    await context.close();
    assert.deepEqual(problems, []);
  });
  return context.newPage();
}

/** Whether `page` was opened with scripts on. */
export function hasScripts(page) {
  return !scriptless.has(page.context());
}

function watch(context) {
  const problems = [];
  context.on("weberror", (error) => problems.push(`script: ${error.error()}`));
  context.on("console", (message) => {
    if (/content security policy/i.test(message.text())) problems.push(message.text());
  });
  context.on("request", (request) => {
    const url = new URL(request.url());
    if (url.host && !isLoopback(url.hostname)) problems.push(`asked for ${url}`);
  });
  context.on("response", (response) => {
    if (response.status() >= 500) problems.push(`${response.status()} from ${response.url()}`);
  });
  return problems;
}
