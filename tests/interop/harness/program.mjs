// Another program, an application in another language: it listens on a free port and says so.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { after } from "node:test";

/** Starts it, and returns what it says after "Ready: ". Stops when the test file is done. */
export async function started(program, words, environment) {
  const child = spawn(program, words, { env: { ...process.env, ...environment }, stdio: ["ignore", "pipe", "inherit"] });
  const kill = () => child.kill("SIGKILL");
  process.once("exit", kill);
  const ended = once(child, "close");
  after(async () => {
    process.off("exit", kill);
    kill();
    await ended;
  });
  for await (const line of createInterface({ input: child.stdout })) {
    const [, ready] = line.match(/^Ready: (.+)$/) ?? [];
    if (ready) return ready;
  }
  throw new Error(`${program} ended before it was ready`);
}
