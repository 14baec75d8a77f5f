// How the exercise is done: a figure that does it, beside whoever trains.

import { colourOf, el } from "../../dom.js";
import { POSES } from "./poses.js";

const PIXELS = 280;
const REST_S = 0.5;
// Of the picture's width.
const [LIMB, HEAD] = [0.032, 0.05];
// By the place of a joint in poses.js.
// biome-ignore format: a line for each part
const LIMBS = [
  [1, 2, 8, 7, 1],
  [1, 3, 5], [2, 4, 6],
  [7, 9, 11, 13], [8, 10, 12, 14],
];

/** Whether it is known how this is done. */
export const canShow = (exercise) => exercise in POSES;

export class Demonstration {
  element;
  #canvas = el("canvas", { role: "img", width: PIXELS, height: PIXELS });
  #pen = this.#canvas.getContext("2d");
  #colour = colourOf("on-video");
  #exercise = null;
  #name = "";
  #began_ms = 0;
  #stopped = false;

  constructor() {
    this.element = el("div.demonstration", { hidden: true }, this.#canvas);
  }

  /** Show this one from now on. @param {?string} exercise null for none @param {string} said for screen readers */
  show(exercise, said) {
    this.#canvas.ariaLabel = said;
    if (exercise === this.#exercise) return;
    this.#exercise = canShow(exercise) ? exercise : null;
    this.element.hidden = !this.#exercise;
    if (!this.#exercise || this.#name) return;
    this.#name = "runs";
    this.#began_ms = performance.now();
    requestAnimationFrame(this.#step);
  }

  stop() {
    this.#stopped = true;
  }

  #step = (now_ms) => {
    if (this.#stopped || !this.#exercise) return void (this.#name = "");
    // Who wants nothing to move sees where it turns.
    const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.#draw(poseAt(POSES[this.#exercise], still ? null : (now_ms - this.#began_ms) / 1000));
    if (still) setTimeout(() => this.#step(now_ms), 1000);
    else requestAnimationFrame(this.#step);
  };

  #draw(points) {
    const pen = this.#pen;
    const at = (joint) => [points[joint * 2] * PIXELS, points[joint * 2 + 1] * PIXELS];
    pen.clearRect(0, 0, PIXELS, PIXELS);
    pen.strokeStyle = pen.fillStyle = this.#colour;
    pen.lineWidth = LIMB * PIXELS;
    pen.lineCap = pen.lineJoin = "round";
    pen.beginPath();
    for (const [first, ...others] of LIMBS) {
      pen.moveTo(...at(first));
      for (const joint of others) pen.lineTo(...at(joint));
    }
    pen.stroke();
    pen.beginPath();
    pen.arc(...at(0), HEAD * PIXELS, 0, 2 * Math.PI);
    pen.fill();
  }
}

/**
 * Where the joints are.
 * @param {Array} told of poses.js
 * @param {?number} time_s since it began; null for the turn
 * @returns {number[]} x and y of each, 0 to 1
 */
export function poseAt([out_s, hold_s, back_s, ...all], time_s) {
  const whole_s = out_s + hold_s + back_s + REST_S;
  const into_s = time_s === null ? out_s : time_s % whole_s;
  const poses = all[time_s === null ? 0 : Math.floor(time_s / whole_s) % all.length];
  const back = (into_s - out_s - hold_s) / back_s;
  const depth = ease(into_s < out_s ? into_s / out_s : back < 0 ? 1 : Math.max(0, 1 - back));
  const place = depth * (poses.length - 1);
  const [one, other] = [Math.floor(place), Math.ceil(place)].map((at) => numbers(poses[at]));
  return one.map((value, at) => value + (other[at] - value) * (place % 1));
}

// As the athlete's own: slow where it begins and ends.
const ease = (part) => part * part * (3 - 2 * part);
const numbers = (text) => text.match(/.{3}/g).map((digits) => Number(digits) / 1000);
