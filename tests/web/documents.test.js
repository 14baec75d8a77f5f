// The samples in the documents, as a reader runs them.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

const AsyncFunction = (async () => {}).constructor;

test("the client's sample in page.md uses nothing that it does not have", async () => {
  const text = readFileSync(new URL("../../docs/page.md", import.meta.url), "utf8");
  const [sample] = text.match(/(?<=```javascript\n)import \{ Kinecast \}[^`]+/);
  const code = sample.replace(/^import .*\n/, "");
  class Kinecast extends EventTarget {
    start = async () => {};
    stop = async () => {};
  }
  const mediaDevices = { getUserMedia: async () => ({}) };
  await new AsyncFunction("Kinecast", "navigator", code)(Kinecast, { mediaDevices });
  assert.ok(code.includes("token"));
});
