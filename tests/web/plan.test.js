// Plans in links, which anybody can make: server/web/views/train/plan.js.

import assert from "node:assert/strict";
import { test } from "node:test";
import { fragmentOf, planIn } from "../../server/web/views/train/plan.js";

const link = (value) => `#plan=${Buffer.from(JSON.stringify(value)).toString("base64url")}`;
const squats = ["squat", 3, 10, 60];

test("a plan comes through a link as it was", () => {
  const plan = {
    name: "Montag früh 🙂",
    steps: [
      { exercise: "squat", sets: 3, rest: 60, reps: 10 },
      { exercise: "plank", sets: 20, rest: 0, seconds: 600 },
      { exercise: "band_pull", sets: 1, rest: 600, reps: 100 },
    ],
  };
  const fragment = fragmentOf(plan);
  assert.match(fragment, /^#plan=[\w-]+$/);
  assert.deepEqual(planIn(fragment), plan);
});

test("another fragment is no plan", () => {
  for (const hash of ["", "#train", "#token=plan"]) assert.equal(planIn(hash), null);
});

test("a coach may write it by hand, without a name", () => {
  assert.deepEqual(planIn(link({ steps: [["plank", 2, "30s", 45]] })).steps, [
    { exercise: "plank", sets: 2, rest: 45, seconds: 30 },
  ]);
});

for (const [what, value] of Object.entries({
  "nothing in it": {},
  "no steps": { steps: [] },
  "too many steps": { steps: Array.from({ length: 21 }, () => squats) },
  "steps that are none": { steps: "squat" },
  "a step that is none": { steps: [null] },
  "a step with more to it": { steps: [[...squats, 1]] },
  "a step with less to it": { steps: [squats.slice(0, 3)] },
  "a name that is none": { name: { a: 1 }, steps: [squats] },
  "a name that is too long": { name: "x".repeat(61), steps: [squats] },
  "markup for an exercise": { steps: [["<img src=x onerror=alert(1)>", 3, 10, 60]] },
  "no name for an exercise": { steps: [[["squat"], 3, 10, 60]] },
  "a list for an amount": { steps: [["squat", 3, ["30s"], 60]] },
  "no sets": { steps: [["squat", 0, 10, 60]] },
  "too many sets": { steps: [["squat", 21, 10, 60]] },
  "sets as text": { steps: [["squat", "3", 10, 60]] },
  "half a set": { steps: [["squat", 1.5, 10, 60]] },
  "too many repetitions": { steps: [["squat", 3, 101, 60]] },
  "repetitions below 0": { steps: [["squat", 3, -1, 60]] },
  "too many seconds": { steps: [["squat", 3, "601s", 60]] },
  "repetitions of what is held": { steps: [["plank", 3, 10, 60]] },
  "no seconds": { steps: [["squat", 3, "0s", 60]] },
  "a rest for ever": { steps: [["squat", 3, 10, 1e9]] },
  "a rest below 0": { steps: [["squat", 3, 10, -1]] },
  "no plan at all": null,
})) {
  test(`${what} is refused`, () => assert.throws(() => planIn(link(value))));
}

for (const hash of ["#plan=", "#plan=%%%", "#plan=bm8", "#plan=gICA", `#plan=${"A".repeat(4001)}`]) {
  test(`${hash.slice(0, 20)} is refused`, () => assert.throws(() => planIn(hash)));
}
