// A person's landmarks as a crisp skeleton.

// Which landmarks a line joins: trunk, arms, legs, feet. BlazePose's numbers.
// biome-ignore format: a line for each part
const BONES = [
  [11, 12], [11, 23], [12, 24], [23, 24],
  [11, 13], [13, 15], [12, 14], [14, 16],
  [23, 25], [25, 27], [24, 26], [26, 28],
  [27, 31], [28, 32],
];
const JOINTS = [11, 12, 13, 14, 15, 16, 23, 24, 25, 26, 27, 28];
const NOSE = 0;
// Less visible landmarks are guesses.
const VISIBLE = 0.4;
const LINE = 4;
const DOT = 4.5;

// Filled anew for each picture, so that drawing makes no garbage.
const points = new Float32Array(33 * 3);

/**
 * Draw the person of a view of stage.js.
 * @param {CanvasRenderingContext2D} pen
 * @param {object} view as stage.js has it
 * @param {string} colour of the lines
 */
export function drawSkeleton(pen, view, colour) {
  const [before, after] = [view.before.landmarks, view.after.landmarks];
  if (!before?.length || !after?.length) return;
  place(before, after, view);
  const line = LINE * view.scale * Math.min(1, view.width / view.scale / 480);
  pen.lineCap = "round";
  // A dark rim keeps it readable on any clothes.
  lines(pen, "rgb(0 0 0 / 0.45)", line * 1.75);
  lines(pen, colour, line);
  dots(pen, "#fff", (DOT / LINE) * line);
}

function place(before, after, { x, y, weight }) {
  for (let at = 0; at < before.length; at++) {
    const [one, other] = [before[at], after[at]];
    points[at * 3] = x(one.x + (other.x - one.x) * weight);
    points[at * 3 + 1] = y(one.y + (other.y - one.y) * weight);
    points[at * 3 + 2] = Math.min(one.visibility, other.visibility);
  }
}

function lines(pen, colour, width) {
  pen.strokeStyle = colour;
  pen.lineWidth = width;
  pen.beginPath();
  for (const [from, to] of BONES) {
    if (points[from * 3 + 2] < VISIBLE || points[to * 3 + 2] < VISIBLE) continue;
    pen.moveTo(points[from * 3], points[from * 3 + 1]);
    pen.lineTo(points[to * 3], points[to * 3 + 1]);
  }
  pen.stroke();
}

function dots(pen, colour, radius) {
  pen.fillStyle = colour;
  pen.beginPath();
  for (const at of JOINTS) {
    if (points[at * 3 + 2] < VISIBLE) continue;
    pen.moveTo(points[at * 3] + radius, points[at * 3 + 1]);
    pen.arc(points[at * 3], points[at * 3 + 1], radius, 0, 2 * Math.PI);
  }
  if (points[NOSE * 3 + 2] >= VISIBLE) {
    pen.moveTo(points[0] + radius, points[1]);
    pen.arc(points[0], points[1], radius, 0, 2 * Math.PI);
  }
  pen.fill();
}
