// A repetition once more, as a skeleton.

import { colourOf, el } from "../../dom.js";
import { drawSkeleton } from "../../skeleton.js";

const WIDTH = 480;

/**
 * @param {object} app of router.js
 * @param {object[]} frames of ring.js
 * @param {boolean} mirrored
 * @param {string} title which repetition it is
 * @param {string} faults what was wrong with it
 */
export function replay(app, frames, mirrored, title, faults) {
  const { t } = app;
  const [first, last] = [frames[0], frames.at(-1)];
  const canvas = el("canvas", { role: "img", "aria-label": t("replay.picture") });
  [canvas.width, canvas.height] = [WIDTH, Math.round(WIDTH / first.aspect)];
  const pen = canvas.getContext("2d");
  const colour = colourOf("on-video");
  const view = {
    x: (x) => (mirrored ? 1 - x : x) * canvas.width,
    y: (y) => y * canvas.height,
    width: WIDTH,
    scale: 1,
    weight: 0,
  };
  const slider = el("input", {
    type: "range",
    min: 0,
    max: last.pts - first.pts,
    step: "any",
    value: 0,
    "aria-label": t("replay.moment"),
    oninput: () => {
      play(false);
      draw();
    },
  });
  const button = el("button", { type: "button", onclick: () => play(!playing) });
  let [playing, before_ms, drawn] = [false, 0, null];

  function play(yes) {
    playing = yes;
    button.textContent = t(yes ? "find.pause" : "find.play");
    before_ms = performance.now();
    if (yes) requestAnimationFrame(step);
  }

  function step(now_ms) {
    if (!playing) return;
    const at_ms = Number(slider.value) + Math.max(0, now_ms - before_ms);
    before_ms = now_ms;
    slider.value = at_ms > last.pts - first.pts ? 0 : at_ms;
    draw();
    requestAnimationFrame(step);
  }

  function draw() {
    const at_ms = first.pts + Number(slider.value);
    const frame = frames.findLast(({ pts }) => pts <= at_ms + 1) ?? first;
    if (frame === drawn) return;
    drawn = frame;
    const landmarks = [];
    for (let at = 0; at < frame.points.length; at += 3) {
      const [x, y, visibility] = frame.points.subarray(at, at + 3);
      landmarks.push({ x, y, visibility });
    }
    view.before = view.after = { landmarks };
    pen.clearRect(0, 0, canvas.width, canvas.height);
    drawSkeleton(pen, view, colour);
  }

  const dialog = el(
    "dialog.replay",
    { "aria-label": title, onclose: end },
    el(
      "form",
      { method: "dialog" },
      el("h2", { textContent: title }),
      canvas,
      slider,
      faults && el("p.small", { textContent: faults }),
      el("p.actions", {}, button, el("button.primary", { textContent: t("close") })),
    ),
  );
  function end() {
    playing = false;
    dialog.remove();
  }
  document.body.append(dialog);
  dialog.showModal();
  draw();
  play(!matchMedia("(prefers-reduced-motion: reduce)").matches);
}
