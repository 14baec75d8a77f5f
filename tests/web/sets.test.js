// The sets of a training: server/web/views/train/sets.js.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Sets } from "../../server/web/views/train/sets.js";

const squat = { exercise: "squat", repetition: { score: 80 } };
const counts = ({ list }) => list.map(({ exercise, count }) => [exercise, count]);

test("a set ends with another exercise, or after 20 s of rest", () => {
  const sets = new Sets();
  for (const at_ms of [1000, 21_000, 41_001]) sets.count(squat, at_ms);
  sets.count({ exercise: "lunge", repetition: null }, 42_000);
  assert.deepEqual(counts(sets), [
    ["squat", 2],
    ["squat", 1],
    ["lunge", 1],
  ]);
});

test("what nobody could see was no rest", () => {
  const sets = new Sets();
  sets.count(squat, 1000);
  sets.postpone(24_000);
  sets.count(squat, 30_000);
  assert.deepEqual(counts(sets), [["squat", 2]]);
});

test("they go on after a reload", () => {
  const sets = new Sets();
  sets.count(squat, 1000);
  const after = new Sets(JSON.parse(JSON.stringify(sets)));
  after.count(squat, 5000);
  assert.deepEqual(counts(after), [["squat", 2]]);
});
