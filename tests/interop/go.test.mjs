// go-oidc (https://github.com/coreos/go-oidc) and golang.org/x/oauth2, which most programs in Go sign people in with, as the
// application in `go/`. The registration names no way of sending the secret, and either is taken, also one after the other.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { after } from "node:test";
import { fileURLToPath } from "node:url";
import { Browser } from "./harness/browser.mjs";
import { secretOf } from "./harness/clients.mjs";
import { ISSUER } from "./harness/issuer.mjs";
import { ALICE, walk } from "./harness/person.mjs";
import { started } from "./harness/program.mjs";

const CALLBACK = "https://referrals.practice.example/callback";

const folder = mkdtempSync(join(tmpdir(), "anteroom-go-"));
after(() => rmSync(folder, { recursive: true, force: true }));
const program = join(folder, "referrals");
const sources = fileURLToPath(new URL("go", import.meta.url));
execFileSync("go", ["build", "-mod=readonly", "-buildvcs=false", "-o", program, "."], { cwd: sources, stdio: "inherit" });

for (const [first, then] of [["header", "form"], ["form", "header"], ["auto", "auto"]]) {
  test(`how the secret is sent: at the sign-in ${first}, at the refresh ${then}`, async () => {
    const environment = { ANTEROOM_ISSUER: ISSUER, ANTEROOM_SECRET: secretOf("referrals") };
    const url = await started(program, [first, then], environment);
    const browser = new Browser();
    const back = await walk(browser, `${url}/sign-in`, CALLBACK);
    assert.deepEqual(back.met, ["/sign-in"]);
    // In front of the application there would be what has its name and TLS.
    const answer = await browser.open(`${url}/callback${back.url.search}`);
    assert.equal(answer.status, 200, answer.text);
    const { subject, before, after, userinfo } = JSON.parse(answer.text);
    assert.deepEqual([userinfo.sub, userinfo.email, userinfo.given_name], [subject, ALICE.email, ALICE.given_name]);
    assert.notEqual(after.access_token, before.access_token);
    assert.notEqual(after.refresh_token, before.refresh_token);
  });
}
