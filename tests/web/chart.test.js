// The line of a joint's angle, on a canvas that writes down what is drawn.

import assert from "node:assert/strict";
import { before, test } from "node:test";

let Chart;
let drawn;
let listening = 0;
const dark = {
  addEventListener: () => listening++,
  removeEventListener: () => listening--,
};

/** Takes every call and setting of a 2D context, and notes those that make the line and its labels. */
function pen() {
  const noted = ["moveTo", "lineTo", "fillText"];
  const note =
    (name) =>
    (...given) =>
      noted.includes(name) && drawn.push([name, ...given]);
  return new Proxy({}, { get: (_, name) => note(name), set: () => true });
}

before(async () => {
  globalThis.ResizeObserver = class {
    observe() {}
    disconnect() {}
  };
  globalThis.matchMedia = () => dark;
  globalThis.document = {
    body: { append() {} },
    createElement: () => ({ style: {}, remove() {} }),
  };
  globalThis.getComputedStyle = () => ({ color: "black" });
  ({ Chart } = await import("../../server/web/views/train/chart.js"));
});

function charted(times) {
  const chart = new Chart({ width: 1200, height: 100, clientHeight: 100, getContext: pen });
  chart.mark({ start_ms: times[0], end_ms: times[0] + 100 }, 1);
  for (const pts_ms of times) chart.add(pts_ms, { knee: 90 });
  drawn = [];
  chart.draw();
  return drawn;
}

const xs = (calls) => calls.filter(([name]) => name !== "fillText").map(([, x]) => x);

test("the line goes from left to right, up to now", () => {
  const calls = charted([1000, 1100, 1200]);
  assert.deepEqual(xs(calls), [1180, 1190, 1200]);
  assert.equal(calls.filter(([name]) => name === "fillText").length, 1);
});

test("when time begins anew, so does the chart", () => {
  const calls = charted([5000, 5100, 5200, 40, 140]);
  assert.deepEqual(xs(calls), [1190, 1200]);
  assert.equal(calls.filter(([name]) => name === "fillText").length, 0);
});

test("one that is over listens no more", () => {
  const before = listening;
  const chart = new Chart({ width: 1, height: 1, clientHeight: 1, getContext: pen });
  assert.equal(listening, before + 1);
  chart.stop();
  assert.equal(listening, before);
});
