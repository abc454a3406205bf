// Debian's dovecot on a free port: a mail server that lets people in by their access tokens alone, as the files in `dovecot/`
// have it.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after } from "node:test";
import { secretOf } from "./clients.mjs";
import { ISSUER } from "./issuer.mjs";
import { freePort, listening } from "./ports.mjs";

const PROGRAM = "/usr/sbin/dovecot";
const FILES = new URL("../dovecot/", import.meta.url);

/** Starts it with `settings` of `dovecot/` for its tokens. `keys` are files below `keys/`. Stops when the test file is done. */
export async function dovecot(settings, keys = {}) {
  const folder = mkdtempSync(join(tmpdir(), "anteroom-dovecot-"));
  after(() => rmSync(folder, { recursive: true, force: true }));
  // Its processes are of several users.
  chmodSync(folder, 0o755);
  mkdirSync(join(folder, "home"));
  chmodSync(join(folder, "home"), 0o777);
  const port = await freePort();
  const here = (name) => adapted(readFileSync(new URL(name, FILES), "utf8"), folder);
  writeFileSync(join(folder, "dovecot.conf"), configuration(folder, port) + here("10-oauth2.conf"));
  writeFileSync(join(folder, "oauth2.conf.ext"), here(settings));
  for (const [name, text] of Object.entries(keys)) {
    mkdirSync(join(folder, "keys", name, ".."), { recursive: true });
    writeFileSync(join(folder, "keys", name), text);
  }
  const child = spawn(PROGRAM, ["-F", "-c", join(folder, "dovecot.conf")], { stdio: ["ignore", "inherit", "inherit"] });
  const ended = once(child, "close");
  const kill = () => child.kill("SIGTERM");
  process.once("exit", kill);
  after(async () => {
    process.off("exit", kill);
    kill();
    await ended;
  });
  const log = () => readFileSync(join(folder, "log"), "utf8");
  await listening(port, () => child.exitCode === null, () => `dovecot does not start: ${log()}`);
  return { port, log };
}

/** The file with this provider and this folder in place of the operator's. */
function adapted(text, folder) {
  const issuer = new URL(ISSUER);
  return text
    .replaceAll("https://dovecot:SECRET@id.practice.example", `${issuer.protocol}//dovecot:${secretOf("dovecot")}@${issuer.host}`)
    .replaceAll("https://id.practice.example", ISSUER)
    .replaceAll("/etc/dovecot/", `${folder}/`);
}

function configuration(folder, port) {
  return `
protocols = imap
listen = 127.0.0.1
base_dir = ${join(folder, "run")}
state_dir = ${join(folder, "run")}
log_path = ${join(folder, "log")}
auth_verbose = yes
ssl = no
disable_plaintext_auth = no
auth_failure_delay = 0
mail_location = maildir:~/mail
userdb {
  driver = static
  args = uid=nobody gid=nogroup home=${join(folder, "home")}/%u
}
service imap-login {
  inet_listener imap {
    port = ${port}
  }
  inet_listener imaps {
    port = 0
  }
}
# Without a penalty for those who were refused before.
service anvil {
  unix_listener anvil-auth-penalty {
    mode = 0
  }
}
`;
}

/** Whether the server at `port` lets `user` in with this token and, if so, shows her inbox: RFC 7628, or what came before it. */
export async function opensInbox({ port }, mechanism, user, token) {
  const words = {
    OAUTHBEARER: `n,a=${user},\x01host=127.0.0.1\x01port=${port}\x01auth=Bearer ${token}\x01\x01`,
    XOAUTH2: `user=${user}\x01auth=Bearer ${token}\x01\x01`,
  };
  const socket = connect(port, "127.0.0.1");
  const lines = createInterface({ input: socket })[Symbol.asyncIterator]();
  const line = async () => (await lines.next()).value ?? "";
  const command = async (tag, text) => {
    socket.write(`${tag} ${text}\r\n`);
    for (let said = await line(); said; said = await line()) {
      // What it says of a refusal goes on once it is answered.
      if (said.startsWith("+")) socket.write("\r\n");
      if (said.startsWith(`${tag} `)) return said;
    }
    return "";
  };
  try {
    await line();
    const initial = Buffer.from(words[mechanism]).toString("base64");
    const entered = await command("a", `AUTHENTICATE ${mechanism} ${initial}`);
    if (entered.startsWith("a NO [AUTHENTICATIONFAILED]")) return false;
    const shown = await command("b", "SELECT INBOX");
    if (!shown.startsWith("b OK")) throw new Error(`dovecot says "${entered}", then "${shown}"`);
    return true;
  } finally {
    socket.destroy();
  }
}
