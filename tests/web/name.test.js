// Names that people train under: server/web/views/train/name.js.

import assert from "node:assert/strict";
import { test } from "node:test";
import { asPublished } from "../../server/web/views/train/name.js";

for (const [text, name] of [
  ["Ann", "Ann"],
  ["  Jörg Müller ", "Jorg-Muller"],
  ["Strauß & Söhne", "Strauss-Sohne"],
  ["a.b_c 1", "a.b_c-1"],
  ["日本", undefined],
  ["", undefined],
  ["x".repeat(200), "x".repeat(128)],
]) {
  test(`"${text.slice(0, 20)}" is published as ${name?.slice(0, 20)}`, () =>
    assert.equal(asPublished(text), name));
}
