// Apache with mod_auth_openidc, as Debian has them, on free ports: an application that knows its people by what the module
// tells it.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after } from "node:test";
import { freePort, listening } from "./ports.mjs";

const PROGRAM = "/usr/sbin/apache2";
const MODULES = "/usr/lib/apache2/modules";
const LOADED = ["mpm_event", "authn_core", "authz_core", "authz_user", "dir", "env", "include", "auth_openidc"];

/** The page of the application, behind the sign-in: claims, as the module put them into the environment. */
const PAGE = `<html><head><title>Protected</title></head><body>
<p id="user"><!--#echo var="REMOTE_USER" --></p>
<p id="sub"><!--#echo var="OIDC_CLAIM_sub" --></p>
<p id="given_name"><!--#echo var="OIDC_CLAIM_given_name" --></p>
</body></html>`;

/** A folder that goes when the test file is done, and a port for each of `names`. */
export async function prepared(...names) {
  const folder = mkdtempSync(join(tmpdir(), "anteroom-apache-"));
  after(() => rmSync(folder, { recursive: true, force: true }));
  chmodSync(folder, 0o755);
  const site = async (name) => {
    const port = await freePort();
    // The module writes here what it learns, as the user that Apache runs as.
    mkdirSync(join(folder, name));
    chmodSync(join(folder, name), 0o777);
    return [name, { url: `http://127.0.0.1:${port}`, port, folder: join(folder, name) }];
  };
  return { folder, sites: Object.fromEntries(await Promise.all(names.map(site))) };
}

/** The file in `apache/`, with each of these words in place of the operator's. */
export function adapted(name, words) {
  const text = readFileSync(new URL(`../apache/${name}`, import.meta.url), "utf8");
  return Object.entries(words).reduce((text, [from, to]) => {
    if (!text.includes(from)) throw new Error(`${name} has no ${from}`);
    return text.replaceAll(from, to);
  }, text);
}

/** Starts it with what each of the `sites` says of OpenID Connect, its `directives`. Stops when the test file is done. */
export async function apache({ folder, sites }, directives) {
  mkdirSync(join(folder, "pages", "app"), { recursive: true });
  writeFileSync(join(folder, "pages", "app", "index.html"), PAGE);
  writeFileSync(join(folder, "pages", "bye.html"), "<html><body><h1>Bye</h1></body></html>");
  writeFileSync(join(folder, "apache.conf"), configuration(folder, sites, directives));
  const log = join(folder, "error.log");
  const child = spawn(PROGRAM, ["-D", "FOREGROUND", "-f", join(folder, "apache.conf")], { stdio: "inherit" });
  const ended = once(child, "close");
  const kill = () => child.kill("SIGTERM");
  process.once("exit", kill);
  after(async () => {
    process.off("exit", kill);
    kill();
    await ended;
  });
  const said = () => `Apache does not start: ${existsSync(log) && readFileSync(log, "utf8")}`;
  for (const { port } of Object.values(sites)) await listening(port, () => child.exitCode === null, said);
}

function configuration(folder, sites, directives) {
  const of = ([name, { port, url }]) => `
Listen 127.0.0.1:${port}
<VirtualHost 127.0.0.1:${port}>
  ServerName ${url}
  DocumentRoot ${join(folder, "pages")}
  ${directives[name].join("\n  ")}
  <Location /app>
    AuthType openid-connect
    Require valid-user
  </Location>
</VirtualHost>`;
  return `
${LOADED.map((name) => `LoadModule ${name}_module ${MODULES}/mod_${name}.so`).join("\n")}
ServerRoot ${folder}
DefaultRuntimeDir ${folder}
PidFile ${join(folder, "apache.pid")}
Mutex posixsem default
ErrorLog ${join(folder, "error.log")}
ServerName localhost
User www-data
Group www-data
<Directory ${join(folder, "pages")}>
  Require all granted
  Options +Includes
  ForceType text/html
  SetOutputFilter INCLUDES
</Directory>
${Object.entries(sites).map(of).join("\n")}
`;
}
