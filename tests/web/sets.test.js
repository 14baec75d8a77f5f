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

test("what comes after a rest is another set, however short the rest", () => {
  const sets = new Sets();
  sets.count(squat, 1000);
  sets.end(0);
  sets.count(squat, 2000);
  sets.count(squat, 3000);
  assert.deepEqual(counts(sets), [
    ["squat", 1],
    ["squat", 2],
  ]);
});

test("a hold that had begun before its set counts from there", () => {
  let sets = new Sets();
  sets.end(4);
  sets.hold("plank", 5, 80);
  // After a reload, too.
  sets = new Sets(JSON.parse(JSON.stringify(sets)));
  sets.hold("plank", 9, 80);
  assert.deepEqual(
    sets.list.map(({ held_s }) => held_s),
    [5],
  );
  // The next one begins at 0 again.
  sets.hold("plank", 3, 80);
  assert.deepEqual(
    sets.list.map(({ held_s }) => held_s),
    [5, 3],
  );
});
