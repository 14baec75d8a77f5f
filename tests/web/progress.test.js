import assert from "node:assert/strict";
import test from "node:test";

// Clocks change there on the last Sundays of March and October.
process.env.TZ = "Europe/Berlin";
const { byWeek, exercisesOf, scaleFor, weekOf } = await import("../../server/web/views/history/progress.js");

const at = (text) => new Date(text).getTime();
const set = (exercise, reps, more = {}) => ({
  exercise,
  reps,
  held_s: null,
  score: null,
  range_deg: null,
  ...more,
});

test("a week begins on Monday, at midnight here", () => {
  const monday = at("2026-11-23T00:00");
  for (const day of ["2026-11-23T00:00", "2026-11-25T12:00", "2026-11-29T23:59"]) {
    assert.equal(weekOf(at(day)), monday);
  }
  assert.equal(weekOf(at("2026-11-22T23:59")), at("2026-11-16T00:00"));
});

test("repetitions are summed, and a week without any is there", () => {
  const trainings = [
    { began_at: at("2026-11-24T10:00"), sets: [set("squat", 10), set("lunge", 4)] },
    { began_at: at("2026-11-26T10:00"), sets: [set("squat", 5)] },
    { began_at: at("2026-11-10T10:00"), sets: [set("squat", 7)] },
  ];
  const values = (exercise) => byWeek(trainings, exercise, "reps").map(({ value }) => value);
  assert.deepEqual(values("squat"), [7, 0, 15]);
  assert.deepEqual(values(""), [7, 0, 19]);
  assert.deepEqual(values("plank"), []);
});

test("scores and ranges are means that go by repetitions, and weeks without are empty", () => {
  const trainings = [
    { began_at: at("2026-11-24T10:00"), sets: [set("squat", 9, { score: 90, range_deg: 100 })] },
    { began_at: at("2026-11-25T10:00"), sets: [set("squat", 1, { score: 50 })] },
    { began_at: at("2026-11-10T10:00"), sets: [set("squat", 2, { score: 70 })] },
    { began_at: at("2026-11-10T11:00"), sets: [set("plank", 0, { score: 60, held_s: 30 })] },
  ];
  const values = (exercise, figure) => byWeek(trainings, exercise, figure).map(({ value }) => value);
  assert.deepEqual(values("squat", "score"), [70, null, 86]);
  assert.deepEqual(values("squat", "range"), [100]);
  assert.deepEqual(values("plank", "score"), [60]);
  assert.deepEqual(values("", "held"), [30]);
});

test("no week is left out or doubled where clocks change", () => {
  for (const [from, to] of [
    ["2026-03-02T12:00", "2026-04-27T12:00"],
    ["2026-10-05T12:00", "2026-11-30T12:00"],
  ]) {
    const trainings = [from, to].map((day) => ({ began_at: at(day), sets: [set("squat", 1)] }));
    const weeks = byWeek(trainings, "", "reps").map(({ week }) => week);
    assert.equal(weeks.length, 9);
    assert.ok(weeks.every((week) => weekOf(week) === week && new Date(week).getDay() === 1));
  }
});

test("the most frequent exercise is the first", () => {
  const sets = [set("lunge", 1), set("squat", 1), set("squat", 1)];
  assert.deepEqual(exercisesOf([{ sets }]), ["squat", "lunge"]);
});

test("four round steps reach what is largest", () => {
  for (const largest of [0, 0.3, 1, 7, 19, 83, 100, 101, 1234]) {
    const steps = scaleFor(largest);
    assert.equal(steps.length, 5);
    assert.ok(steps.at(-1) >= largest && steps.at(-1) <= Math.max(largest, 1) * 2.5, `${largest}: ${steps}`);
  }
});
