// Numbers, moments and names: server/web/format.js.

import assert from "node:assert/strict";
import { test } from "node:test";
import { clock, megabytes, moment, number } from "../../server/web/format.js";
import { nameOf } from "../../server/web/views/wall.js";

// Which of the spaces stands before a unit is for each edition of Unicode's data to say.
const plain = (text) => text.replace(/\s/g, " ");

const CLOCKS = [
  [0, "0:00"],
  [9.99, "0:09"],
  [65, "1:05"],
  [3599.9, "59:59"],
  [3600, "1:00:00"],
  [3661, "1:01:01"],
  [36_000 + 600 + 7, "10:10:07"],
  [-5, "0:00"],
];
for (const [seconds, text] of CLOCKS) {
  test(`${seconds} s are ${text}`, () => assert.equal(clock(seconds), text));
}

const SIZES = [
  [0, "0 MB", "0 MB"],
  [12_345_678, "12.3 MB", "12,3 MB"],
  [99_940_000, "99.9 MB", "99,9 MB"],
  // From here on tenths are no news.
  [100_400_000, "100 MB", "100 MB"],
  [1_234_567_890, "1,235 MB", "1.235 MB"],
];
for (const [bytes, en, de] of SIZES) {
  test(`${bytes} bytes are ${en}`, () => {
    assert.deepEqual([plain(megabytes(bytes, "en")), plain(megabytes(bytes, "de"))], [en, de]);
  });
}

const NUMBERS = [
  [1234.6, undefined, "1,235", "1.235"],
  [0.5, 2, "0.50", "0,50"],
  [12.345, 1, "12.3", "12,3"],
  [-3, 0, "-3", "-3"],
];
for (const [value, digits, en, de] of NUMBERS) {
  test(`${value} with ${digits ?? "no"} digits is ${en}`, () => {
    assert.deepEqual([number(value, "en", digits), number(value, "de", digits)], [en, de]);
  });
}

test("a moment is a day and a time of this place, without its year", () => {
  const ms = new Date(2026, 10, 21, 17, 4).getTime();
  assert.equal(plain(moment(ms, "en")), "Nov 21, 05:04 PM");
  assert.equal(plain(moment(ms, "de")), "21. Nov., 17:04");
});

test("a session is called by its name, one without is a guest, the same one each time", () => {
  const t = (key, { n }) => `${key} ${n}`;
  const [one, other] = ["0123456789abcdef", "fedcba9876543210"];
  assert.equal(nameOf(t, { id: one, name: "hall" }), "hall");
  assert.equal(nameOf(t, { id: other, name: null }), "sessions.guest 1");
  assert.equal(nameOf(t, { id: one }), "sessions.guest 2");
  assert.equal(nameOf(t, { id: other, name: null }), "sessions.guest 1");
});
