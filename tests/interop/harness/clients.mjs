// The clients that are in the provider's configuration, `clients/`, with secrets that everyone here knows.

import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

export const CLIENTS = fileURLToPath(new URL("../clients", import.meta.url));

/** The secret of the client that reads it from `secrets/` and this file. */
export const secretOf = (file) => `the-secret-of-${file}-in-tests`;

/** The files with secrets that the clients name, and what is in them. */
export const SECRETS = readdirSync(CLIENTS).flatMap((file) => {
  const text = readFileSync(`${CLIENTS}/${file}`, "utf8");
  return Array.from(text.matchAll(/^secret_file = "\.\.\/secrets\/(.+)"$/gm), ([, name]) => [name, secretOf(name)]);
});

/** What a registration can have of the client in this file, with `here` in place of the address `there`. */
export function metadataOf(file, there, here) {
  const text = readFileSync(`${CLIENTS}/${file}`, "utf8").replaceAll(there, here);
  const members = Array.from(text.matchAll(/^(\w+) = (.+)$/gm), ([, name, value]) => [name, JSON.parse(value)]);
  const operators = ["client_id", "first_party", "secret_file"];
  return Object.fromEntries(members.filter(([name]) => !operators.includes(name)));
}
