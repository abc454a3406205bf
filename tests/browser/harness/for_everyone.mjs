// Whether a page is fit for everyone: on a desk and on a phone, light and dark.

import assert from "node:assert/strict";
import { axe } from "./axe.mjs";

const DESK = { width: 1280, height: 800 };
const PHONE = { width: 390, height: 844 };
const EVERYWHERE = [[DESK, "light"], [DESK, "dark"], [PHONE, "light"], [PHONE, "dark"]];
// Pages are built alike in both languages: between the two, each page is looked at in every place.
export const SHARED = { en: [[DESK, "light"], [PHONE, "dark"]], es: [[DESK, "dark"], [PHONE, "light"]] };
// What no demo comes to is looked at in one place for each language.
export const SAMPLED = { en: [[DESK, "light"]], es: [[PHONE, "dark"]] };
// WCAG 2.2, 1.4.10: what a desk shows at 400 %.
const NARROW = { width: 320, height: 640 };

/** Fails unless the page that is open is fit for everyone, in `language`. */
export async function isForEveryone(tab, language, places = EVERYWHERE) {
  // Colours that are on their way to others are nobody's choice.
  await tab.emulateMedia({ reducedMotion: "reduce" });
  assert.equal(await tab.locator("html").getAttribute("lang"), language, tab.url());
  const arrangement = ([size, colorScheme]) => async () => {
    await tab.setViewportSize(size);
    await tab.emulateMedia({ colorScheme });
  };
  await axe(tab, places.map(arrangement));
  await tab.setViewportSize(NARROW);
  const wide = await tab.evaluate(() => document.documentElement.scrollWidth);
  assert.ok(wide <= NARROW.width, `${tab.url()} is ${wide} pixels wide where there are ${NARROW.width}`);
}
