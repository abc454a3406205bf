// Where an application of ours lives: an origin on loopback that takes what is sent to it.

import { once } from "node:events";
import { createServer } from "node:http";
import { text } from "node:stream/consumers";
import { after } from "node:test";

/**
 * Listens until the test file is done. What is posted to `path` is kept: `await application.posted(path)` is the oldest that
 * was not looked at, and waits for it. `pages` are what it shows, by their paths: `{ type, body }`.
 */
export async function application({ host = "127.0.0.1", pages = {} } = {}) {
  const boxes = new Map();
  const box = (path) => boxes.get(path) ?? boxes.set(path, new Box()).get(path);
  const server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url, "http://application");
    if (request.method === "POST") {
      box(pathname).put(new URLSearchParams(await text(request)));
      return response.writeHead(200, { "cache-control": "no-store" }).end();
    }
    const page = pages[pathname];
    if (!page) return response.writeHead(404).end();
    return response.writeHead(200, { "content-type": page.type }).end(page.body);
  }).listen(0, host);
  await once(server, "listening");
  after(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address();
  return { url: `http://${host}:${port}`, posted: (path) => box(path).take() };
}

class Box {
  #kept = [];
  #waiting = [];

  put(one) {
    const waits = this.#waiting.shift();
    if (waits) waits(one);
    else this.#kept.push(one);
  }

  take() {
    if (this.#kept.length) return Promise.resolve(this.#kept.shift());
    return new Promise((resolve) => this.#waiting.push(resolve));
  }
}
