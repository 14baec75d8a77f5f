// Exercises of one's own, from files of anybody's: server/web/views/train/own.js.

import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { add, asName, hasRoom, read, remove } from "../../server/web/views/train/own.js";
import { ownExercises } from "../../server/web/views/train/wanted.js";

const pull = {
  version: 1,
  name: "band_pull",
  repetitions: 3,
  out: "up",
  out_s: 0.8,
  back_s: 1.1,
  signals: [{ name: "elbows_2d", rest: 168.2, turn: 71 }],
  joints: [],
};
const file = (text) => ({ size: text.length, text: async () => text });
const fileOf = (value) => file(JSON.stringify(value));

beforeEach(() => {
  const kept = {};
  globalThis.localStorage = {
    getItem: (key) => kept[key] ?? null,
    setItem: (key, value) => (kept[key] = value),
  };
});

for (const [text, name] of [
  ["Band Pull", "band_pull"],
  ["  Über-Kopf  ", "uber_kopf"],
  ["Stoß 2", "stoss_2"],
  ["Squat", ""],
  ["unknown", ""],
  ["Constructor", ""],
  ["🙂", ""],
  ["x".repeat(41), ""],
]) {
  test(`"${text.slice(0, 12)}" is called "${name}"`, () => assert.equal(asName(text), name));
}

test("one, or a list, is read as it was written", async () => {
  assert.deepEqual(await read(fileOf(pull)), [pull]);
  assert.deepEqual(await read(fileOf([pull, { ...pull, name: "row" }])), [pull, { ...pull, name: "row" }]);
});

for (const [what, value] of Object.entries({
  "a number": 1,
  nothing: null,
  "an empty list": [],
  "too many": Array.from({ length: 13 }, (_, at) => ({ ...pull, name: `row_${at}` })),
  "another version": { ...pull, version: 2 },
  "another key": { ...pull, more: 1 },
  "a key less": { ...pull, joints: undefined },
  "a name of the server's": { ...pull, name: "squat" },
  "a name that every object has": { ...pull, name: "constructor" },
  "markup for a name": { ...pull, name: "<b>" },
  "a list for a name": { ...pull, name: ["row"] },
  "signals that are none": { ...pull, signals: "all" },
})) {
  test(`${what} is refused`, () => assert.rejects(read(fileOf(value))));
}

test("what is no JSON, or too large to be looked at, is refused", async () => {
  await assert.rejects(read(file("{")));
  await assert.rejects(read({ size: 100_001, text: () => assert.fail("was read") }));
});

for (const damaged of ["{", "null", "{}", "[null]", '[{"version": 1}]']) {
  test(`"${damaged}" is kept: there are none, and one can be added`, () => {
    localStorage.setItem("kinecast.exercises", damaged);
    assert.deepEqual(ownExercises(), []);
    add(pull);
    assert.deepEqual(ownExercises(), [pull]);
  });
}

test("there is room for twelve, and one takes the place of its name's", () => {
  for (let at = 0; at < 12; at++) assert.equal(add({ ...pull, name: `row_${at}` }), true);
  assert.equal(add(pull), false);
  assert.equal(add({ ...pull, name: "row_3", repetitions: 2 }), true);
  assert.equal(ownExercises().length, 12);
  remove("row_5");
  assert.equal(add(pull), true);
  assert.deepEqual(
    ownExercises()
      .map(({ name }) => name)
      .includes("row_5"),
    false,
  );
});

test("there is room for twelve, and for one that takes the place of another", () => {
  for (let n = 0; n < 12; n++) {
    assert.equal(hasRoom(`own_${n}`), true);
    add({ ...pull, name: `own_${n}` });
  }
  assert.equal(hasRoom("own_12"), false);
  assert.equal(hasRoom("own_3"), true);
  assert.equal(add({ ...pull, name: "own_12" }), false);
  assert.equal(ownExercises().length, 12);
});
