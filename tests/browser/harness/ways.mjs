// The ways on which messages are needed: a new password, a code to a phone, a registration. By names and addresses of forms
// alone, so that the language does not matter.

import { address, eventually, going } from "./practice.mjs";

/** Phones of the demo's people. */
export const CELLS = { alice: "+12025550143", bob: "+12025550127", carol: "+12025550164" };
export const LANDLINES = { alice: "+12025550186", carol: "+12025550119", dave: "+12025550172" };

/** Good enough for anyone, and of the past for nobody. */
export const NEW_PASSWORD = "lemon-tide-harbor-92";

/** Everything that was sent, newest first. */
export async function outbox(anteroom) {
  return (await fetch(`${anteroom.url}/dev/outbox.json`)).json();
}

/** The message over `channel` to `to` that comes because of `act`. */
export async function receive(anteroom, channel, to, act) {
  const newest = async () => (await outbox(anteroom)).find((one) => one.channel === channel && one.to === to);
  const before = await newest();
  await act();
  let message;
  await eventually(`the ${channel} to ${to}`, async () => {
    message = await newest();
    return message?.id !== before?.id;
  });
  return message;
}

/** Sends the form with this action that is on the page. */
export const send = (tab, action) => going(tab, () => tab.locator(`form[action='${action}'] [type=submit]`).click());

/** At "Forgot Password". */
export async function ask(tab, email) {
  await tab.locator("[name=email]").fill(email);
  await send(tab, "/forgot-password");
}

/** The mail that `person` gets for asking at the page that is open. */
export const mailed = (tab, anteroom, person) =>
  receive(anteroom, "email", address(person), () => ask(tab, address(person)));

/** From nowhere to "Verify your identity", by the link of a mail. */
export async function toVerification(tab, anteroom, person) {
  await tab.goto("/forgot-password");
  const { link } = await mailed(tab, anteroom, person);
  await tab.goto(link);
  await send(tab, "/recover");
}

/** At "Verify your identity": the code that comes by this `method`, `text` or `call`, to `number`, the `nth` that it reaches. */
export async function sendCode(tab, anteroom, method, number, nth = 0) {
  await tab.locator(`[name=method][value^='${method}:']`).nth(nth).check();
  return (await receive(anteroom, method, number, () => send(tab, "/verify/send"))).code;
}

/** At "Enter your code": the one that comes for asking again. */
export async function sendAgain(tab, anteroom, method, number) {
  return (await receive(anteroom, method, number, () => send(tab, "/verify/send"))).code;
}

export async function enterCode(tab, code) {
  await tab.locator("[name=code]").fill(code);
  await send(tab, "/verify/code");
}

/** From "Verify your identity" past "Enter your code". */
export async function verify(tab, anteroom, method, number, nth = 0) {
  await enterCode(tab, await sendCode(tab, anteroom, method, number, nth));
}

/** A code that is well-formed, and wrong. */
export const otherThan = (code) => (code.startsWith("0") ? `1${code.slice(1)}` : `0${code.slice(1)}`);

export async function choosePassword(tab, password, again = password) {
  await tab.locator("[name=new_password]").fill(password);
  await tab.locator("[name=confirm_password]").fill(again);
  await send(tab, "/new-password");
}

/** The link of the newest invitation of erin's. */
export async function invitation(anteroom) {
  return (await outbox(anteroom)).find(({ to, link }) => to === address("erin") && link).link;
}

/** From nowhere to "Add a phone". */
export async function toPhones(tab, anteroom) {
  await tab.goto(await invitation(anteroom));
  await send(tab, "/register");
}

export async function addPhone(tab, number, kind) {
  // Behind a link, once one is verified.
  const another = tab.locator("details:not([open]) > summary");
  if (await another.count()) await another.click();
  await tab.locator("[name=phone]").fill(number);
  if (kind) await tab.locator(`[name=phone_kind][value=${kind}]`).check();
  await send(tab, "/register/phone");
}
