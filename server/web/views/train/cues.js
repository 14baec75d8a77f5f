// What to do better, one thing at a time, beside the athlete.

import { say } from "../parts.js";

// A cue that flickers helps nobody, and one that is said over and over neither.
const CUE_MS = 2500;
const SAID_AGAIN_MS = 10_000;
// In less room, CSS pixels, its words would stand one below the other.
const LEAST_ROOM = 150;
const MARGIN = 24;
// With more or less room than it had by so much, it is placed anew.
const MOVED = 24;
// Arms and legs were wherever they were in the last repetition.
const REMEMBERED_MS = 3000;

/**
 * @param {object} app of router.js
 * @param {HTMLElement} element where it is shown
 * @param {object} voice of voice.js
 */
export function makeCues(app, element, voice) {
  const said_ms = {};
  let since_ms = -Infinity;
  let [side, placed] = ["", 0];
  let rooms = []; // {at_ms, left, right}

  function roomOf(room, now_ms) {
    rooms = rooms.filter(({ at_ms }) => now_ms - at_ms < REMEMBERED_MS);
    rooms.push({ ...room, at_ms: now_ms });
    const least = (side) => Math.min(...rooms.map((each) => each[side]));
    return { left: least("left"), right: least("right") };
  }

  // It stays where it came, unless the athlete or the window moves.
  function place(free) {
    side = free.left > free.right ? "left" : "right";
    placed = free[side];
    const room = placed - MARGIN;
    if (room < LEAST_ROOM) side = "";
    element.classList.toggle("left", side === "left");
    element.classList.toggle("right", side === "right");
    element.style.setProperty("--room", `${Math.min(room - MARGIN, 400)}px`);
  }

  return {
    /**
     * @param {{code: string, text: string, joint?: string, degrees?: number}} [warning] of a result
     * @param {number} now_ms
     * @param {{left: number, right: number}} room beside the athlete, CSS pixels
     */
    show(warning, now_ms, room) {
      const free = roomOf(room, now_ms);
      if (!warning) {
        if (now_ms - since_ms > CUE_MS) element.hidden = true;
        return;
      }
      const text = textOf(app.t, warning);
      if (!element.hidden && element.textContent !== text && now_ms - since_ms < CUE_MS) return;
      const isNew = element.hidden || element.textContent !== text;
      if (isNew) since_ms = now_ms;
      if (isNew || Math.abs(Math.max(free.left, free.right) - placed) > MOVED) place(free);
      element.hidden = false;
      say(element, text);
      voice.cue(text, now_ms);
      if (now_ms - (said_ms[warning.code] ?? -Infinity) < SAID_AGAIN_MS) return;
      said_ms[warning.code] = now_ms;
      app.announce(text);
    },
  };
}

// What to change, with the joint and by how much where it is told.
function textOf(t, { code, text, joint, degrees }) {
  const said = t(`warning.${code}`, {}, text);
  return joint ? t("cue.joint", { joint: t(`joint.${joint}`), degrees, text: said }) : said;
}
