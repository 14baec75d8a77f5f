// Which picture a result belongs to: server/web/frame_clock.js, on times whose truth is known.

import assert from "node:assert/strict";
import { test } from "node:test";
import { FrameClock } from "../../server/web/frame_clock.js";

const EVERY_MS = 1000 / 30;
// What the session's clock is behind the stream's.
const OFFSET_MS = 123_456.7;
const NEAR_MS = 1.2;

// A linear congruential generator, with the constants of Numerical Recipes: the same in each run.
function chance(seed = 7) {
  let state = seed;
  const uniform = () => {
    state = (state * 1_664_525 + 1_013_904_223) >>> 0;
    return (state + 1) / (2 ** 32 + 1);
  };
  return {
    uniform,
    normal: () => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform()),
    exponential: () => -Math.log(uniform()),
  };
}

/**
 * Pictures as they were seen, and results as the server had their frames.
 * `offsetOf(at)` is what a picture's clocks differ by, `unseen` and `unanswered` are parts of all.
 */
function happened({ count = 120, uneven_ms = 2, uplink_ms = 10, unseen = 0, unanswered = 0, offsetOf }) {
  const { uniform, normal, exponential } = chance();
  const [frames, results] = [[], []];
  for (let at = 0; at < count; at++) {
    const media_ms = 5000 + at * EVERY_MS + uneven_ms * normal();
    const seen_ms = media_ms + 800 + uniform();
    const received_ms = seen_ms + uplink_ms + 6 * exponential();
    // RTP timestamps of Chromium have milliseconds.
    const pts_ms = Math.round(media_ms) - (offsetOf?.(at) ?? OFFSET_MS);
    if (uniform() >= unseen) frames.push({ at, media_ms, seen_ms });
    if (uniform() >= unanswered) results.push({ at, media_ms, pts_ms, received_ms });
  }
  return { frames, results };
}

/** Tell a clock all of it in its order, `before` each; how far off each result was placed, by `at`. */
function told(clock, { frames, results }, before = () => {}) {
  const off_ms = new Map();
  const events = [
    ...frames.map((frame) => ({ ...frame, when_ms: frame.seen_ms })),
    ...results.map((result) => ({ ...result, when_ms: result.received_ms })),
  ].sort((one, other) => one.when_ms - other.when_ms);
  for (const event of events) {
    before(event);
    if ("seen_ms" in event) clock.frame(event.media_ms, event.seen_ms);
    else {
      clock.result(event.pts_ms, event.received_ms);
      off_ms.set(event.at, clock.place(event.pts_ms) - event.media_ms);
    }
  }
  return off_ms;
}

const worst = (off_ms, from) =>
  Math.max(...[...off_ms].filter(([at]) => at >= from).map(([, ms]) => Math.abs(ms)));

const CASES = {
  near: { uplink_ms: 10 },
  far: { uplink_ms: 90 },
  "with pictures missed": { uplink_ms: 60, unseen: 0.25 },
  "with frames skipped": { unanswered: 0.5 },
  even: { uneven_ms: 0 },
  "even and slower": { uneven_ms: 0, uplink_ms: 25 },
};
for (const [name, how] of Object.entries(CASES)) {
  test(`a result's picture is found: ${name}`, () => {
    assert.ok(worst(told(new FrameClock(), happened(how)), 90) < NEAR_MS);
  });
}

test("a slow beginning is made good", () => {
  // Even pictures leave two constants, and the first results make the wrong one likelier.
  const all = happened({ uneven_ms: 0 });
  for (const result of all.results.slice(0, 20)) result.received_ms += 35;
  const off_ms = told(new FrameClock(), all);
  assert.ok(Math.abs(off_ms.get(10)) > 20);
  assert.ok(worst(off_ms, 100) < NEAR_MS);
});

test("pictures that were missed just when it is looked for them", () => {
  const { frames, results } = happened({});
  const all = {
    frames: frames.filter(({ at }) => at % 10),
    // The first one is of a missed picture, and so is each tenth, when the constant is judged again.
    results: results.filter(({ at }) => at >= 10),
  };
  assert.ok(worst(told(new FrameClock(), all), 60) < NEAR_MS);
});

