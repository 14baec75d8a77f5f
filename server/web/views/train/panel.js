// What is seen while a training goes on: the picture, the count, the cue, the sets.

import { el, ring } from "../../dom.js";
import { mean } from "./sets.js";

// A cue that flickers helps nobody, and one that is said over and over neither.
const CUE_MS = 2500;
const SAID_AGAIN_MS = 10_000;
const AWAY_MS = 1500;

/**
 * @param {object} app
 * @param {() => void} stop ends the training
 * @returns what there is to set: `state`, `result`, `counted`; and the canvases
 */
export function panel(app, stop) {
  const { t } = app;
  const canvas = el("canvas", { role: "img", "aria-label": t("train.picture") });
  const chart = el("canvas", { role: "img", "aria-label": t("train.chart") });
  const status = el("p.chip", {}, el("i.dot"), el("span.figures", { textContent: t("state.connecting") }));
  const cue = el("p.cue", { hidden: true });
  const exercise = el("h2", { textContent: t("train.ready") });
  const number = el("b.number", { textContent: "0" });
  const unit = el("span.soft.small", { textContent: t("reps") });
  const score = ring("score-ring");
  const scoreText = el(
    "p.score.figures",
    {},
    el("span.soft", { textContent: t("score") }),
    el("b", { textContent: "–" }),
  );
  const good = el("p.good");
  const angleText = el("span.figures");
  const angleName = el("h3");
  const list = el("ol.sets");
  const voice = el("input", { type: "checkbox", role: "switch" });
  const stopButton = el("button.stop", {
    textContent: t("train.stop"),
    onclick: () => {
      stopButton.disabled = true;
      stop();
    },
  });
  const element = el(
    "section.live",
    { "aria-label": t("nav.train") },
    el("div.stage", {}, canvas, status, cue),
    el(
      "div.panel.card",
      {},
      el("div.panel-head", {}, exercise, scoreText),
      el("div.count", {}, score.element, el("div.count-text", {}, number, unit)),
      good,
      el(
        "div.sets-box",
        {},
        el("h3", { textContent: t("sets") }),
        list,
        el("p.soft.small.sets-empty", { textContent: t("sets.empty") }),
      ),
      el(
        "div.controls",
        {},
        "speechSynthesis" in globalThis &&
          el("label.switch", {}, voice, el("span", { textContent: t("train.voice") })),
        stopButton,
      ),
    ),
    el("figure.strip.card", {}, el("figcaption", {}, angleName, angleText), chart),
  );

  const cues = makeCues(app, cue);
  let seen_ms = performance.now();
  let shown = "";

  return {
    element,
    canvas,
    chart,

    /** A state of kinecast.js. */
    state(state) {
      const { code, in_s, problem } = state;
      status.dataset.code = code;
      status.lastChild.textContent = t(`state.${code}`);
      if (code === "reconnecting") {
        const why = problem.code === "unreachable" ? "" : `${app.explain(problem)} `;
        app.notice(why + t("state.again", { s: in_s.toLocaleString(app.language) }), { kind: "problem" });
      } else if (code === "restarting") app.notice(t("state.restarting.text"));
      else if (code === "live") app.notice(null);
    },

    /** A result, with the sets so far and the latency measured, ms or null. */
    result(result, sets, latency_ms) {
      const now_ms = performance.now();
      if (result.has_pose) seen_ms = now_ms;
      const away = now_ms - seen_ms > AWAY_MS;
      if (status.dataset.code === "live") {
        set(
          status.lastChild,
          latency_ms === null ? t("state.live") : t("state.live.ms", { ms: Math.round(latency_ms) }),
        );
      }
      const current = sets.current;
      const doing = result.exercise !== "none" ? result.exercise : current?.exercise;
      set(
        exercise,
        away ? t("train.away") : doing ? t(`exercise.${doing}`, {}, spoken(doing)) : t("train.ready"),
      );
      if (result.phase === "hold") {
        set(number, String(Math.floor(current.held_s)));
        set(unit, t("seconds"));
      }
      score.fill(result.score === null ? null : result.score / 100);
      set(scoreText.lastChild, result.score === null ? "–" : String(Math.round(result.score)));
      set(good, (result.feedback ?? []).map(({ code, text }) => t(`feedback.${code}`, {}, text)).join(" · "));
      cues.show(result.warnings?.[0], now_ms);
      const key = JSON.stringify(sets.list);
      if (key !== shown) list.replaceChildren(...sets.list.map((each, at) => item(t, each, at)).reverse());
      shown = key;
    },

    /** A repetition was counted. */
    counted(sets) {
      const { count } = sets.current;
      number.textContent = String(count);
      unit.textContent = t("reps");
      number.getAnimations().forEach((running) => running.cancel());
      if (!matchMedia("(prefers-reduced-motion: reduce)").matches) {
        number.animate([{ scale: 1.18 }, { scale: 1 }], {
          duration: 320,
          easing: "cubic-bezier(.2,.8,.2,1)",
        });
      }
      const name = t(`exercise.${sets.current.exercise}`, {}, spoken(sets.current.exercise));
      app.announce(count === 1 ? `${name} 1` : String(count));
      if (!voice.checked) return;
      speechSynthesis.cancel();
      const word = new SpeechSynthesisUtterance(String(count));
      word.lang = app.language;
      speechSynthesis.speak(word);
    },

    /** The angle of the joint that the chart shows. */
    angle(joint, degrees) {
      set(angleName, t(`joint.${joint}`));
      set(angleText, degrees === undefined ? "" : `${Math.round(degrees)}°`);
    },
  };
}

function item(t, { exercise, count, held_s, scores }, at) {
  const score = mean(scores);
  return el(
    "li",
    {},
    el("span.soft.figures", { textContent: String(at + 1) }),
    el("span", { textContent: t(`exercise.${exercise}`, {}, spoken(exercise)) }),
    el("b.figures", { textContent: held_s ? t("held", { s: Math.floor(held_s) }) : `× ${count}` }),
    el("span.figures.soft", { textContent: score === null ? "" : String(Math.round(score)) }),
  );
}

// An exercise of somebody's own has no text but its name.
const spoken = (exercise) => exercise.replaceAll("_", " ");

// What to change, with the joint and by how much where it is told.
function cueOf(t, { code, text, joint, degrees }) {
  const said = t(`warning.${code}`, {}, text);
  return joint ? t("cue.joint", { joint: t(`joint.${joint}`), degrees, text: said }) : said;
}

// One cue at a time: shown for a moment at least, said once in a while.
function makeCues(app, element) {
  const said_ms = {};
  let since_ms = -Infinity;
  return {
    show(warning, now_ms) {
      if (!warning) {
        if (now_ms - since_ms > CUE_MS) element.hidden = true;
        return;
      }
      const text = cueOf(app.t, warning);
      if (!element.hidden && element.textContent !== text && now_ms - since_ms < CUE_MS) return;
      if (element.hidden || element.textContent !== text) since_ms = now_ms;
      element.hidden = false;
      set(element, text);
      if (now_ms - (said_ms[warning.code] ?? -Infinity) < SAID_AGAIN_MS) return;
      said_ms[warning.code] = now_ms;
      app.announce(text);
    },
  };
}

// Text that stays the same costs no layout.
function set(element, text) {
  if (element.textContent !== text) element.textContent = text;
}
