// How many pictures a second are analyzed: server/web/views/train/rate.js.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Rate } from "../../server/web/views/train/rate.js";

const at = (received_at) => ({ frame: { received_at } });

test("nothing is said of the first seconds", () => {
  const rate = new Rate();
  for (let ms = 0; ms <= 3000; ms += 100) assert.equal(rate.of(at(1000 + ms)), null);
});

test("it is that of the last seconds, and follows them", () => {
  const rate = new Rate();
  let last;
  for (let ms = 0; ms < 6000; ms += 50) last = rate.of(at(ms));
  assert.ok(Math.abs(last - 20) < 0.5, String(last));
  for (let ms = 6000; ms < 12_000; ms += 200) last = rate.of(at(ms));
  assert.ok(Math.abs(last - 5) < 0.2, String(last));
});
