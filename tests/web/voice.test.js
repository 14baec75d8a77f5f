// What is said aloud in a training: server/web/views/train/voice.js, with the browser's voice noted.

import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { Voice } from "../../server/web/views/train/voice.js";

let said;
let words; // what is being said

beforeEach(() => {
  said = [];
  globalThis.SpeechSynthesisUtterance = class {
    constructor(text) {
      this.text = text;
    }
  };
  globalThis.speechSynthesis = {
    cancel: () => said.push("(cancel)"),
    getVoices: () => [
      { name: "Anna", lang: "de-DE" },
      { name: "Kate", lang: "en-GB" },
    ],
    speak(utterance) {
      words = utterance;
      said.push(`${utterance.lang}: ${utterance.text}`);
    },
  };
});

function voice() {
  const all = new Voice({ language: "en", t: (key, { n }) => `${n} ${key}` });
  all.on = true;
  return all;
}
const spoken = () => said.filter((text) => text !== "(cancel)");

test("nothing is said until it is asked for", () => {
  const quiet = new Voice({ language: "en", t: String });
  quiet.count(1);
  quiet.cue("Lower", 0);
  quiet.hold(20);
  assert.deepEqual(said, []);
});

test("a number takes the place of the one before, but not of a sentence", () => {
  const all = voice();
  all.count(1);
  all.cue("Lower", 0);
  all.count(2);
  assert.deepEqual(said, ["(cancel)", "en: 1", "(cancel)", "en: Lower", "en: 2"]);
});

test("after a sentence a number takes the place of the one before again", () => {
  const all = voice();
  all.cue("Lower", 0);
  words.onend();
  all.count(2);
  assert.deepEqual(said, ["(cancel)", "en: Lower", "(cancel)", "en: 2"]);
});

for (const [text, at_ms, is_said] of [
  ["Lower", 7999, false],
  ["Lower", 15_999, false],
  ["Lower", 16_000, true],
  ["Chest up", 7999, false],
  ["Chest up", 8000, true],
]) {
  test(`"${text}" ${at_ms} ms after "Lower" is ${is_said ? "" : "not "}said`, () => {
    const all = voice();
    all.cue("Lower", 0);
    all.cue(text, at_ms);
    assert.equal(spoken().length, is_said ? 2 : 1);
  });
}

test("what comes next is said at once, and cues are said as before", () => {
  const all = voice();
  all.cue("Lower", 0);
  all.tell("Rest 60 s.");
  all.cue("Chest up", 8000);
  assert.deepEqual(spoken(), ["en: Lower", "en: Rest 60 s.", "en: Chest up"]);
});

test("every tenth second of a hold is said once, of the next hold too", () => {
  const all = voice();
  for (const seconds of [0, 9.9, 10, 10.03, 19.9, 20.1, 0.1, 9.9, 10.2]) all.hold(seconds);
  assert.deepEqual(spoken(), ["en: 10 spoken.seconds", "en: 20 spoken.seconds", "en: 10 spoken.seconds"]);
});

test("every fifth repetition is praised, if there is anything to praise", () => {
  const all = voice();
  for (const number of [4, 5]) all.count(number, "Good depth");
  all.count(10, "");
  assert.deepEqual(spoken(), ["en: 4", "en: 5. Good depth.", "en: 10"]);
});

test("how fast, and by whom, is kept; a voice of another language is not taken", () => {
  const kept = new Map();
  globalThis.localStorage = {
    getItem: (key) => kept.get(key) ?? null,
    setItem: (key, value) => kept.set(key, value),
  };
  voice().choose({ rate: 1.3, name: "Kate" });
  const again = voice();
  again.count(1);
  assert.deepEqual([words.rate, words.voice.name], [1.3, "Kate"]);
  again.choose({ name: "Anna" });
  again.count(2);
  assert.equal(words.voice, null);
  kept.set("kinecast.voice", "{damaged");
  voice().count(3);
  assert.equal(words.rate, 1);
  delete globalThis.localStorage;
});

test("what is being said ends when it is switched off", () => {
  const all = voice();
  all.cue("Lower", 0);
  said = [];
  all.on = false;
  all.count(1);
  assert.deepEqual(said, ["(cancel)"]);
});
