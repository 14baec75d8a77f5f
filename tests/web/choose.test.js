// What is chosen before a training: server/web/views/train/choose.js.

import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { choose } from "../../server/web/views/train/choose.js";
import { fragmentOf } from "../../server/web/views/train/plan.js";
import { keepOwn } from "../../server/web/views/train/wanted.js";
import { begin } from "./page.js";

const steps = [{ exercise: "squat", sets: 3, rest: 60, reps: 10 }];

let noted;
const app = { t: (key, _values, fallback = key) => fallback, notice: (text) => noted.push(text) };

beforeEach(() => {
  noted = [];
  begin();
});

test("only to show an exercise is a lesson begun", () => {
  keepOwn([{ name: "band_pull" }]);
  const root = choose(app, {});
  const [form] = root.all(({ tag }) => tag === "form");
  const submits = form.all(({ tag, type }) => tag === "button" && type === "submit");
  assert.deepEqual(
    submits.map(({ textContent }) => textContent),
    ["teach.begin"],
  );
});

test("what is asked for is what is shown, when an exercise of one's own is gone", () => {
  keepOwn([{ name: "band_pull" }]);
  const wanted = {
    exercise: "band_pull",
    plan: { name: "", steps: [{ ...steps[0], exercise: "band_pull" }] },
  };
  const root = choose(app, wanted);
  assert.equal(wanted.exercise, "band_pull");
  assert.equal(wanted.plan.steps[0].exercise, "band_pull");
  root.button("camera.remove").press();
  assert.equal(wanted.exercise, undefined);
  assert.equal(wanted.plan.steps[0].exercise, "squat");
});

test("a link is followed once: what was changed since stays", () => {
  begin(fragmentOf({ name: "Monday", steps }));
  const wanted = {};
  choose(app, wanted);
  assert.deepEqual(wanted.plan, { name: "Monday", steps });
  wanted.plan.steps[0].reps = 5;
  choose(app, wanted);
  assert.equal(wanted.plan.steps[0].reps, 5);
  // Who comes by it again has it as it was sent.
  const again = {};
  choose(app, again);
  assert.equal(again.plan.steps[0].reps, 10);
});

test("of a link that is none is told once", () => {
  begin("#plan=garbage!");
  const wanted = {};
  choose(app, wanted);
  choose(app, wanted);
  assert.deepEqual(noted, ["plan.bad"]);
});

test("a thirteenth of one's own is refused before it is shown", () => {
  keepOwn(Array.from({ length: 12 }, (_, n) => ({ name: `own_${n}` })));
  const taught = [];
  const root = choose(app, {}, (name) => taught.push(name));
  const [form] = root.all(({ tag }) => tag === "form");
  const [name] = form.all(({ tag, type }) => tag === "input" && type !== "file");
  const submit = (text) => {
    name.value = text;
    form.dispatchEvent(new Event("submit"));
  };
  submit("Thirteenth");
  assert.deepEqual([taught, noted], [[], ["teach.full"]]);
  // Shown anew, it takes its own place.
  submit("own 3");
  assert.deepEqual(taught, ["own_3"]);
});

test("what is held is planned in seconds", () => {
  const wanted = { plan: { name: "", steps: [{ ...steps[0] }] } };
  const root = choose(app, wanted);
  const [exercise] = root.all(({ tag }) => tag === "ol")[0].all(({ tag }) => tag === "select");
  for (const option of exercise.children) option.selected = option.value === "plank";
  exercise.dispatchEvent(new Event("change"));
  assert.deepEqual(wanted.plan.steps, [{ ...steps[0], exercise: "plank", reps: undefined, seconds: 10 }]);
  const units = root.all(({ tag }) => tag === "ol")[0].all(({ tag }) => tag === "option");
  assert.equal(units.filter(({ value }) => value === "reps").length, 0);
});
