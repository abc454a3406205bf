// Accessibility, by axe-core, of a page exactly as it stands: after a form, with its strict policy, with scripts
// switched off. axe runs in a world of its own beside the page's, where the page's policy does not reach.

import assert from "node:assert/strict";
import core from "axe-core";
import { hasScripts } from "./browser.mjs";

const WCAG_2_2_AA = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa"];

const OPTIONS = {
  runOnly: { type: "tag", values: WCAG_2_2_AA },
  resultTypes: ["violations"],
  // WCAG 2.2, 2.5.8: axe leaves it out unless it is asked for.
  rules: { "target-size": { enabled: true } },
};

/**
 * Fails unless `page` keeps WCAG 2.2 AA, as far as a machine can tell; with `arrangements`, after each of them (the page
 * made smaller, or dark).
 */
export async function axe(page, arrangements = [() => {}]) {
  const session = await page.context().newCDPSession(page);
  const { frameTree } = await session.send("Page.getFrameTree");
  const world = { frameId: frameTree.frame.id, worldName: "axe" };
  const { executionContextId: contextId } = await session.send("Page.createIsolatedWorld", world);
  await evaluate(session, contextId, `${core.source}; true`);
  const look = () => evaluate(session, contextId, `axe.run(document, ${JSON.stringify(OPTIONS)})`);
  for (const arrange of arrangements) {
    await arrange();
    const { violations } = await (hasScripts(page) ? look() : withScripts(session, look));
    assert.deepEqual(violations.flatMap(described), [], `${page.url()} is not accessible`);
  }
}

// Where scripts are off not even axe can wait for anything, so they are on while it looks; the page's own do not start by
// that. The browser sees a change only against what this session asked for before, and a session that ends takes its
// wishes with it: hence the first line, and hence none is detached.
async function withScripts(session, look) {
  const disabled = (value) => session.send("Emulation.setScriptExecutionDisabled", { value });
  await disabled(true);
  await disabled(false);
  try {
    return await look();
  } finally {
    await disabled(true);
  }
}

async function evaluate(session, contextId, expression) {
  const options = { contextId, expression, awaitPromise: true, returnByValue: true };
  const { result, exceptionDetails } = await session.send("Runtime.evaluate", options);
  if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
  return result.value;
}

function described({ id, help, nodes }) {
  return nodes.map((node) => `${id}: ${help}: ${node.target.join(" ")}`);
}
