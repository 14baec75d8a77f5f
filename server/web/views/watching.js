// One session, watched as a coach would: its picture with what was found drawn in, and its results.

import { el } from "../dom.js";
import { clock, number } from "../format.js";
import { watch } from "../whep.js";
import { inspector } from "./inspector.js";
import { say, sayEach } from "./parts.js";
import { nameOf } from "./wall.js";

/**
 * @param {object} session as GET /sessions has it
 * @param {object} app of router.js
 * @param {{close: () => void, end: () => void}} asks what the buttons ask for
 * @returns {{element: Element, stop: () => void}}
 */
export function watching(session, app, { close, end }) {
  const { t, language } = app;
  const name = nameOf(t, session);
  let result = null;
  let over = false;
  let player = null;
  let drawing = 0;

  // ---- what there is

  const video = el("video", {
    onloadedmetadata: reveal,
    muted: true,
    autoplay: true,
    playsInline: true,
    "aria-label": t("sessions.picture", { name }),
  });
  const empty = el("p.empty", { role: "status" });
  const badge = el("p.badge", { hidden: true });
  const button = (kind, text, onclick) => el(kind, { type: "button", textContent: text, onclick });
  const stop = button("button.quiet", t("sessions.end_it"), end);
  const exercise = el("h3.exercise");
  const count = el("p.count.figures");
  const unit = el("p.soft.small");
  const score = el("dd.figures");
  const scored = el("div", {}, el("dt", { textContent: t("score") }), score);
  const server = el("dd.figures");
  const parts = el("dd.figures");
  const warnings = el("ul.warnings", { "aria-live": "polite" });
  const problems = el("ul.warnings");
  const nothing = el("p.soft");
  const totals = el("ul.totals.figures", { "aria-label": t("sessions.totals") });
  const values = inspector(app);

  const element = el(
    "section.card.watching",
    { "aria-label": t("sessions.watching", { name }) },
    el("header", {}, el("h2", { textContent: name }), button("button", t("close"), close)),
    el("div.screen", {}, video, empty, badge),
    el(
      "div.coach",
      {},
      el("div", { role: "alert" }, problems),
      nothing,
      totals,
      exercise,
      count,
      unit,
      warnings,
      el(
        "dl",
        {},
        scored,
        el("div", {}, el("dt", { textContent: t("sessions.latency_server") }), server),
        el("div", {}, el("dt", { textContent: t("sessions.of_it") }), parts),
      ),
      el("p.soft.small", { textContent: t("sessions.latency_what") }),
      values.element,
      stop,
    ),
  );

  function reveal() {
    video.removeEventListener("loadedmetadata", reveal);
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    element.scrollIntoView({ block: "nearest", behavior: calm ? "auto" : "smooth" });
  }

  // ---- the picture: annotated if it can be, as it came if not

  function look(path, fallback) {
    badge.hidden = true;
    player = watch(
      location.origin + path,
      () => app.token,
      ({ code, problem }) => {
        if (over) return;
        if (code === "refused" && fallback && [404, 406, 503].includes(problem.code)) {
          player.stop();
          return look(fallback, "");
        }
        say(
          empty,
          code === "live"
            ? ""
            : problem
              ? t("sessions.no_picture", { why: app.explain(problem) })
              : t("state.connecting"),
        );
        badge.hidden = code !== "live";
        say(badge, t(fallback ? "sessions.annotated" : "sessions.plain"));
      },
    );
    video.srcObject = player.stream;
  }
  const base = `/whep/${encodeURIComponent(session.name ?? session.id)}`;
  look(`${base}/annotated`, base);

  // ---- the results

  const events = new EventSource(app.url(`/sessions/${session.id}/results`));
  const take = ({ data }) => {
    result = JSON.parse(data);
    if (!result.final) values.take(result);
    drawing ||= requestAnimationFrame(show);
  };
  events.addEventListener("result", take);
  events.addEventListener("final", (event) => {
    events.close();
    take(event);
    finish(t("sessions.over"));
    sum(JSON.parse(event.data));
  });
  const failed = [];
  // What went wrong before is told as well.
  events.addEventListener("analyzer_error", ({ data }) => {
    const problem = JSON.parse(data);
    failed.push(app.explain({ ...problem, code: "analyzer" }));
    values.fail(problem);
    sayEach(problems, [...new Set(failed)]);
  });
  events.addEventListener("analyzers_restarted", () => app.announce(t("sessions.restarted")));
  events.onerror = () => events.readyState === EventSource.CLOSED && !over && finish(t("sessions.gone"));

  function finish(text) {
    over = true;
    player.stop({ over });
    video.srcObject = null;
    video.hidden = badge.hidden = true;
    stop.hidden = true;
    say(empty, text);
  }

  // What it came to, when it is over.
  function sum({ exercise_summary }) {
    const lines = Object.entries(exercise_summary?.exercises ?? {}).map(
      ([name, { reps, held_s, mean_score }]) =>
        [
          t(`exercise.${name}`, {}, name.replaceAll("_", " ")),
          held_s ? t("held", { s: Math.floor(held_s) }) : t("reps.n", { n: reps }),
          typeof mean_score === "number" && `${t("score")} ${Math.round(mean_score)}`,
        ]
          .filter(Boolean)
          .join(" · "),
    );
    sayEach(totals, lines);
    for (const each of [exercise, count, unit]) each.hidden = lines.length > 0;
  }

  function show() {
    drawing = 0;
    const doing = result.exercise && result.exercise !== "none" ? result.exercise : "";
    const holds = doing === "plank";
    say(exercise, doing ? t(`exercise.${doing}`, {}, doing.replaceAll("_", " ")) : "");
    say(count, doing ? (holds ? clock(result.held_s ?? 0) : String(result.reps ?? 0)) : "");
    say(unit, doing && !holds ? t("reps") : "");
    say(nothing, doing ? "" : t(result.has_pose === false ? "sessions.no_person" : "sessions.no_exercise"));
    scored.hidden = typeof result.score !== "number";
    say(score, scored.hidden ? "" : `${Math.round(result.score)} / 100`);
    const said = (result.warnings ?? []).map(({ code, text }) => t(`warning.${code}`, {}, text));
    sayEach(warnings, said);
    if (!result.frame || result.final) return;
    const { queue_ms, analyzers } = result.timing;
    const ms = (value) => `${number(value, language)} ms`;
    say(server, ms(result.timestamp - result.frame.received_at));
    say(
      parts,
      [
        t("inspector.queue", { ms: ms(queue_ms) }),
        ...Object.entries(analyzers).map(([each, took]) => `${each} ${ms(took)}`),
      ].join(" · "),
    );
  }

  say(empty, t("state.connecting"));
  return {
    element,
    stop() {
      over = true;
      events.close();
      player.stop();
      cancelAnimationFrame(drawing);
    },
  };
}
