// How people come: with or without scripts, at a desk or on a phone, in English or in Spanish. Of the eight ways to combine
// these, four in which each pair of them meets.

import assert from "node:assert/strict";
import { isAt, leadsOn } from "./practice.mjs";

export const MANNERS = [
  { name: "with scripts, at a desk, in English", js: true, phone: false, language: "en" },
  { name: "without scripts, on a phone, in English", js: false, phone: true, language: "en" },
  { name: "with scripts, on a phone, in Spanish", js: true, phone: true, language: "es" },
  { name: "without scripts, at a desk, in Spanish", js: false, phone: false, language: "es" },
];

/** What a browser is opened with. */
export const optionsOf = ({ js, phone, language }) => ({ js, phone, locale: { en: "en-US", es: "es-US" }[language] });

/**
 * Where somebody stops on the way: fails unless the page is the one whose heading has this `id`, in their language, no wider
 * than their screen, the same after a refresh, and the same in a second tab.
 */
export async function stops(tab, id, { language }) {
  await isHere(tab, id, language);
  await tab.reload();
  await isHere(tab, id, language);
  const second = await tab.context().newPage();
  await second.goto(tab.url());
  await isHere(second, id, language);
  await second.close();
}

async function isHere(tab, id, language) {
  if (id) await isAt(tab, id);
  await leadsOn(tab);
  assert.equal(await tab.locator("html").getAttribute("lang"), language, tab.url());
  const { width } = tab.viewportSize();
  const wide = await tab.evaluate(() => document.documentElement.scrollWidth);
  assert.ok(wide <= width, `${tab.url()} is ${wide} pixels wide where there are ${width}`);
}

/** Back, and forward again: each ends on a page that leads on. */
export async function looksBack(tab) {
  await tab.goBack();
  await leadsOn(tab);
  await tab.goForward();
  await leadsOn(tab);
}
