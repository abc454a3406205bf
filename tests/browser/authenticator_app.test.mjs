// An authenticator app: added, asked for by an application, and taken off again, in each manner.

import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import test, { after } from "node:test";
import { demo, page } from "./harness.mjs";
import { answered, application } from "./harness/application.mjs";
import { MANNERS, optionsOf, stops } from "./harness/manners.mjs";
import { going, isAt, toDashboard } from "./harness/practice.mjs";
import { CELLS, enterCode, otherThan, send, sendCode } from "./harness/ways.mjs";

const app = await application(after);
const STEP = 30_000;

/** What an app into which this key was typed shows so many steps from now (RFC 6238). */
function shows(key, steps = 0) {
  const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  const bits = [...key.replaceAll(" ", "")].map((letter) => letters.indexOf(letter).toString(2).padStart(5, "0")).join("");
  const secret = Buffer.from(bits.match(/.{8}/g).map((byte) => Number.parseInt(byte, 2)));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(Date.now() / STEP) + steps));
  const mac = createHmac("sha1", secret).update(counter).digest();
  return String((mac.readUInt32BE(mac.at(-1) & 15) & 0x7fffffff) % 1_000_000).padStart(6, "0");
}

async function toApps(tab, anteroom, person) {
  await toDashboard(tab, person);
  await going(tab, () => tab.locator("a[href='/account/factors']").click());
  await isAt(tab, "verify-identity");
  await enterCode(tab, await sendCode(tab, anteroom, "text", CELLS[person]));
}

async function adds(tab, manner) {
  await send(tab, "/account/factors/add");
  await stops(tab, "enrol-factor", manner);
  const picture = tab.locator("figure.qr img");
  assert.ok(await picture.evaluate((image) => image.complete && image.naturalWidth > 0), "the picture is there");
  const key = await tab.locator("#secret").textContent();
  await tab.locator("[name=code]").fill(otherThan(shows(key)));
  await send(tab, "/account/factors/confirm");
  await tab.locator("#problem").waitFor();
  assert.equal(await tab.locator("#secret").textContent(), key, "the same key");
  await tab.locator("[name=code]").fill(shows(key));
  await send(tab, "/account/factors/confirm");
  await stops(tab, "factors", manner);
  assert.equal(await tab.locator("#factor-list li").count(), 1);
  return key;
}

for (const [place, manner] of MANNERS.entries()) {
  test(manner.name, async (t) => {
    const anteroom = await demo();
    const person = place % 2 === 0 ? "alice" : "bob";
    const tab = await page(t, { ...anteroom, ...optionsOf(manner) });
    await toApps(tab, anteroom, person);
    await stops(tab, "factors", manner);
    const key = await adds(tab, manner);

    const elsewhere = await page(t, { ...anteroom, ...optionsOf(manner) });
    await toDashboard(elsewhere, person);
    await elsewhere.goto(app.request({ acr_values: "urn:anteroom:acr:mfa" }));
    await stops(elsewhere, "verify-identity", manner);
    await elsewhere.locator("[name=method][value=totp]").check();
    await send(elsewhere, "/verify/send");
    await stops(elsewhere, "enter-code", manner);
    // The one that confirmed the app is spent; the next counts already.
    await enterCode(elsewhere, shows(key, 1));
    assert.equal((await answered(elsewhere)).state, "a-state");

    await send(tab, "/account/factors/remove");
    await stops(tab, "factors", manner);
    assert.equal(await tab.locator("#factor-list").count(), 0);
  });
}
