// What leads through a training: server/web/views/train/coach.js, without its picture.

import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";
import { Coach } from "../../server/web/views/train/coach.js";
import { Time } from "./browser.js";

const SET_S = 30;
const step = { exercise: "squat", sets: 2, rest: 60, reps: 1 };
const timed = { exercise: "squat", sets: 1, rest: 0, seconds: SET_S };
const right = { framing: [], ready: true };

let coach;
let time;
let told; // what happened, in its order

beforeEach(() => {
  time = new Time();
  mock.method(Date, "now", () => time.now_ms);
  told = [];
});
afterEach(() => {
  coach.leave();
  mock.restoreAll();
});

function follow(steps, now = {}) {
  const app = { t: (key, { s = "" } = {}) => key + s, announce: () => {} };
  const voice = { cue: () => {}, count: () => {}, tell: (text) => told.push(text) };
  const on = {
    pause: () => told.push("pause"),
    go: () => told.push("go"),
    over: () => told.push("over"),
  };
  coach = new Coach(app, voice, { plan: { steps } }, on);
  Object.assign(coach.now, now);
}

test("a set that is done is followed by a rest, which is told, and the next set", async () => {
  follow([step]);
  assert.equal(coach.begin(true), true);
  coach.take(right, null);
  await time.pass(3100);
  coach.take(right, { count: 1 });
  assert.deepEqual(told, ["go", "pause", "plan.rest60 plan.then"]);
  await time.pass(60_100);
  assert.deepEqual(told.slice(3), ["go"]);
});

test("no rest is told as what there is: time to get ready", () => {
  follow([{ ...step, rest: 0 }]);
  coach.begin(false);
  coach.take(right, { count: 1 });
  assert.deepEqual(told, ["pause", "plan.rest3 plan.then"]);
});

test("a plan is over once, however long the server takes to end the session", () => {
  follow([{ ...step, sets: 1 }]);
  coach.begin(false);
  for (const _ of [1, 2, 3]) coach.take(right, { count: 1 });
  assert.deepEqual(told, ["over"]);
});

test("so it is when its last set is over by time", async () => {
  follow([timed]);
  coach.begin(false);
  await time.pass((SET_S + 5) * 1000);
  assert.deepEqual(told, ["over"]);
});

for (const looks of [true, false]) {
  test(`a page reloaded in a rest goes on to a set that counts, ${looks ? "with a camera" : "without"}`, async () => {
    follow([step], { phase: "rest", set: 2 });
    assert.equal(coach.begin(looks), true);
    coach.take(right, null);
    await time.pass(3100);
    assert.deepEqual(told, ["go"]);
    assert.equal(coach.now.phase, "set");
  });
}

test("what comes before the exercise analyzer's first word begins no set", () => {
  follow([step]);
  coach.begin(true);
  coach.take({ vitals: {} }, null);
  assert.deepEqual(told, []);
  // A server that does not know of framing.
  coach.take({ exercise: "none" }, null);
  assert.deepEqual(told, ["go"]);
});

test("a page reloaded in a set goes on with it", () => {
  follow([step], { phase: "set", set: 2 });
  assert.equal(coach.begin(true), false);
});
