// Debian's nginx on free ports, configured as `docs/src/operating.md` has it, in front of the provider.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after } from "node:test";
import { freePort, listening } from "./ports.mjs";

const PROGRAM = "/usr/sbin/nginx";
const BOOK = new URL("../../../docs/src/operating.md", import.meta.url);

/**
 * Starts it for the provider at `issuer`, with `directives` beside the book's. Stops when the test file is done. With `nodes`, which
 * are ports, it stands before those, as the book has it for several nodes.
 */
export async function nginx(issuer, directives = "", nodes = undefined) {
  const folder = mkdtempSync(join(tmpdir(), "anteroom-nginx-"));
  after(() => rmSync(folder, { recursive: true, force: true }));
  // Its workers are of another user.
  chmodSync(folder, 0o755);
  const port = await freePort();
  const [server, several] = ofTheBook(port, new URL(issuer), directives);
  writeFileSync(join(folder, "nginx.conf"), configuration(folder, nodes ? before(nodes, several) : server));
  const child = spawn(PROGRAM, ["-p", folder, "-c", join(folder, "nginx.conf"), "-g", "daemon off;"], { stdio: "inherit" });
  const ended = once(child, "close");
  const kill = () => child.kill("SIGTERM");
  process.once("exit", kill);
  after(async () => {
    process.off("exit", kill);
    kill();
    await ended;
  });
  const log = join(folder, "error.log");
  await listening(port, () => child.exitCode === null, () => `nginx does not start: ${readFileSync(log, "utf8")}`);
  return `http://localhost:${port}`;
}

/** The book's server, without TLS, and the one that it has for several nodes. The provider is known by its own port, not by that of nginx. */
function ofTheBook(port, issuer, directives) {
  const [book, several] = [...readFileSync(BOOK, "utf8").matchAll(/```nginx\n([^]*?)```/g)].map(([, text]) => text);
  if (!several) throw new Error("the book has no server for nginx, or nothing for several nodes");
  const changes = [
    [/listen 443 ssl;/, `listen 127.0.0.1:${port};\n${directives}`],
    [/server_name [^;]+;/, "server_name localhost;"],
    [/ssl_certificate +[^;]+;/, ""],
    [/ssl_certificate_key +[^;]+;/, ""],
    [/proxy_set_header Host [^;]+;/, `proxy_set_header Host ${issuer.host};`],
  ];
  const alone = [/proxy_pass [^;]+;/, `proxy_pass http://127.0.0.1:${issuer.port};`];
  return [replaced(book, [...changes, alone]), replaced(several, changes)];
}

function before(nodes, several) {
  const addresses = new Set([...several.matchAll(/server ([\d.:]+) /g)].map(([, address]) => address));
  if (addresses.size !== nodes.length) throw new Error(`the book has ${addresses.size} nodes`);
  return [...addresses].reduce((text, address, i) => text.replaceAll(address, `127.0.0.1:${nodes[i]}`), several);
}

function replaced(text, changes) {
  return changes.reduce((text, [from, to]) => {
    if (text.search(from) < 0) throw new Error(`the book's settings for nginx have no ${from}`);
    return text.replace(from, to);
  }, text);
}

function configuration(folder, server) {
  return `
pid ${join(folder, "nginx.pid")};
error_log ${join(folder, "error.log")};
events {}
http {
  access_log off;
  client_body_temp_path ${join(folder, "body")};
  proxy_temp_path ${join(folder, "proxy")};
  fastcgi_temp_path ${join(folder, "fastcgi")};
  uwsgi_temp_path ${join(folder, "uwsgi")};
  scgi_temp_path ${join(folder, "scgi")};
${server}
}
`;
}
