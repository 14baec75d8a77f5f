// What Train shows, and when: server/web/views/train.js.

import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { keep } from "../../server/web/views/train/kept.js";
import { mount } from "../../server/web/views/train.js";
import { settled } from "./browser.js";
import { begin, HTMLElement } from "./page.js";

const plank = {
  exercise: "plank",
  reps: 0,
  held_s: 30,
  mean_score: 90,
  best_score: 90,
  most_frequent_fault: null,
  often: true,
};

let asked; // for the camera, each to be answered
let main;
let root;

const app = {
  t: String,
  language: "en",
  notice() {},
  badge() {},
  more: async () => {},
  fetch: () => Promise.reject(new Error("there is no server")),
};

beforeEach(() => {
  begin();
  asked = [];
  const getUserMedia = () => new Promise((resolve, reject) => asked.push({ resolve, reject }));
  const globals = {
    isSecureContext: true,
    navigator: { mediaDevices: { getUserMedia } },
    addEventListener() {},
    removeEventListener() {},
  };
  for (const [name, value] of Object.entries(globals)) {
    Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
  }
  main = new HTMLElement("main");
  root = new HTMLElement("div");
  main.append(root);
});

test("what was asked for last is what begins", { timeout: 10_000 }, async () => {
  mount(root, app);
  const start = root.button("train.start");
  start.press();
  start.press();
  let stopped = 0;
  asked[0].resolve({ getTracks: () => [{ stop: () => (stopped += 1) }] });
  while (!stopped) await settled();
  assert.equal(root.button("train.start"), start);
});

test("whoever pressed a button that is gone is in what comes next", { timeout: 10_000 }, async () => {
  keep({
    kind: "summary",
    summary: { exercises: [plank], repetitions: [] },
  });
  mount(root, app);
  while (!root.button("summary.again")) await settled();
  // Nobody did 0 repetitions who held a plank.
  const [total] = root.all((each) => each.tag === "p" && each.textContent === "summary.total");
  assert.equal(total.hidden, true);
  const again = root.button("summary.again");
  again.focus();
  again.press();
  assert.equal(document.activeElement, main);
});
