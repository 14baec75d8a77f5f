// What is seen while a training goes on: the picture, the count, the cue, the sets.

import { el, ring } from "../../dom.js";
import { inspector } from "../inspector.js";
import { say } from "../parts.js";
import { makeCues } from "./cues.js";
import { nameOf } from "./goal.js";
import { Rate } from "./rate.js";
import { mean } from "./sets.js";
import { Voice } from "./voice.js";

const AWAY_MS = 1500;
// Counts and scores are as right with so many pictures a second as with all.
const FEW_FPS = 15;
// Of two counts within it, who listens hears the second only.
const TOLD_AT_ONCE_MS = 500;

/**
 * @param {object} app of router.js
 * @param {{canvas: HTMLCanvasElement, chart: HTMLCanvasElement}} canvases of the picture and of the angle
 * @param {{voice: object, counts: boolean, offered: string[]}} choices what who trains has chosen,
 *   changed in place; and whether the server counts, and its analyzers
 * @param {?{overlay: Element, bar: Element}} coach of coach.js, or what is like it: over the picture, below the name
 * @param {() => void} stop ends the training
 * @returns what there is to set: `state`, `sets`, `result`, `counted`, `aloud`, `angle`, `fail`; and the element
 */
export function panel(app, { canvas, chart }, choices, coach, stop) {
  const { t } = app;
  canvas.ariaLabel = t("train.picture");
  chart.ariaLabel = t("train.chart");
  const status = el("p.chip", {}, el("i.dot"), el("span.figures", { textContent: t("state.connecting") }));
  const cue = el("p.cue", { hidden: true });
  const ready = t(choices.counts ? "train.ready" : "train.values");
  const exercise = el("h2", { textContent: ready });
  const number = el("b.number", { textContent: "0" });
  const unit = el("span.soft.small", { textContent: t("reps") });
  const score = ring("score-ring");
  const scoreText = el(
    "p.score.figures",
    { hidden: !choices.counts },
    el("span.soft", { textContent: t("score") }),
    el("b", { textContent: "–" }),
  );
  const good = el("p.good");
  const angleText = el("span.figures");
  const angleName = el("h3");
  const list = el("ol.sets");
  const voice = el("input", {
    type: "checkbox",
    role: "switch",
    checked: choices.voice.on,
    onchange: () => {
      choices.voice.on = voice.checked;
      chooseVoice();
    },
  });
  const voiceBox = el("div", { hidden: !choices.counts });
  const chooseVoice = async () => {
    const { voiceChoice } = await import("./voice_choice.js");
    voiceBox.replaceChildren(...(choices.voice.on ? [voiceChoice(app, choices.voice)] : []));
  };
  if (choices.voice.on) chooseVoice();
  const values = inspector(app);
  values.element.open = !choices.counts;
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
    el("div.stage", {}, canvas, status, cue, coach?.overlay ?? null),
    el(
      "div.panel.card",
      {},
      el("div.panel-head", {}, exercise, scoreText),
      coach?.bar ?? null,
      el("div.count", { hidden: !choices.counts }, score.element, el("div.count-text", {}, number, unit)),
      good,
      el(
        "div.sets-box",
        { tabIndex: 0, role: "group", "aria-label": t("sets") },
        choices.counts && el("h3", { textContent: t("sets") }),
        list,
        el("p.soft.small.sets-empty", {
          textContent: choices.counts
            ? t("sets.empty")
            : t("train.counts_not", { analyzers: choices.offered.join(", ") }),
        }),
        values.element,
      ),
      el(
        "div.controls",
        {},
        Voice.can &&
          el(
            "label.switch",
            { hidden: !choices.counts },
            voice,
            el("span", { textContent: t("train.voice") }),
          ),
        voiceBox,
        stopButton,
      ),
    ),
    el("figure.strip.card", {}, el("figcaption", {}, angleName, angleText), chart),
  );

  const cues = makeCues(app, cue, choices.voice);
  const rate = new Rate();
  let pulse = () => {};
  if (choices.offered.includes("vitals")) {
    import("./pulse.js").then(({ pulseCard }) => (pulse = pulseCard(app, element)), console.error);
  }
  let seen_ms = performance.now();
  let named_ms = -Infinity; // when the exercise was last named
  let shown = "";

  const praisesOf = ({ feedback }) =>
    (feedback ?? []).map(({ code, text }) => t(`feedback.${code}`, {}, text));
  const unitOf = () => (coach?.step?.reps ? t("plan.of", { n: coach.step.reps }) : t("reps"));

  function listSets(sets) {
    const key = JSON.stringify(sets.list);
    if (key !== shown) list.replaceChildren(...sets.list.map((each, at) => item(t, each, at)).reverse());
    shown = key;
  }

  return {
    element,

    /** The sets so far, when they are first shown. */
    sets(sets) {
      listSets(sets);
      const { exercise: name, count, held_s } = sets.current ?? {};
      if (!name) return;
      say(exercise, nameOf(t, name));
      say(number, String(count || Math.floor(held_s)));
      say(unit, held_s ? t("seconds") : unitOf());
    },

    /** A set begins. */
    begin() {
      say(number, "0");
      say(unit, unitOf());
    },

    /** A state of kinecast.js. */
    state(state) {
      const { code, in_s, problem } = state;
      status.dataset.code = code;
      status.lastChild.textContent = t(`state.${code === "new" ? "connecting" : code}`);
      if (code === "reconnecting") {
        const why = problem.code === "unreachable" ? "" : `${app.explain(problem)} `;
        app.notice(why + t("state.again", { s: in_s.toLocaleString(app.language) }), { kind: "problem" });
      } else if (code === "restarting") app.notice(t("state.restarting.text"));
      else if (code === "live") app.notice(null);
    },

    /** A result, with the sets so far, the latency measured, ms or null, and `beside` of stage.js. */
    result(result, sets, latency_ms, room) {
      const now_ms = performance.now();
      values.take(result);
      // Without pose nobody knows who is there.
      if (result.has_pose !== false) seen_ms = now_ms;
      const away = now_ms - seen_ms > AWAY_MS;
      if (status.dataset.code === "live") {
        const fps = rate.of(result);
        const said = [
          latency_ms === null ? t("state.live") : t("state.live.ms", { ms: Math.round(latency_ms) }),
        ];
        // What the server has no time for is not analyzed: quick movements may be missed.
        if (fps !== null && fps < FEW_FPS) said.push(t("state.live.few", { fps: Math.round(fps) }));
        say(status.lastChild, said.join(" · "));
      }
      const current = sets.current;
      const { exercise: seen = "none", score: scored = null } = result;
      const doing = seen === "none" ? current?.exercise : seen;
      say(exercise, away ? t("train.away") : doing ? nameOf(t, doing) : ready);
      if (result.phase === "hold") {
        say(number, String(Math.floor(current.held_s)));
        say(unit, t("seconds"));
        choices.voice.hold(current.held_s);
      }
      score.fill(scored === null ? null : scored / 100);
      say(scoreText.lastChild, scored === null ? "–" : String(Math.round(scored)));
      say(good, praisesOf(result).join(" · "));
      cues.show(result.warnings?.[0], now_ms, room);
      listSets(sets);
      pulse(result);
    },

    /** A repetition was counted. */
    counted(sets) {
      const { count } = sets.current;
      number.textContent = String(count);
      unit.textContent = unitOf();
      number.getAnimations().forEach((running) => running.cancel());
      if (!matchMedia("(prefers-reduced-motion: reduce)").matches) {
        number.animate([{ scale: 1.18 }, { scale: 1 }], {
          duration: 320,
          easing: "cubic-bezier(.2,.8,.2,1)",
        });
      }
      const name = nameOf(t, sets.current.exercise);
      const now_ms = performance.now();
      const isFirst = count === 1 || now_ms - named_ms < TOLD_AT_ONCE_MS;
      if (isFirst) named_ms = now_ms;
      app.announce(isFirst ? `${name} ${count}` : String(count));
    },

    /** The same aloud, with the result that it came with: only that one says what was good about it. */
    aloud(sets, result) {
      choices.voice.count(sets.current.count, result.warnings?.length ? "" : praisesOf(result)[0]);
    },

    /** An analyzer failed. */
    fail: values.fail,

    /** The angle of the joint that the chart shows. */
    angle(joint, degrees) {
      say(angleName, t(`joint.${joint}`));
      say(angleText, degrees === undefined ? "" : `${Math.round(degrees)}°`);
    },
  };
}

function item(t, { exercise, count, held_s, scores }, at) {
  const score = mean(scores);
  return el(
    "li",
    {},
    el("span.soft.figures", { textContent: String(at + 1) }),
    el("span", { textContent: nameOf(t, exercise) }),
    el("b.figures", { textContent: held_s ? t("held", { s: Math.floor(held_s) }) : `× ${count}` }),
    el("span.figures.soft", { textContent: score === null ? "" : String(Math.round(score)) }),
  );
}
