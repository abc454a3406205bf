// Front-channel logout: the page after a sign-out tells applications by loading an address of theirs, and goes on when they
// have heard, or when one of them takes too long. Imaging is the demo's application that asks for it.

import assert from "node:assert/strict";
import test from "node:test";
import { axe, demo, page } from "./harness.mjs";
import { applicationsOf } from "./harness/pages.mjs";
import { asksToSignIn, going, greets, isAt, signedIn } from "./harness/practice.mjs";

const anteroom = await demo();
const ADDRESS = "**/frontchannel-logout*";

/** Alice, signed in to Imaging, and what answered in frames from then on. */
async function atImaging(t, js = true) {
  const tab = await page(t, { ...anteroom, js });
  await signedIn(tab, "alice");
  const { imaging, schedule } = await applicationsOf(tab, ["imaging", "schedule"]);
  await tab.goto(imaging);
  await greets(tab, "alice");
  const notified = [];
  tab.on("response", (response) => {
    if (response.url().includes("/frontchannel-logout")) notified.push([new URL(response.url()), response.status()]);
  });
  return { tab, imaging, schedule, notified };
}

function heard(notified, application) {
  assert.equal(notified.length, 1);
  const [[url, status]] = notified;
  assert.deepEqual([url.origin, status], [new URL(application).origin, 200]);
  assert.equal(url.searchParams.get("iss"), anteroom.url);
  assert.match(url.searchParams.get("sid"), /^[0-9a-f-]{36}$/);
}

for (const js of [true, false]) {
  const manner = `with scripts ${js ? "on" : "off"}`;

  test(`${manner}, the dashboard's "Sign Out" tells the application and stays`, async (t) => {
    const { tab, imaging, notified } = await atImaging(t, js);
    await tab.goto("/dashboard");
    await going(tab, () => tab.locator("form[action='/sign-out'] button").click());
    await isAt(tab, "signed-out");
    heard(notified, imaging);
    if (js) await axe(tab);
    await tab.goto(imaging);
    await asksToSignIn(tab, anteroom);
  });

  test(`${manner}, an application's own sign-out leads back to it`, async (t) => {
    const { tab, imaging, notified } = await atImaging(t, js);
    await tab.locator("#sign-out button").click();
    await tab.waitForURL(`${imaging}signed-out*`);
    heard(notified, imaging);
  });
}

test("an application that does not answer is not waited for", async (t) => {
  const { tab, schedule, notified } = await atImaging(t);
  await tab.goto(schedule);
  await greets(tab, "alice");
  await tab.route(ADDRESS, () => {});
  await tab.locator("#sign-out button").click({ noWaitAfter: true });
  await tab.waitForURL(`${schedule}signed-out*`);
  assert.deepEqual(notified, []);
});

test("the address of the page, opened again, leads nowhere", async (t) => {
  const { tab } = await atImaging(t);
  await tab.goto("/dashboard");
  await going(tab, () => tab.locator("form[action='/sign-out'] button").click());
  const address = tab.url();
  const otherBrowser = await page(t, anteroom);
  await otherBrowser.goto(address);
  await isAt(otherBrowser, "signed-out");
  assert.equal(await otherBrowser.locator("iframe").count(), 0);
});
