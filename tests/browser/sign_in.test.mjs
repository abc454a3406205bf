// Signing in, as each of the demo's people, with scripts and without.

import assert from "node:assert/strict";
import test from "node:test";
import { demo, page, signIn } from "./harness.mjs";
import { journeys } from "./harness/journeys.mjs";
import { receive } from "./harness/ways.mjs";
import { address, BOBS_TILES, dashboardOf, going, leadsOn, PASSWORD, TILES, tiles, toDashboard } from "./harness/practice.mjs";

const anteroom = await demo();
const WRONG = "not the password";

/** Sends the form and returns what came back, without what may differ: the address entered and the form's token. */
async function attempt(tab, email, password) {
  await tab.goto("/sign-in");
  const [answer] = await Promise.all([
    tab.waitForResponse((response) => response.request().method() === "POST"),
    signIn(tab, email, password),
  ]);
  const body = (await answer.text()).replaceAll(email, "EMAIL").replace(/name="form_token" value="[^"]+"/, "TOKEN");
  const cookies = (await answer.headersArray()).filter(({ name }) => name.toLowerCase() === "set-cookie");
  return { status: answer.status(), body, cookies };
}

/** Presses Tab until what has the focus is `locator`. */
async function tabTo(tab, locator) {
  for (let presses = 0; presses < 30; presses += 1) {
    if (await locator.evaluate((element) => element === document.activeElement)) return;
    await tab.keyboard.press("Tab");
  }
  assert.fail(`the keyboard does not reach ${locator}`);
}

for (const js of [true, false]) {
  journeys(`with scripts ${js ? "on" : "off"}`, { ...anteroom, js }, (journey) => {
    journey("alice, oddly spelt, sees five tiles", async (tab) => {
      await tab.goto("/");
      await signIn(tab, "  ALICE@demo.example ", PASSWORD);
      await dashboardOf(tab, "alice");
      assert.deepEqual(await tiles(tab), TILES);
      assert.match(await tab.locator("h1").textContent(), /^Welcome, Alice/);
      for (const tile of await tab.locator(".tile").all()) {
        assert.notEqual(await tile.locator("p").innerText(), "");
        assert.equal(await tile.locator(".tile-icon svg").count(), 1);
      }
    });

    for (const person of ["bob", "frank"]) {
      journey(`${person} sees three tiles`, async (tab) => {
        await toDashboard(tab, person);
        assert.deepEqual(await tiles(tab), BOBS_TILES);
      });
    }

    journey("a wrong password, a locked, an unregistered and an unknown account look the same", async (tab) => {
      const wrong = await attempt(tab, address("alice"), WRONG);
      assert.equal(wrong.status, 422);
      assert.equal(await leadsOn(tab), "Sign In");
      assert.equal(await tab.locator("#reference").count(), 0);
      const help = tab.locator("#help");
      assert.equal(await help.getByRole("link", { name: "Forgot Password" }).count(), 1);
      assert.equal(await help.getByRole("link", { name: "Complete your registration" }).count(), 1);
      for (const [email, password] of [
        [address("nobody"), PASSWORD],
        [address("carol"), WRONG],
        [address("carol"), PASSWORD],
        [address("erin"), PASSWORD],
      ]) {
        assert.deepEqual(await attempt(tab, email, password), wrong, email);
      }
      assert.equal(await tab.locator("[name=email]").inputValue(), address("erin"), "what was entered stays");
      assert.equal(await tab.locator("[name=password]").inputValue(), "");
    });

    journey("dave is told that his password has expired, and what comes next", async (tab) => {
      await tab.goto("/sign-in");
      await signIn(tab, address("dave"), PASSWORD);
      assert.equal(await leadsOn(tab), "Your password has expired");
      await tab.reload();
      assert.equal(await leadsOn(tab), "Your password has expired");
      await going(tab, () => tab.getByRole("button", { name: "Continue" }).click());
      await leadsOn(tab);
      await tab.goto("/dashboard");
      assert.equal(await leadsOn(tab), "Sign In", "he is not signed in");
    });

    journey("nothing entered is said field by field", async (tab) => {
      await tab.goto("/sign-in");
      await signIn(tab, address("alice"), "");
      assert.equal(await tab.locator("#password-problem").innerText(), "Enter your password");
      assert.equal(await tab.locator("#email-problem").count(), 0);
      await signIn(tab, "", "");
      assert.equal(await tab.locator("#email-problem").innerText(), "Enter your email address");
    });

    for (const name of ["Forgot Password", "Complete your registration"]) {
      journey(`"${name}" leads to a page that leads on`, async (tab) => {
        await tab.goto("/sign-in");
        await going(tab, () => tab.getByRole("link", { name }).click());
        await leadsOn(tab);
        await going(tab, () => tab.locator("main a").click());
        assert.equal(await leadsOn(tab), "Sign In");
      });
    }

    journey("the keyboard is enough", async (tab) => {
      await tab.goto("/sign-in");
      assert.equal(await tab.locator(":focus").getAttribute("name"), "email", "the cursor waits in the first field");
      await tab.keyboard.type(address("alice"));
      await tab.keyboard.press("Tab");
      await tab.keyboard.type(PASSWORD);
      await going(tab, () => tab.keyboard.press("Enter"));
      await dashboardOf(tab, "alice");

      await tab.keyboard.press("Tab");
      const skip = tab.getByRole("link", { name: "Skip to the content" });
      assert.equal(await skip.evaluate((link) => link === document.activeElement), true);
      await tab.keyboard.press("Enter");
      await tabTo(tab, tab.getByRole("link", { name: "Patient Forms" }));
      await going(tab, () => tab.keyboard.press("Enter"));
      assert.equal(await tab.locator("#greeting").textContent(), "Welcome, Alice");

      await tab.goto("/dashboard");
      await tabTo(tab, tab.getByRole("button", { name: "Sign Out" }));
      await going(tab, () => tab.keyboard.press("Enter"));
      assert.equal(await leadsOn(tab), "You are signed out");
    });

    journey("password managers find the fields, and pasting works", async (tab) => {
      await tab.goto("/sign-in");
      const fields = { email: "username", password: "current-password" };
      for (const [name, kind] of Object.entries(fields)) {
        const field = tab.locator(`[name=${name}]`);
        assert.equal(await field.getAttribute("autocomplete"), kind);
        await field.focus();
        await tab.keyboard.insertText("pasted");
        assert.equal(await field.inputValue(), "pasted");
      }
    });
  });
}

