// Notes what the page really draws: for each picture on the stage its number, read from the bar
// code in its corner, and the points drawn over it. And what it gets: the landmarks of each result,
// with the number that the server read from that very frame. Put into the page before its scripts.
"use strict";

window.drawn = [];
window.results = [];
window.ticks = 0;

{
  const [CELL, COLUMNS, ROWS] = [16, 8, 3]; // bench/harness/barcode.py
  const pen = CanvasRenderingContext2D.prototype;
  const { drawImage, arc } = pen;
  const onStage = ({ canvas }) => canvas.isConnected && canvas.closest(".stage");
  const corner = new OffscreenCanvas(COLUMNS * CELL, ROWS * CELL);
  const reader = corner.getContext("2d", { willReadFrequently: true });

  pen.drawImage = function (picture, ...where) {
    if (onStage(this)) {
      reader.drawImage(picture, 0, 0);
      window.drawn.push({
        word: read(reader.getImageData(0, 0, corner.width, corner.height).data),
        at_ms: performance.now(),
        mirrored: this.getTransform().a < 0,
        width: where[2],
        height: where[3],
        points: [],
      });
    }
    return drawImage.call(this, picture, ...where);
  };

  pen.arc = function (x, y, ...others) {
    if (onStage(this)) window.drawn.at(-1).points.push([x, y]);
    return arc.call(this, x, y, ...others);
  };

  // The server has one analyzer more than the page asks for, which reads the numbers.
  const { parse, stringify } = JSON;
  JSON.stringify = (value, ...others) => {
    value?.data?.analyzers?.push("barcode_reader");
    return stringify(value, ...others);
  };
  JSON.parse = (text, ...others) => {
    const value = parse(text, ...others);
    if (value?.landmarks?.length && value.barcode !== undefined) {
      window.results.push({
        number: value.barcode,
        points: value.landmarks.map(({ x, y }) => [x, y]),
      });
    }
    return value;
  };

  // The middle of each cell, brighter than half or not.
  function read(pixels) {
    let word = 0;
    for (let cell = 0; cell < COLUMNS * ROWS; cell++) {
      const x = (cell % COLUMNS) * CELL;
      const y = Math.floor(cell / COLUMNS) * CELL;
      let sum = 0;
      for (let dy = 4; dy < 12; dy++) {
        for (let dx = 4; dx < 12; dx++) sum += pixels[((y + dy) * COLUMNS * CELL + x + dx) * 4 + 1];
      }
      word = word * 2 + (sum / 64 > 125 ? 1 : 0);
    }
    return word;
  }

  const tick = () => {
    window.ticks += 1;
    requestAnimationFrame(tick);
  };
  requestAnimationFrame(tick);
}
