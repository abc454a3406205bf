// A running `anteroom demo`.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { createInterface } from "node:readline";
import { after } from "node:test";

// How long it may take to come up, and to go before it is made to.
const UP_WITHIN = 60_000;
const GONE_WITHIN = 15_000;
const LAST_WORDS = 20;

// Where the kernel can be asked to, it stops the demo if these tests are killed.
const TETHER = process.platform === "linux" ? ["setpriv", "--pdeathsig", "TERM", "--"] : [];

/**
 * A demo for this test file alone, so that the accounts it locks are nobody else's: started from `ANTEROOM_BIN` and
 * stopped when the file's tests are done. Without it, the one that is up at `ANTEROOM_URL`.
 */
export async function demo() {
  const { ANTEROOM_BIN: program, ANTEROOM_URL: url } = process.env;
  if (program) return start(program);
  if (url) return { url };
  throw new Error("Set ANTEROOM_BIN to the program, or ANTEROOM_URL to a demo that is up.");
}

async function start(program) {
  const command = [...TETHER, program, "demo", "--port", `${await freePort()}`];
  const child = spawn(command[0], command.slice(1), { stdio: ["ignore", "pipe", "pipe"] });
  const kill = () => child.kill("SIGKILL");
  process.once("exit", kill);
  const ended = new Promise((resolve) => child.once("close", resolve)).finally(() => process.off("exit", kill));
  after(async () => {
    child.kill("SIGTERM");
    const patience = setTimeout(kill, GONE_WITHIN);
    await ended;
    clearTimeout(patience);
  });
  return { url: await ready(child) };
}

// Reading goes on for as long as it runs: a full pipe would stop it.
async function ready(child) {
  const said = [];
  const { promise, resolve, reject } = deferred();
  const fail = (how) => reject(new Error([`the demo ${how}; its last words:`, ...said.slice(-LAST_WORDS)].join("\n  ")));
  const patience = setTimeout(() => fail("is not ready"), UP_WITHIN);
  child.once("error", (error) => fail(`does not start (${error.message})`));
  child.once("close", () => fail("ended before it was ready"));
  for (const output of [child.stdout, child.stderr]) {
    createInterface({ input: output }).on("line", (line) => {
      said.push(line);
      const url = line.match(/^Ready: (http\S+)/)?.[1];
      if (url) resolve(url);
    });
  }
  return promise.finally(() => clearTimeout(patience));
}

function deferred() {
  const parts = {};
  parts.promise = new Promise((resolve, reject) => Object.assign(parts, { resolve, reject }));
  return parts;
}

async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}
