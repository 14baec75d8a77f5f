// How an exercise is done: server/web/views/train/demonstration.js, with poses of two joints' numbers.

import assert from "node:assert/strict";
import { test } from "node:test";
import { canShow, poseAt } from "../../server/web/views/train/demonstration.js";

const CURL = [1, 0.5, 2, ["000100", "100300", "200500"]];
const near = (found, wanted) =>
  assert.ok(
    found.every((value, at) => Math.abs(value - wanted[at]) < 1e-9),
    String(found),
  );

test("it goes out, is held, and comes back, again and again", () => {
  for (const [time_s, pose] of [
    [0, [0, 0.1]],
    [0.5, [0.1, 0.3]],
    [1.2, [0.2, 0.5]],
    [2.5, [0.1, 0.3]],
    [3.6, [0, 0.1]],
    [4.5, [0.1, 0.3]],
  ])
    near(poseAt(CURL, time_s), pose);
});

test("whoever wants nothing to move sees where it turns", () => near(poseAt(CURL, null), [0.2, 0.5]));

test("one that changes sides does so with each repetition", () => {
  const lunge = [1, 0, 1, ["000000", "100100"], ["000000", "900900"]];
  near(poseAt(lunge, 1), [0.1, 0.1]);
  near(poseAt(lunge, 3.5), [0.9, 0.9]);
});

test("one that is held does not move", () => {
  near(poseAt([1, 1, 1, ["300400"]], 0.7), [0.3, 0.4]);
});

test("what nobody has shown is not made up", () => {
  assert.equal(canShow("squat"), true);
  assert.equal(canShow("headstand"), false);
});
