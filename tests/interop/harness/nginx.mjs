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

/** Starts it for the provider at `issuer`, with `directives` beside the book's. Stops when the test file is done. */
export async function nginx(issuer, directives = "") {
  const folder = mkdtempSync(join(tmpdir(), "anteroom-nginx-"));
  after(() => rmSync(folder, { recursive: true, force: true }));
  // Its workers are of another user.
  chmodSync(folder, 0o755);
  const port = await freePort();
  writeFileSync(join(folder, "nginx.conf"), configuration(folder, ofTheBook(port, new URL(issuer), directives)));
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

/** The book's server, without TLS. The provider is known by its own port, not by that of nginx. */
function ofTheBook(port, issuer, directives) {
  const book = readFileSync(BOOK, "utf8").match(/```nginx\n([^]*?)```/)?.[1];
  if (!book) throw new Error("the book has no server for nginx");
  const changes = [
    [/listen 443 ssl;/, `listen 127.0.0.1:${port};\n${directives}`],
    [/server_name [^;]+;/, "server_name localhost;"],
    [/ssl_certificate +[^;]+;/, ""],
    [/ssl_certificate_key +[^;]+;/, ""],
    [/proxy_pass [^;]+;/, `proxy_pass http://127.0.0.1:${issuer.port};`],
    [/proxy_set_header Host [^;]+;/, `proxy_set_header Host ${issuer.host};`],
  ];
  return changes.reduce((text, [from, to]) => {
    if (!from.test(text)) throw new Error(`the book's server for nginx has no ${from}`);
    return text.replace(from, to);
  }, book);
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
