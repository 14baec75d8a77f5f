// What several who train side by side have done: server/web/views/train/beside.js.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Counts } from "../../server/web/views/train/beside.js";

const doing = (id, name, reps) => ({ id, exercise: { name, reps } });

test("what is done before a set and in a rest does not count, for anybody", () => {
  const counts = new Counts();
  counts.take([doing(1, "squat", 2), doing(2, "lunge", 1)], false);
  counts.take([doing(1, "squat", 5), doing(2, "lunge", 1)], true);
  counts.take([doing(1, "squat", 7), doing(2, "lunge", 4)], false);
  counts.take([doing(1, "squat", 8), doing(2, "lunge", 5)], true);
  assert.equal(counts.of(1, "squat"), 4);
  assert.equal(counts.of(2, "lunge"), 1);
  assert.equal(counts.of(3, "lunge"), 0);
});

test("when the server begins anew, the count goes on", () => {
  const counts = new Counts();
  counts.take([doing(1, "squat", 5)], true);
  counts.take([doing(1, "squat", 1)], true);
  counts.take([doing(1, "squat", 2)], true);
  assert.equal(counts.of(1, "squat"), 7);
});

test("what each came to: counted here, with what the final result knows", () => {
  const counts = new Counts();
  counts.take([doing(1, "none", 0), doing(2, "squat", 3), { id: 4 }], true);
  counts.take([doing(2, "squat", 6), doing(3, "squat", 2)], false);
  counts.take([doing(5, "plank", 0)], true);
  const told = [
    { id: 2, exercises: { squat: { reps: 6, held_s: 0, mean_score: 81.5 } } },
    { id: 5, exercises: { plank: { reps: 0, held_s: 12.5, mean_score: 70 } } },
  ];
  assert.deepEqual(
    counts
      .summary(told)
      .map(({ id, exercises }) => [
        id,
        exercises.map(({ exercise, reps, held_s, mean_score }) => [exercise, reps, held_s, mean_score]),
      ]),
    [
      [2, [["squat", 3, 0, 81.5]]],
      [5, [["plank", 0, 12.5, 70]]],
    ],
  );
});
