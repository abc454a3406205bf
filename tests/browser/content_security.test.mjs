// The strict policy of Anteroom's pages never stands in the way of a form that ends at an application on another origin:
// browsers hold `form-action` against every redirect of a form's answer.

import assert from "node:assert/strict";
import test, { after, describe } from "node:test";
import { demo, page } from "./harness.mjs";
import { answered, application } from "./harness/application.mjs";
import { PAGES, applicationsOf } from "./harness/pages.mjs";
import { address, eventually, going, greets, PASSWORD, signInHere, toDashboard } from "./harness/practice.mjs";

const anteroom = await demo();
const app = await application(after);

/** A page that also collects what the browser tells scripts of violations; the harness reads the console. */
async function watched(t, options) {
  const tab = await page(t, { ...anteroom, ...options });
  const violations = [];
  await tab.context().exposeFunction("violated", (violation) => violations.push(violation));
  await tab.context().addInitScript(() => {
    addEventListener("securitypolicyviolation", (event) =>
      window.violated(`${event.documentURI}: ${event.violatedDirective}: ${event.blockedURI}`));
  });
  t.after(() => assert.deepEqual(violations, []));
  return { tab, violations };
}

test("were sign-in held to its own origin, it would be stopped, and this would notice", async (t) => {
  const { tab, violations } = await watched({ after: () => {} });
  t.after(() => tab.context().close());
  await tab.route("**/authorize*", async (route) => {
    const response = await route.fetch();
    const headers = response.headers();
    const policy = `${headers["content-security-policy"]}; form-action 'self'`;
    await route.fulfill({ response, headers: { ...headers, "content-security-policy": policy } });
  });
  await tab.goto(app.request());
  const told = tab.waitForEvent("console", (message) => /content security policy/i.test(message.text()));
  await tab.locator("[name=email]").fill(address("alice"));
  await tab.locator("[name=password]").fill(PASSWORD);
  await tab.getByRole("button", { name: "Sign In" }).click();
  await told;
  await eventually("the event of the violation", () => violations.length === 1);
  assert.match(violations[0], /form-action/);
});

for (const js of [true, false]) {
  describe(`with scripts ${js ? "on" : "off"}, a form that ends at an application`, () => {
    const open = async (t) => (js ? (await watched(t)).tab : page(t, { ...anteroom, js }));
    const ends = async (tab, expected = { state: "a-state" }) => {
      assert.equal(new URL(tab.url()).origin, app.url);
      const answer = await answered(tab);
      for (const [name, value] of Object.entries(expected)) assert.equal(answer[name], value);
      assert.equal(answer.iss, anteroom.url);
    };

    test("sign-in, for a sample application", async (t) => {
      const helper = await open(t);
      await toDashboard(helper, "alice");
      const { schedule } = await applicationsOf(helper);
      const tab = await open(t);
      await tab.goto(schedule);
      await signInHere(tab, "alice");
      assert.equal(tab.url(), schedule);
      await greets(tab, "alice");
      await going(tab, () => tab.locator("#sign-out button").click());
      assert.equal(new URL(tab.url()).origin, new URL(schedule).origin);
    });

    test("sign-in, after a wrong password", async (t) => {
      const tab = await open(t);
      await tab.goto(app.request());
      await tab.locator("[name=email]").fill("alice@demo.example");
      await tab.locator("[name=password]").fill("wrong");
      await going(tab, () => tab.locator("main [type=submit]").click());
      await signInHere(tab, "alice");
      await ends(tab);
    });

    test("sign-in, answered by a form", async (t) => {
      const tab = await open(t);
      await tab.goto(app.request({ response_mode: "form_post" }));
      const arrived = tab.waitForURL(`${app.url}/**`);
      await signInHere(tab, "alice");
      if (!js) await tab.locator("#form-post button").click();
      await arrived;
      await ends(tab);
    });

    test("a choice among accounts", async (t) => {
      const tab = await open(t);
      await PAGES["choose-account"]({ tab });
      await tab.goto(app.request());
      await going(tab, () => tab.getByRole("button", { name: "bob@demo.example" }).click());
      await ends(tab);
    });

    for (const [decision, expected] of [["allow", { state: "a-state" }], ["deny", { error: "access_denied" }]]) {
      test(`consent: ${decision}`, async (t) => {
        const tab = await open(t);
        await toDashboard(tab, "alice");
        await tab.goto(app.request({ prompt: "consent" }));
        await going(tab, () => tab.locator(`[name=decision][value=${decision}]`).click());
        await ends(tab, expected);
      });
    }

    test("the answer to \"Sign out?\"", async (t) => {
      const tab = await open(t);
      await toDashboard(tab, "alice");
      const back = { post_logout_redirect_uri: `${app.url}/signed-out`, client_id: "demo-native", state: "bye" };
      await tab.goto(`/end-session?${new URLSearchParams(back)}`);
      await going(tab, () => tab.getByRole("button", { name: "Sign Out" }).click());
      assert.equal(tab.url(), `${app.url}/signed-out?state=bye`);
    });
  });
}
