// The provider's frame (OpenID Connect Session Management 1.0 §3.2). A script of an application asks "CLIENT_ID
// SESSION_STATE" and hears whether the state of this browser is still the one that its sign-in was answered with. Its
// origin is part of the hash, so nobody learns anything of a sign-in that was not theirs.
const base64url = (bytes) =>
  btoa(String.fromCharCode(...new Uint8Array(bytes))).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");

const hash = async (text) => base64url(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)));

const browserState = () => document.cookie.match(/(?:^|; )op_browser_state=([^;]*)/)?.[1];

// Whether a missing cookie means that there is none. A browser that keeps cookies from frames must not look like one in
// which somebody has signed out: the application would ask for sign-ins without end.
const seesCookies = async () => !document.hasStorageAccess || (await document.hasStorageAccess());

async function judge(question, origin) {
  const [, client, sent, salt] = /^(.+) ([^ .]+)\.([^ .]+)$/.exec(question) ?? [];
  if (!client || !crypto.subtle) return "error";
  const state = browserState();
  if (!state) return (await seesCookies()) ? "changed" : "error";
  return (await hash(`${client} ${origin} ${state} ${salt}`)) === sent ? "unchanged" : "changed";
}

addEventListener("message", async ({ data, origin, source }) => {
  // A page of no origin cannot be answered without everyone being able to listen.
  if (typeof data !== "string" || !source || origin === "null") return;
  source.postMessage(await judge(data, origin).catch(() => "error"), origin);
});
