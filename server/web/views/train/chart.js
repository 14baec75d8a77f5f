// The last seconds of a joint's angle, with the repetitions in it.

import { colourOf } from "../../dom.js";

const SHOWN_MS = 12_000;
const [LOWEST, HIGHEST] = [0, 180];
// Without a person for so long, the line is broken.
const GAP_MS = 500;

export class Chart {
  #canvas;
  #pen;
  #samples = [];
  #repetitions = [];
  #joint = "knee";
  #colours = {};
  #observer;
  #dark = matchMedia("(prefers-color-scheme: dark)");
  #repaint = () => (this.#colours = {});

  /** @param {HTMLCanvasElement} canvas */
  constructor(canvas) {
    this.#canvas = canvas;
    this.#pen = canvas.getContext("2d");
    this.#observer = new ResizeObserver(() => this.#resize());
    this.#observer.observe(canvas);
    this.#dark.addEventListener("change", this.#repaint);
  }

  /** Which angle to show. */
  set joint(name) {
    this.#joint = name;
  }

  /** The angles of a frame. @param {number} pts_ms @param {Object<string, number>} angles */
  add(pts_ms, angles) {
    // The server was replaced, and its time begins anew.
    if (pts_ms < this.#samples.at(-1)?.pts_ms) [this.#samples, this.#repetitions] = [[], []];
    this.#samples.push({ pts_ms, angles });
    const first = this.#samples.findIndex((sample) => sample.pts_ms > pts_ms - SHOWN_MS - GAP_MS);
    this.#samples.splice(0, first);
    this.#repetitions = this.#repetitions.filter((each) => each.end_ms > pts_ms - SHOWN_MS);
  }

  /** A repetition, as the server tells of it, and its number. */
  mark({ start_ms, end_ms }, count) {
    this.#repetitions.push({ start_ms, end_ms, count });
  }

  /** Draw it; called once for each picture at most. */
  draw() {
    const pen = this.#pen;
    const { width, height } = this.#canvas;
    if (!height) return;
    const scale = height / this.#canvas.clientHeight;
    const now_ms = this.#samples.at(-1)?.pts_ms ?? 0;
    const x = (ms) => width * (1 - (now_ms - ms) / SHOWN_MS);
    const y = (deg) => height - ((deg - LOWEST) / (HIGHEST - LOWEST)) * (height - 12 * scale) - 6 * scale;
    const colour = (name) => (this.#colours[name] ??= colourOf(name));
    pen.clearRect(0, 0, width, height);
    pen.fillStyle = colour("line");
    for (const deg of [0, 90, 180]) pen.fillRect(0, y(deg), width, scale);
    pen.textAlign = "center";
    pen.font = `600 ${11 * scale}px system-ui, sans-serif`;
    for (const { start_ms, end_ms, count } of this.#repetitions) {
      const [from, to] = [x(start_ms), x(end_ms)];
      pen.fillStyle = colour("tint");
      pen.fillRect(from, 0, to - from - 2 * scale, height);
      pen.fillStyle = colour("accent");
      pen.fillText(count, (from + to) / 2, height - 8 * scale);
    }
    pen.strokeStyle = colour("accent");
    pen.lineWidth = 2 * scale;
    pen.lineJoin = "round";
    pen.beginPath();
    let last_ms = -Infinity;
    for (const { pts_ms, angles } of this.#samples) {
      if (pts_ms - last_ms > GAP_MS) pen.moveTo(x(pts_ms), y(angles[this.#joint]));
      else pen.lineTo(x(pts_ms), y(angles[this.#joint]));
      last_ms = pts_ms;
    }
    pen.stroke();
  }

  stop() {
    this.#observer.disconnect();
    this.#dark.removeEventListener("change", this.#repaint);
  }

  #resize() {
    const scale = devicePixelRatio;
    this.#canvas.width = Math.round(this.#canvas.clientWidth * scale);
    this.#canvas.height = Math.round(this.#canvas.clientHeight * scale);
    this.draw();
  }
}
