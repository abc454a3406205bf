// A password that was forgotten, or an account that is locked: from an application, by mail and phone, and back to it.

import assert from "node:assert/strict";
import test, { after } from "node:test";
import { demo, page, signIn } from "./harness.mjs";
import { answered, application } from "./harness/application.mjs";
import { address, asksToSignIn, going, isAt, PASSWORD } from "./harness/practice.mjs";
import {
  CELLS, choosePassword, enterCode, LANDLINES, mailed, NEW_PASSWORD, send, sendAgain, sendCode, verify,
} from "./harness/ways.mjs";

const app = await application(after);
const follow = (tab, link) => going(tab, () => tab.locator(link).first().click());

const MANNERS = [
  { name: "with scripts, on a desk, in English", options: { js: true, locale: "en-US" }, lang: "en", title: "Check your email" },
  {
    name: "without scripts, on a phone, in Spanish",
    options: { js: false, phone: true, locale: "es-ES" },
    lang: "es",
    title: "Revise su correo",
  },
];

/** From the application's request to "Check your email". Returns the mail. */
async function asks(tab, anteroom, person, { lang, title }) {
  await tab.goto(app.request());
  assert.equal(await tab.locator("html").getAttribute("lang"), lang);
  // Carol's is locked: the right password is refused like a wrong one.
  await signIn(tab, address(person), person === "carol" ? PASSWORD : "forgotten");
  await follow(tab, "#help a[href^='/forgot-password']");
  await isAt(tab, "forgot-password");
  assert.match(await tab.locator(".lead").innerText(), /Demo native application/);
  // Whoever remembers it after all is still on the way to the application.
  await follow(tab, ".ways a");
  await asksToSignIn(tab, anteroom);
  assert.match(await tab.locator(".lead").innerText(), /Demo native application/);
  await follow(tab, "a[href^='/forgot-password']");
  const mail = await mailed(tab, anteroom, person);
  await isAt(tab, "recovery-asked");
  assert.equal(await tab.locator("h1").innerText(), title);
  return mail;
}

/** The link of the mail, as it is in a tab of the same browser. */
async function opens(tab, { link }) {
  const letter = await tab.context().newPage();
  // Opening changes nothing, however often.
  for (let time = 0; time < 2; time += 1) await letter.goto(link);
  await isAt(letter, "recovery-link");
  await send(letter, "/recover");
  await isAt(letter, "verify-identity");
  return letter;
}

/** Every turn that the two pages of a code offer, to "New password". */
async function provesIdentity(tab, anteroom, person) {
  const offered = await tab.locator("[name=method]").evaluateAll((methods) => methods.map(({ value }) => value.split(":")[0]));
  assert.deepEqual(offered, ["text", "call", "call"], "a landline takes no texts");
  assert.doesNotMatch(await tab.locator("main").innerText(), /5550\d{3}/, "numbers are masked");
  const texted = await sendCode(tab, anteroom, "text", CELLS[person]);
  await isAt(tab, "enter-code");
  assert.equal(await tab.locator("[name=code]").getAttribute("autocomplete"), "one-time-code");
  const again = await sendAgain(tab, anteroom, "text", CELLS[person]);
  await tab.locator("#notice").waitFor();
  assert.notEqual(again, texted);
  await enterCode(tab, texted);
  await tab.locator("#problem").waitFor();
  await follow(tab, "a[href*='choose=1']");
  await isAt(tab, "verify-identity");
  const called = await sendCode(tab, anteroom, "call", LANDLINES[person], 1);
  await enterCode(tab, called);
  await isAt(tab, "new-password");
}

/** Through what the rules refuse to a password that they take. */
async function choosesPassword(tab, email) {
  assert.equal(await tab.locator("[autocomplete=username]").inputValue(), email, "what password managers save it for");
  const refused = [["", ""], [NEW_PASSWORD, `${NEW_PASSWORD}3`], ["short", "short"], [PASSWORD, PASSWORD]];
  for (const [entered, again] of refused) {
    await choosePassword(tab, entered, again);
    await tab.locator("#problem").waitFor();
    assert.equal(await tab.locator("[name=new_password]").inputValue(), "");
  }
  await choosePassword(tab, NEW_PASSWORD);
  await isAt(tab, "password-changed");
}

/** Sign-in with the address filled in; it ends at the application, with the state of its request. */
async function carriesOn(tab, anteroom, email) {
  await follow(tab, "#forward");
  await asksToSignIn(tab, anteroom);
  assert.equal(await tab.locator("[name=email]").inputValue(), email);
  await signIn(tab, email, NEW_PASSWORD);
  assert.equal((await answered(tab)).state, "a-state");
}

for (const manner of MANNERS) {
  const anteroom = await demo();
  const opts = { ...anteroom, ...manner.options };

  test(`carol, who is locked, ${manner.name}`, async (t) => {
    const tab = await page(t, opts);
    const mail = await asks(tab, anteroom, "carol", manner);
    const letter = await opens(tab, mail);
    await provesIdentity(letter, anteroom, "carol");
    await choosesPassword(letter, address("carol"));
    await carriesOn(letter, anteroom, address("carol"));
    await letter.goto(mail.link);
    await send(letter, "/recover");
    await isAt(letter, "error-link-dead");
    await follow(letter, "#forward");
    await isAt(letter, "forgot-password");
  });

  test(`alice types the code of the mail, ${manner.name}`, async (t) => {
    const tab = await page(t, opts);
    const { code } = await asks(tab, anteroom, "alice", manner);
    await tab.locator("[name=code]").fill("AAAAA-AAAAA");
    await send(tab, "/recover/code");
    await isAt(tab, "recovery-asked");
    await tab.locator("#problem").waitFor();
    await tab.locator("[name=code]").fill(` ${code.toLowerCase()} `);
    await send(tab, "/recover/code");
    await verify(tab, anteroom, "text", CELLS.alice);
    await choosePassword(tab, NEW_PASSWORD);
    await carriesOn(tab, anteroom, address("alice"));
  });
}