test("the password can be shown, and leaves as one", async (t) => {
  const tab = await page(t, anteroom);
  await tab.goto("/sign-in");
  const field = tab.locator("[name=password]");
  await tab.locator("[name=email]").fill(address("alice"));
  await field.fill(PASSWORD);
  await tab.getByRole("button", { name: "Show" }).click();
  assert.equal(await field.getAttribute("type"), "text");
  await tab.getByRole("button", { name: "Hide" }).click();
  assert.equal(await field.getAttribute("type"), "password");
  await tab.getByRole("button", { name: "Show" }).click();
  await going(tab, () => tab.getByRole("button", { name: "Sign In" }).click());
  await dashboardOf(tab, "alice");
});

test("six wrong passwords from an unknown browser lock the account for unknown browsers, not for the known device", async (t) => {
  const desk = await page(t, anteroom);
  await toDashboard(desk, "bob");
  await going(desk, () => desk.getByRole("button", { name: "Sign Out" }).click());
  const otherBrowser = await page(t, anteroom);
  const refused = await attempt(otherBrowser, address("bob"), WRONG);
  for (let failure = 2; failure <= 6; failure += 1) await attempt(otherBrowser, address("bob"), WRONG);
  assert.deepEqual(await attempt(otherBrowser, address("bob"), PASSWORD), refused, "the right one says no more than the wrong one");
  await toDashboard(desk, "bob");
});

test("on their own device people are told that they are locked, and how to get back in", async (t) => {
  const tab = await page(t, anteroom);
  await toDashboard(tab, "frank");
  await going(tab, () => tab.getByRole("button", { name: "Sign Out" }).click());
  const letter = await receive(anteroom, "email", address("frank"), async () => {
    for (let failure = 1; failure <= 6; failure += 1) await attempt(tab, address("frank"), WRONG);
  });
  await attempt(tab, address("frank"), PASSWORD);
  const problem = tab.locator("#problem");
  assert.match(await problem.innerText(), /Signing in is locked here/);
  await going(tab, () => problem.getByRole("link", { name: "Forgot Password" }).click());
  await leadsOn(tab);
  assert.match(letter.subject, /Too many wrong passwords/);
  assert.equal(letter.link, `${anteroom.url}/forgot-password`);
});
