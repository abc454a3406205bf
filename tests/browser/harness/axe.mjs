// Accessibility, by axe-core, of a page exactly as it stands: after a form, with its strict policy, with scripts
// switched off. axe runs in a world of its own beside the page's, where the page's policy does not reach.

import assert from "node:assert/strict";
import core from "axe-core";

const WCAG_2_2_AA = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa"];

const OPTIONS = {
  runOnly: { type: "tag", values: WCAG_2_2_AA },
  resultTypes: ["violations"],
  // WCAG 2.2, 2.5.8: axe leaves it out unless it is asked for.
  rules: { "target-size": { enabled: true } },
};

/** Fails unless `page` keeps WCAG 2.2 AA, as far as a machine can tell. */
export async function axe(page) {
  const session = await page.context().newCDPSession(page);
  try {
    // Where scripts are off even axe may not wait for anything. Those of the page do not start anew by this.
    await session.send("Emulation.setScriptExecutionDisabled", { value: false });
    const { frameTree } = await session.send("Page.getFrameTree");
    const world = { frameId: frameTree.frame.id, worldName: "axe" };
    const { executionContextId: contextId } = await session.send("Page.createIsolatedWorld", world);
    await evaluate(session, contextId, core.source);
    const { violations } = await evaluate(session, contextId, `axe.run(document, ${JSON.stringify(OPTIONS)})`);
    assert.deepEqual(violations.flatMap(told), [], `${page.url()} is not accessible`);
  } finally {
    await session.detach();
  }
}

async function evaluate(session, contextId, expression) {
  const { result, exceptionDetails } = await session.send("Runtime.evaluate", {
    contextId,
    expression: `(async () => { return ${expression}\n })()`,
    awaitPromise: true,
    returnByValue: true,
  });
  if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
  return result.value;
}

function told({ id, help, nodes }) {
  return nodes.map((node) => `${id}: ${help}: ${node.target.join(" ")}`);
}
