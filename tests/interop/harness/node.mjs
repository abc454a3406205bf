// What the oldest Node.js lacks (18, Debian 12's own) and the clients here take for granted.

import { webcrypto } from "node:crypto";
import { setDefaultResultOrder } from "node:dns";

globalThis.crypto ??= webcrypto;
globalThis.CryptoKey ??= webcrypto.CryptoKey;

// The provider listens on 127.0.0.1 alone, and where `localhost` is ::1 first, no other family would be tried.
setDefaultResultOrder("ipv4first");
