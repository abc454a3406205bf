// Every page that people meet, and how a browser that has been nowhere comes to it. By names and ids alone, so that the
// language does not matter.

import { PAGES_OF_WAYS } from "./pages_of_ways.mjs";
import { signIn } from "./sign_in.mjs";
import { address, addressOfApplication, going, PASSWORD, signedIn } from "./practice.mjs";

const CLIENTS = ["schedule", "patient-forms", "secure-mail", "imaging", "analytics"];
const FAILURES_UNTIL_LOCKED = 6;

/** Pages of Anteroom by name; each function leads `tab` there. `app` is a developer's application (`application.mjs`). */
export const PAGES = {
  "sign-in": ({ tab }) => tab.goto("/sign-in"),
  "sign-in-for-application": ({ tab, app }) => tab.goto(app.request({ login_hint: address("alice") })),
  "sign-in-refused": async ({ tab }) => {
    await tab.goto("/sign-in");
    await signIn(tab, address("alice"), "not her password");
  },
  "sign-in-missing": async ({ tab }) => {
    await tab.goto("/sign-in");
    await signIn(tab, "", "");
  },
  "sign-in-stale": async ({ tab }) => {
    await tab.goto("/sign-in");
    await outdate(tab);
    await signIn(tab, address("alice"), PASSWORD);
  },
  "sign-in-locked-here": async ({ tab }) => {
    await dashboard(tab, "frank");
    await going(tab, () => tab.locator("form[action='/sign-out'] button").click());
    for (let failure = 0; failure < FAILURES_UNTIL_LOCKED; failure += 1) {
      await tab.goto("/sign-in");
      await signIn(tab, address("frank"), "not his password");
    }
  },
  "sign-in-again": async ({ tab, app }) => {
    await signedIn(tab, "alice");
    await tab.goto(app.request({ prompt: "login" }));
  },
  "sign-in-signed-out": ({ tab }) => tab.goto("/sign-in?signed-out=1"),
  "sign-in-session-ended": ({ tab }) => tab.goto("/sign-in?ended=idle"),
  "dashboard": ({ tab }) => dashboard(tab, "alice"),
  "dashboard-session-ending": async ({ tab }) => {
    await endingSoon(tab);
    await dashboard(tab, "alice");
    await tab.getByRole("alertdialog").waitFor();
  },
  "dashboard-front-desk": ({ tab }) => dashboard(tab, "bob"),
  "choose-account": async ({ tab }) => {
    await twoAccounts(tab);
    await tab.goto("/choose-account");
  },
  "choose-account-for-application": async ({ tab, app }) => {
    await twoAccounts(tab);
    await tab.goto(app.request());
  },
  "consent": async ({ tab, app }) => {
    await signedIn(tab, "alice");
    await tab.goto(app.request({ prompt: "consent", scope: "openid profile email address phone groups offline_access" }));
  },
  "profile": async ({ tab }) => {
    await signedIn(tab, "alice");
    await tab.goto("/account/profile");
  },
  "profile-refused": async ({ tab }) => {
    await signedIn(tab, "alice");
    await tab.goto("/account/profile");
    await tab.locator("[name=birthdate]").fill("17 May 1984");
    await going(tab, () => tab.locator("form[action='/account/profile'] [type=submit]").click());
  },
  "not-entitled": async ({ tab, applications }) => {
    await signedIn(tab, "bob");
    await tab.goto(applications.imaging);
  },
  ...PAGES_OF_WAYS,
  "sign-out": async ({ tab }) => {
    await signedIn(tab, "alice");
    await tab.goto("/end-session?client_id=schedule");
  },
  "sign-out-stays": async ({ tab }) => {
    await signedIn(tab, "alice");
    await tab.goto("/end-session?client_id=schedule&post_logout_redirect_uri=https%3A%2F%2Felsewhere.example%2F");
  },
  "signed-out": async ({ tab }) => {
    await dashboard(tab, "alice");
    await going(tab, () => tab.locator("form[action='/sign-out'] button").click());
  },
  "form-post": async ({ tab, app }) => {
    // What moves on by itself cannot be looked at.
    await tab.route("**/form-post*.js", (route) => route.fulfill({ contentType: "text/javascript", body: "" }));
    await signedIn(tab, "alice");
    await tab.goto(app.request({ response_mode: "form_post" }));
  },
  "redirect": async ({ tab, app }) => {
    await tab.route("**/redirect*.js", (route) => route.fulfill({ contentType: "text/javascript", body: "" }));
    await signedIn(tab, "alice");
    await tab.goto(app.request({ state: "s".repeat(4_000) }));
  },
  "error-unknown-client": ({ tab, app }) => tab.goto(app.request({ client_id: "nobody" })),
  "error-redirect-uri-mismatch": ({ tab, app }) => tab.goto(app.request({ redirect_uri: "https://elsewhere.example/" })),
  "error-invalid-request": ({ tab }) => tab.goto("/end-session?post_logout_redirect_uri=https%3A%2F%2Felsewhere.example%2F"),
  "error-nothing-ended": ({ tab }) => tab.goto("/end-session"),
  "error-interaction-expired": ({ tab }) => tab.goto("/continue?interaction=garbage"),
  "error-answered-before": async ({ tab, app }) => {
    await tab.goto(app.request({}));
    const handle = await tab.locator("[name=interaction]").first().inputValue();
    await signedIn(tab, "alice");
    await tab.goto(`/continue?interaction=${handle}`);
    await tab.goto(`/continue?interaction=${handle}`);
  },
  "error-not-asked-here": ({ tab }) => tab.goto("/forgot-password/sent"),
  "error-stale-form": async ({ tab }) => {
    await dashboard(tab, "alice");
    await outdate(tab);
    await going(tab, () => tab.locator("form[action='/sign-out'] button").click());
  },
  "error-another-person": async ({ tab }) => {
    await signedIn(tab, "alice");
    await tab.goto("/account/profile");
    const other = await tab.context().newPage();
    await other.goto("/sign-in?another=1");
    await signIn(other, address("bob"), PASSWORD);
    await other.close();
    await going(tab, () => tab.locator("form[action='/account/profile'] [type=submit]").click());
  },
  "error-cross-site": async ({ tab, app, anteroom }) => {
    await tab.goto(app.url);
    await going(tab, () => postForm(tab, `${anteroom.url}/sign-in`, {}));
  },
  "error-not-found": ({ tab }) => tab.goto("/nowhere"),
  "error-method-not-allowed": async ({ tab }) => {
    await tab.goto("/sign-in");
    await going(tab, () => postForm(tab, "/dashboard", {}));
  },
  "error-too-large": async ({ tab }) => {
    await tab.goto("/sign-in");
    await going(tab, () => postForm(tab, "/sign-in", { email: "x".repeat(1_000_000) }));
  },
  "error-misdirected-host": ({ tab, anteroom }) => {
    const elsewhere = new URL(anteroom.url);
    elsewhere.hostname = `other.${elsewhere.hostname}`;
    return tab.goto(elsewhere.href);
  },
  "outbox": ({ tab }) => tab.goto("/dev/outbox"),
  "outbox-email": async ({ tab }) => {
    await tab.goto("/dev/outbox");
    await going(tab, () => tab.locator("[id^=message-] a.quiet").first().click());
  },
};

