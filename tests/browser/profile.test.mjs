// Your details: said in each manner, corrected where they cannot be used, and told to the application that may know them.

import assert from "node:assert/strict";
import test from "node:test";
import { axe, demo, page } from "./harness.mjs";
import { MANNERS, optionsOf, stops } from "./harness/manners.mjs";
import { dashboardOf, going, isAt, openTile, toDashboard } from "./harness/practice.mjs";
import { send } from "./harness/ways.mjs";

const PAGE = "/account/profile";

const field = (tab, name) => tab.locator(`[name=${name}]`);

/** What the sample application got to know from userinfo. */
async function claimsAt(dashboard, tile) {
  const application = await openTile(dashboard, tile);
  const claims = await application.context().request.get(new URL("/claims.json", application.url()).href);
  await application.close();
  return (await claims.json()).userinfo;
}

for (const manner of MANNERS) {
  test(manner.name, async (t) => {
    const anteroom = await demo();
    const tab = await page(t, { ...anteroom, ...optionsOf(manner) });
    await toDashboard(tab, "alice");
    await going(tab, () => tab.locator(`a[href='${PAGE}']`).click());
    await stops(tab, "profile", manner);

    await field(tab, "nickname").fill("Al");
    await field(tab, "birthdate").fill("17 May 1984");
    await field(tab, "locale").selectOption({ index: 1 });
    const chosen = await field(tab, "locale").inputValue();
    await send(tab, PAGE);
    await isAt(tab, "profile");
    assert.equal(await tab.locator("#notice").count(), 0, "nothing is saved");
    await tab.locator("#problem a").click();
    assert.equal(new URL(tab.url()).hash, "#claim-birthdate");
    assert.equal(await field(tab, "birthdate").getAttribute("aria-invalid"), "true");
    assert.deepEqual(
      [await field(tab, "nickname").inputValue(), await field(tab, "birthdate").inputValue()],
      ["Al", "17 May 1984"],
      "what was entered stays",
    );
    await axe(tab);

    await field(tab, "birthdate").fill("1984-05-17");
    await send(tab, PAGE);
    await tab.locator("#notice").waitFor();
    assert.equal(await tab.locator("#problem").count(), 0);
    await axe(tab);
    await stops(tab, "profile", manner);
    assert.deepEqual(
      [await field(tab, "nickname").inputValue(), await field(tab, "locale").inputValue()],
      ["Al", chosen],
      "what was saved is there",
    );

    await going(tab, () => tab.locator(".ways a[href='/dashboard']").click());
    await dashboardOf(tab, "alice");
    const { nickname, birthdate, locale } = await claimsAt(tab, "Schedule");
    assert.deepEqual({ nickname, birthdate, locale }, { nickname: "Al", birthdate: "1984-05-17", locale: chosen });
  });
}
