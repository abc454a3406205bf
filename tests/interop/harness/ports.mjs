import { once } from "node:events";
import { connect, createServer } from "node:net";
import { setTimeout as pause } from "node:timers/promises";

const UP_WITHIN = 30_000;
const BETWEEN = 25;

/** A port that nobody listened on a moment ago. */
export async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Waits until something listens on `port`. Fails with what `said` returns where it takes too long, or `lives` returns false. */
export async function listening(port, lives, said) {
  for (const end = Date.now() + UP_WITHIN; ; await pause(BETWEEN)) {
    const socket = connect(port, "127.0.0.1");
    const is = await new Promise((resolve) => socket.once("connect", () => resolve(true)).once("error", () => resolve(false)));
    socket.destroy();
    if (is) return;
    if (Date.now() > end || !lives()) throw new Error(said());
  }
}
