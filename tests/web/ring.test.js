// The skeletons of the last minutes: server/web/views/train/ring.js.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Ring } from "../../server/web/views/train/ring.js";

const landmarks = (x) => Array.from({ length: 33 }, () => ({ x, y: 0.5, visibility: 1 }));
const result = (pts) => ({ frame: { pts, width: 640, height: 480 }, landmarks: landmarks(pts / 1e6) });
const squat = (start_ms, end_ms) => ({ exercise: "squat", start_ms, end_ms });

function filled(frames, ring = new Ring()) {
  for (let at = 0; at < frames; at++) ring.add(result(at * 100));
  return ring;
}

test("a repetition's frames, with a little before and after", () => {
  const ring = filled(100);
  ring.mark(squat(2000, 4000));
  const frames = ring.of(squat(2000, 4000));
  assert.equal(frames[0].pts, 1700);
  assert.equal(frames.at(-1).pts, 4300);
  assert.ok(Math.abs(frames[0].points[0] - 0.0017) < 1e-6);
  assert.equal(frames[0].aspect, 640 / 480);
});

test("nothing of one that was not told, or is longer ago than the ring is long", () => {
  const ring = filled(9100);
  assert.deepEqual(ring.of(squat(500_000, 502_000)), []);
  for (const [start, end] of [
    [5000, 9000],
    [9900, 12_000],
  ])
    ring.mark(squat(start, end));
  assert.deepEqual(ring.of(squat(5000, 9000)), []);
  // Its first frame has gone.
  assert.deepEqual(ring.of(squat(9900, 12_000)), []);
  ring.mark(squat(20_000, 22_000));
  assert.equal(ring.of(squat(20_000, 22_000)).length, 27);
});

test("another session's time is another", () => {
  const ring = filled(100);
  ring.mark(squat(2000, 4000));
  filled(100, ring);
  assert.deepEqual(ring.of(squat(2000, 4000)), []);
});
