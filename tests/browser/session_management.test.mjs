// Session management: a script of an application asks Anteroom's frame whether the person it knows is still the one who is
// signed in. The application is on the same site, for the browser of these tests keeps cookies from the frames of others.

import assert from "node:assert/strict";
import test, { after } from "node:test";
import { demo, page, useWholeBrowser } from "./harness.mjs";
import { answered, application } from "./harness/application.mjs";
import { going, signedIn, signInHere } from "./harness/practice.mjs";

useWholeBrowser();

const anteroom = await demo();
const app = await application(after);
const CLIENT = "demo-native";
const SAME_SITE = app.url.replace("127.0.0.1", "localhost");

/** Asks the frame from the page that `tab` shows; where the answer came from is part of it. */
function ask(tab, question) {
  return tab.evaluate(
    async ([provider, question]) => {
      const loaded = async () => {
        const frame = Object.assign(document.createElement("iframe"), { id: "op", src: `${provider}/check-session` });
        const load = new Promise((resolve) => frame.addEventListener("load", resolve));
        document.body.append(frame);
        await load;
        return frame;
      };
      const frame = document.getElementById("op") ?? (await loaded());
      const answer = new Promise((resolve) => addEventListener("message", resolve, { once: true }));
      frame.contentWindow.postMessage(question, provider);
      const { data, origin } = await answer;
      if (origin !== provider) throw new Error(`answered from ${origin}`);
      return data;
    },
    [anteroom.url, question],
  );
}

const request = (site, parameters = {}) => app.request({ redirect_uri: `${site}/callback`, ...parameters });

/** Alice, back at the application with the answer to its request. */
async function signedInAtApplication(t, site = SAME_SITE) {
  const tab = await page(t, anteroom);
  await tab.goto(request(site));
  await signInHere(tab, "alice");
  const { session_state } = await answered(tab);
  return { tab, known: `${CLIENT} ${session_state}` };
}

test("the state stays while nothing happens, and changes at sign-out", async (t) => {
  const { tab, known } = await signedInAtApplication(t);
  assert.equal(await ask(tab, known), "unchanged");
  const other = await tab.context().newPage();
  await other.goto("/dashboard");
  assert.equal(await ask(tab, known), "unchanged");
  await going(other, () => other.locator("form[action='/sign-out'] button").click());
  assert.equal(await ask(tab, known), "changed");
});

test("it changes when somebody else signs in, and a silent request says the new one", async (t) => {
  const { tab, known } = await signedInAtApplication(t);
  assert.equal(await ask(tab, known), "unchanged");
  const other = await tab.context().newPage();
  await signedIn(other, "bob");
  assert.equal(await ask(tab, known), "changed");
  await other.goto(request(SAME_SITE, { prompt: "none", login_hint: "alice@demo.example" }));
  const { session_state, error } = await answered(other);
  assert.equal(error, undefined);
  assert.equal(await ask(tab, `${CLIENT} ${session_state}`), "unchanged");
});

test("a state means nothing for another client, and a malformed question is an error", async (t) => {
  const { tab, known } = await signedInAtApplication(t);
  assert.equal(await ask(tab, known.replace(CLIENT, "demo-web")), "changed");
  assert.equal(await ask(tab, `${known}x`), "changed");
  for (const question of ["", "x", CLIENT, `${CLIENT} `, `${CLIENT} no-salt`]) {
    assert.equal(await ask(tab, question), "error", question);
  }
  await tab.context().clearCookies();
  assert.equal(await ask(tab, known), "changed");
});

test("a browser that keeps cookies from the frame does not look like one that was signed out", async (t) => {
  const { tab, known } = await signedInAtApplication(t, app.url);
  assert.equal(await ask(tab, known), "error");
});
