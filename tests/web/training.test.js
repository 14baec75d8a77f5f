// What a training makes of what the server says: server/web/views/train/training.js, with a client that a
// test speaks for.

import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { Training } from "../../server/web/views/train/training.js";
import { begin } from "./page.js";

let client;
let leads; // what a coach can have happen
let over; // told at the end
let said;

const tell = (type, detail) => client.dispatchEvent(new CustomEvent(type, { detail }));
const result = (number, more, pts = number * 33) =>
  tell("result", {
    frame: { number, pts, received_at: pts },
    timing: { queue_ms: 0, analyzers: {} },
    exercise: "squat",
    phase: "up",
    ...more,
  });
const good = (code) => [{ code, text: code }];

beforeEach(() => {
  begin();
  said = [];
  const track = Object.assign(new EventTarget(), { getSettings: () => ({}), stop() {} });
  const stream = { getVideoTracks: () => [track], getTracks: () => [track] };
  const book = { now: {}, before: {}, done: [], earlier: [] };
  const own = { state: { code: "new" }, session: { id: "one" }, book, stop() {} };
  client = Object.assign(new EventTarget(), own);
  const app = {
    t: (key, _values, fallback = key) => fallback,
    language: "en",
    client: () => client,
    more: () => Promise.reject(new Error("not here")),
    notice() {},
    announce() {},
    badge() {},
    explain: ({ message }) => message,
  };
  globalThis.speechSynthesis = { cancel() {}, getVoices: () => [], speak: ({ text }) => said.push(text) };
  const Coach = class {
    now = {};
    constructor(_app, _voice, _wanted, on) {
      leads = on;
    }
    draw() {}
    take() {}
  };
  const events = { soon() {}, over: (told) => (over = told) };
  const training = new Training(app, stream, { kind: "camera" }, undefined, { Coach, ...events });
  document.body.append(training.draw());
});

test("a repetition is praised for itself, not for the one before", () => {
  const [voice] = document.body.all(({ attributes }) => attributes.role === "switch");
  voice.checked = true;
  voice.dispatchEvent(new Event("change"));
  for (const number of [1, 2, 3, 4]) {
    tell("repetition", { exercise: "squat", count: number, repetition: null });
    result(number, { feedback: good("Good depth"), warnings: [] });
  }
  tell("repetition", { exercise: "squat", count: 5, repetition: null });
  result(5, { feedback: [], warnings: [] });
  result(6, { feedback: good("Good depth"), warnings: [] });
  assert.deepEqual(said, ["1", "2", "3", "4", "5"]);
});

test("an analyzer that is late is not among those that failed", () => {
  tell("problem", {
    code: "analyzer",
    type: "analyzer_lag",
    analyzer: "pose",
    state: "behind",
    message: "late",
  });
  tell("problem", { code: "analyzer", analyzer: "mine", phase: "frame", message: "no weights" });
  const [errors] = document.body.all(({ classList }) => classList.contains("bad"));
  assert.equal(errors.textContent, "mine, frame: no weights");
});

test("a rest goes on in another session, whose time begins anew", () => {
  result(6000);
  leads.pause();
  result(1, {}, 33);
  result(2, {}, 2000);
  leads.go(null);
  result(3, {}, 9000);
  tell("final", { repetitions: [1500, 8000].map((end_ms) => ({ exercise: "squat", end_ms })) });
  assert.deepEqual(
    over.final.repetitions.map(({ end_ms }) => end_ms),
    [8000],
  );
});
