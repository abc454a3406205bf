// An Anteroom as an operator sets it up, for other people's clients:
//
//   ANTEROOM_BIN=../../target/debug/anteroom node provider.mjs [postgres://…]
//
// `anteroom serve` with a configuration of its own, on a free port of loopback, with SQLite in a folder that goes with it or
// on the PostgreSQL that is named, whose database must be empty. Clients register themselves, and those of `clients/` are in the
// configuration. One person has completed her registration, at the pages and with the codes that came to the development
// outbox, as every person does. Once that is done it says "Ready: " and the issuer, and serves until it is told to stop.

import { execFileSync, spawn } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { CLIENTS, SECRETS } from "./harness/clients.mjs";
import { freePort } from "./harness/ports.mjs";
import { ALICE, register } from "./harness/person.mjs";

// How long it may take to come up. Generous, for machines that are busy.
const UP_WITHIN = 60_000;
const LAST_WORDS = 20;

// Where the kernel can be asked to, it stops the server if this is killed.
const TETHER = process.platform === "linux" ? ["setpriv", "--pdeathsig", "TERM", "--"] : [];

const { ANTEROOM_BIN: program } = process.env;
if (!program) throw new Error("Set ANTEROOM_BIN to the program.");

const folder = mkdtempSync(join(tmpdir(), "anteroom-interop-"));
process.once("exit", () => rmSync(folder, { recursive: true, force: true }));

cpSync(CLIENTS, join(folder, "clients.d"), { recursive: true });
mkdirSync(join(folder, "secrets"));
for (const [file, secret] of SECRETS) writeFileSync(join(folder, "secrets", file), secret, { mode: 0o600 });

const port = await freePort();
const issuer = `http://localhost:${port}`;
writeFileSync(join(folder, "anteroom.toml"), configuration(process.argv[2] ?? `sqlite:${join(folder, "anteroom.db")}`));
anteroom("keys", "init");
anteroom("migrate");
anteroom("user", "invite", ALICE.email, "--given-name", ALICE.given_name, "--family-name", ALICE.family_name, "--group", "staff");
const server = await serve();
await register(issuer);
console.log(`Ready: ${issuer}`);

for (const signal of ["SIGTERM", "SIGINT"]) process.on(signal, () => server.kill("SIGTERM"));
server.once("close", (code) => process.exit(code ?? 1));

function configuration(database) {
  return `
issuer = "${issuer}"
include = ["clients.d/*.toml"]
server.listen = "127.0.0.1:${port}"
database.url = ${JSON.stringify(database)}
keys.master_key_file = "master.key"
audit.checkpoints_file = "checkpoints.jsonl"
dev.outbox = true
# All clients sign in the same few people, each time from a browser of its own.
policy.limits.right_password = { max = 1000, window = "5m" }

[registration]
mode = "open"
scope = "openid profile email phone groups offline_access"
rate = { max = 1000, window = "1h" }

[[groups]]
name = "staff"
`;
}

function environment() {
  return { cwd: folder, env: { ...process.env, ANTEROOM_CONFIG: join(folder, "anteroom.toml") } };
}

function anteroom(...words) {
  execFileSync(program, words, { ...environment(), stdio: ["ignore", "inherit", "inherit"] });
}

// Reading goes on for as long as it runs: a full pipe would stop it.
async function serve() {
  const command = [...TETHER, program, "serve"];
  const child = spawn(command[0], command.slice(1), { ...environment(), stdio: ["ignore", "inherit", "pipe"] });
  process.once("exit", () => child.kill("SIGKILL"));
  const said = [];
  await new Promise((resolve, reject) => {
    const fail = (how) => reject(new Error([`anteroom ${how}; its last words:`, ...said.slice(-LAST_WORDS)].join("\n  ")));
    const patience = setTimeout(() => fail("is not ready"), UP_WITHIN);
    child.once("error", (error) => fail(`does not start (${error.message})`));
    child.once("close", () => fail("ended before it was ready"));
    createInterface({ input: child.stderr }).on("line", (line) => {
      said.push(line);
      if (/ (WARN|ERROR) |panicked/.test(line)) console.error(line);
      if (!line.includes(" ready issuer=")) return;
      clearTimeout(patience);
      resolve();
    });
  });
  return child;
}
