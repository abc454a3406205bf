// The strict policy of Anteroom's pages never stands in the way of a form that ends at an application on another origin:
// browsers hold `form-action` against every redirect of a form's answer. The harness looks for violations on every page of
// every journey; here it is shown that it would find this one.

import assert from "node:assert/strict";
import test, { after } from "node:test";
import { demo, page, signIn } from "./harness.mjs";
import { answered, application } from "./harness/application.mjs";
import { journeys } from "./harness/journeys.mjs";
import { applicationsOf, PAGES } from "./harness/pages.mjs";
import { address, eventually, going, greets, PASSWORD, signedIn, signInHere } from "./harness/practice.mjs";
import { CELLS, verify } from "./harness/ways.mjs";

const anteroom = await demo();
const app = await application(after);

test("were sign-in held to its own origin, it would be stopped, and this would notice", async (t) => {
  // Watched by this test, not by the harness, which would fail it.
  const tab = await page({ after: () => t.after(() => tab.context().close()) }, anteroom);
  const violations = [];
  await tab.exposeFunction("violated", (directive) => violations.push(directive));
  await tab.addInitScript(() => {
    addEventListener("securitypolicyviolation", (event) => window.violated(event.violatedDirective));
  });
  await tab.route("**/authorize*", async (route) => {
    const response = await route.fetch();
    const headers = response.headers();
    const policy = `${headers["content-security-policy"]}; form-action 'self'`;
    await route.fulfill({ response, headers: { ...headers, "content-security-policy": policy } });
  });
  await tab.goto(app.request());
  const violation = tab.waitForEvent("console", (message) => /content security policy/i.test(message.text()));
  await tab.locator("[name=email]").fill(address("alice"));
  await tab.locator("[name=password]").fill(PASSWORD);
  await tab.getByRole("button", { name: "Sign In" }).click();
  await violation;
  await eventually("the event of the violation", () => violations.length === 1);
  assert.deepEqual(violations, ["form-action"]);
});

const ends = async (tab, expected = { state: "a-state" }) => {
  assert.equal(new URL(tab.url()).origin, app.url);
  const answer = await answered(tab);
  for (const [name, value] of Object.entries(expected)) assert.equal(answer[name], value);
  assert.equal(answer.iss, anteroom.url);
};

for (const js of [true, false]) {
  journeys(`with scripts ${js ? "on" : "off"}, a form ends at an application`, { ...anteroom, js }, (journey) => {
    journey("sign-in, for a sample application, and its own sign-out", async (tab) => {
      await signedIn(tab, "alice");
      const { schedule } = await applicationsOf(tab, ["schedule"]);
      await tab.context().clearCookies();
      await tab.goto(schedule);
      await signInHere(tab, "alice");
      assert.equal(tab.url(), schedule);
      await greets(tab, "alice");
      await going(tab, () => tab.locator("#sign-out button").click());
      assert.equal(new URL(tab.url()).origin, new URL(schedule).origin);
    });

    journey("sign-in, after a wrong password", async (tab) => {
      await tab.goto(app.request());
      await signIn(tab, address("alice"), "not her password");
      await signInHere(tab, "alice");
      await ends(tab);
    });

    journey("sign-in, answered by a form", async (tab) => {
      await tab.goto(app.request({ response_mode: "form_post" }));
      const arrived = tab.waitForURL(`${app.url}/**`);
      await signInHere(tab, "alice");
      if (!js) await tab.locator("#form-post button").click();
      await arrived;
      await ends(tab);
    });

    journey("a choice among accounts", async (tab) => {
      await PAGES["choose-account-for-application"]({ tab, app });
      await going(tab, () => tab.getByRole("button", { name: "bob@demo.example" }).click());
      await ends(tab);
    });

    journey("a code, where the application asks for a second factor", async (tab) => {
      await PAGES["verify-identity-step-up"]({ tab, app });
      await verify(tab, anteroom, "text", CELLS.alice);
      await ends(tab);
    });

    for (const [decision, expected] of [["allow", { state: "a-state" }], ["deny", { error: "access_denied" }]]) {
      journey(`consent: ${decision}`, async (tab) => {
        await PAGES.consent({ tab, app });
        await going(tab, () => tab.locator(`[name=decision][value=${decision}]`).click());
        await ends(tab, expected);
      });
    }

    journey("the answer to \"Sign out?\"", async (tab) => {
      await signedIn(tab, "alice");
      const back = { post_logout_redirect_uri: `${app.url}/signed-out`, client_id: "demo-native", state: "bye" };
      await tab.goto(`/end-session?${new URLSearchParams(back)}`);
      await going(tab, () => tab.getByRole("button", { name: "Sign Out" }).click());
      assert.equal(tab.url(), `${app.url}/signed-out?state=bye`);
    });
  });
}
