// The book shows files of this folder, or what is between two marks of one (`ANCHOR: name`, `ANCHOR_END: name`): each is there.

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import test from "node:test";

const PAGES = new URL("../../docs/src/frameworks/", import.meta.url);
const INCLUDED = /\{\{#include ([^:}]+)(?::(\w+))?\}\}/g;

for (const page of readdirSync(PAGES)) {
  test(page, () => {
    const included = Array.from(readFileSync(new URL(page, PAGES), "utf8").matchAll(INCLUDED));
    assert.notEqual(included.length, 0);
    for (const [, path, anchor] of included) {
      const text = readFileSync(new URL(path, PAGES), "utf8");
      const marks = Array.from(text.matchAll(/ANCHOR(?:_END)?: \w+/g), ([mark]) => mark);
      assert.deepEqual(marks, anchor ? [`ANCHOR: ${anchor}`, `ANCHOR_END: ${anchor}`] : [], path);
    }
  });
}
