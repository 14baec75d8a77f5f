// Pictures as I420: three planes, colours by BT.601 in its limited range.
"use strict";

// Left half grey, right half blue, both at 75 %: the first and the last of the camera pattern's bars.
const GREY = [180, 128, 128];
const BLUE = [35, 212, 114];

function bars(width, height) {
  const half = width >> 1;
  const data = new Uint8ClampedArray((width * height * 3) >> 1);
  let at = 0;
  [width, half, half].forEach((across, plane) => {
    const rows = plane === 0 ? height : height >> 1;
    for (let row = 0; row < rows; row += 1) {
      data.fill(GREY[plane], at, at + (across >> 1));
      data.fill(BLUE[plane], at + (across >> 1), at + across);
      at += across;
    }
  });
  return { width, height, data };
}

// RGB of one pixel.
function colourAt({ width, height, data }, x, y) {
  const chroma = width * height + (y >> 1) * (width >> 1) + (x >> 1);
  const luma = 1.164 * (data[y * width + x] - 16);
  const u = data[chroma] - 128;
  const v = data[chroma + ((width * height) >> 2)] - 128;
  const rgb = [luma + 1.596 * v, luma - 0.392 * u - 0.813 * v, luma + 2.017 * u];
  return rgb.map((value) => Math.max(0, Math.min(255, Math.round(value))));
}

module.exports = { bars, colourAt };