/** Pages of the sample applications, which speak English. */
export const APPLICATION_PAGES = {
  ...Object.fromEntries(
    CLIENTS.map((client) => [
      `application-${client}`,
      async ({ tab, applications }) => {
        await signedIn(tab, "alice");
        await tab.goto(applications[client]);
      },
    ]),
  ),
  "application-signed-out": async ({ tab, applications }) => {
    await signedIn(tab, "alice");
    await tab.goto(applications.schedule);
    await going(tab, () => tab.locator("#sign-out button").click());
  },
  "application-refused": async ({ tab, applications }) => {
    await signedIn(tab, "bob");
    await tab.goto(applications.imaging);
    await going(tab, () => tab.locator("form[action='/not-entitled'] button").click());
  },
  "application-not-waiting": ({ tab, applications }) => tab.goto(`${applications.schedule}callback?state=x&code=y`),
  "application-not-found": ({ tab, applications }) => tab.goto(`${applications.schedule}nowhere`),
};

/** Where sample applications live, told by `tab`, in which somebody is signed in whose they are. */
export async function applicationsOf(tab, clients = CLIENTS) {
  const addresses = clients.map(async (client) => [client, await addressOfApplication(tab, client)]);
  return Object.fromEntries(await Promise.all(addresses));
}

/** Makes the tokens of the forms on the page such as are worth nothing any more. */
export function outdate(tab) {
  return tab.locator("[name=form_token]").evaluateAll((fields) => fields.forEach((field) => (field.value = "AAAA")));
}

async function dashboard(tab, person) {
  await signedIn(tab, person);
  await tab.goto("/dashboard");
}

/** Lets the dashboard and the server speak of a session that has four minutes left. */
export async function endingSoon(tab) {
  await tab.route("**/dashboard", async (route) => {
    const response = await route.fetch();
    const body = (await response.text()).replace(/data-left="\d+"/, 'data-left="240"');
    await route.fulfill({ response, body });
  });
  await tab.route("**/session?*", (route) => route.fulfill({ json: { seconds: 240 } }));
}

async function twoAccounts(tab) {
  await signedIn(tab, "bob");
  await signedIn(tab, "alice");
}

function postForm(tab, action, fields) {
  return tab.evaluate(
    ([action, fields]) => {
      const form = Object.assign(document.createElement("form"), { method: "post", action });
      for (const [name, value] of Object.entries(fields)) {
        form.append(Object.assign(document.createElement("input"), { type: "hidden", name, value }));
      }
      document.body.append(form);
      form.submit();
    },
    [action, fields],
  );
}
