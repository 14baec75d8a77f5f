// How a training is asked for: server/web/views/train/wanted.js.

import assert from "node:assert/strict";
import { test } from "node:test";
import { encodingOf } from "../../server/web/views/train/wanted.js";

for (const [camera, scaleResolutionDownBy] of [
  [{ width: 1280, height: 720 }, 2],
  [{ width: 720, height: 1280 }, 2],
  [{ width: 320, height: 240 }, 1],
  [{}, 1],
]) {
  test(`a camera of ${camera.width} by ${camera.height}`, () => {
    const usual = { maxFramerate: 30, scaleResolutionDownBy };
    assert.deepEqual(encodingOf(["pose", "exercise"], camera), usual);
    assert.deepEqual(encodingOf(["pose", "vitals"], camera), { ...usual, maxBitrate: 2_500_000 });
  });
}