test("results that are held up do not mislead for long", () => {
  const all = happened({ uneven_ms: 0 });
  // The first ones, and those around each tenth, when the constant is judged again.
  const late = (at) => at < 12 || (at + 2) % 10 < 4;
  for (const result of all.results) if (late(result.at)) result.received_ms += 35;
  assert.ok(worst(told(new FrameClock(), all), 60) < NEAR_MS);
});

test("what is known stays when all results take longer", () => {
  const all = happened({ uneven_ms: 0, count: 240 });
  for (const result of all.results) if (result.at >= 120) result.received_ms += 40;
  assert.ok(worst(told(new FrameClock(), all), 60) < NEAR_MS);
});

for (const ppm of [-200, 200]) {
  test(`clocks that drift by ${ppm} ppm are followed`, () => {
    // After 100 s they are 20 ms further apart than at first.
    const offsetOf = (at) => OFFSET_MS + at * EVERY_MS * ppm * 1e-6;
    const off_ms = told(new FrameClock(), happened({ count: 3000, uplink_ms: 20, offsetOf }));
    assert.ok(worst(off_ms, 30) < NEAR_MS);
  });
}

for (const jump_ms of [-500, -20, 5, 100]) {
  test(`a clock that jumps by ${jump_ms} ms is found again within a second`, () => {
    const offsetOf = (at) => OFFSET_MS + (at < 120 ? 0 : jump_ms);
    const off_ms = told(new FrameClock(), happened({ count: 240, uplink_ms: 20, offsetOf }));
    assert.ok(Math.abs(off_ms.get(120)) > 3);
    assert.ok(worst(off_ms, 120 + 30) < NEAR_MS);
  });
}

test("with even pictures, a clock can not stay where results were there before their pictures", () => {
  // 15 pictures: both places fit as well.
  const offsetOf = (at) => OFFSET_MS - (at < 120 ? 0 : 15 * EVERY_MS);
  const all = happened({ count: 240, uneven_ms: 0, uplink_ms: 20, offsetOf });
  assert.ok(worst(told(new FrameClock(), all), 120 + 30) < NEAR_MS);
});

test("another connection has another offset, known from its first results", () => {
  const clock = new FrameClock();
  const offsetOf = (at) => OFFSET_MS + (at < 120 ? 0 : 60_000);
  const off_ms = told(clock, happened({ count: 126, offsetOf }), (event) => {
    if (event.at !== 120 || "seen_ms" in event) return;
    clock.reset();
    assert.ok(Number.isNaN(clock.place(0)));
  });
  assert.ok(worst(off_ms, 122) < NEAR_MS);
});

test("nothing is placed before there was a picture", () => {
  const clock = new FrameClock();
  clock.result(100, 1000);
  assert.ok(Number.isNaN(clock.place(100)));
  assert.equal(clock.seen(100), null);
});

test("a result that arrives with its picture, or a second after it, is not that picture's", () => {
  for (const late_ms of [-10, 1, 1001]) {
    const clock = new FrameClock();
    clock.frame(5000, 1000);
    clock.result(100, 1000 + late_ms);
    assert.ok(Number.isNaN(clock.place(100)), `${late_ms}`);
  }
  const clock = new FrameClock();
  clock.frame(5000, 1000);
  clock.result(100, 1010);
  assert.equal(clock.place(100), 5000);
});

test("when a picture was seen is known of the last 90, within 3 ms of its time", () => {
  const clock = new FrameClock();
  for (let at = 0; at < 100; at++) clock.frame(at * 40, 1000 + at * 40);
  assert.equal(clock.seen(99 * 40), 1000 + 99 * 40);
  assert.equal(clock.seen(50 * 40 + 2.9), 1000 + 50 * 40);
  assert.equal(clock.seen(50 * 40 - 2.9), 1000 + 50 * 40);
  assert.equal(clock.seen(50 * 40 + 3.1), null);
  assert.equal(clock.seen(10 * 40), 1000 + 10 * 40);
  assert.equal(clock.seen(9 * 40), null);
  assert.equal(clock.seen(NaN), null);
});
