// Journeys one after another in one browser: to begin with a new one each time would take most of the time.

import test from "node:test";
import { page } from "./browser.mjs";

/**
 * Journeys that share a browser of these `options`, each begun with nothing kept from the one before:
 *
 *   journeys("at the dashboard", anteroom, (journey) => {
 *     journey("alice sees her tiles", async (tab, t) => { … });
 *   });
 */
export function journeys(title, options, register) {
  const registered = [];
  register((name, walk) => registered.push([name, walk]));
  test(title, async (t) => {
    const tab = await page(t, options);
    for (const [name, walk] of registered) {
      await t.test(name, async (t) => {
        await forget(tab);
        await walk(tab, t);
      });
    }
  });
}

async function forget(tab) {
  const context = tab.context();
  for (const other of context.pages()) if (other !== tab) await other.close();
  await tab.unrouteAll();
  await context.clearCookies();
}
