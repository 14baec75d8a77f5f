// The page at the end of a training.

import { el, ring, saveAs } from "../../dom.js";
import { nameOf } from "./goal.js";
import { keptName } from "./name.js";
import { repetitionTable } from "./repetitions.js";
import { asCsv, asJson } from "./summary.js";

// More bars than this in a card are lower ones.
const MANY = 30;

/**
 * @param {object} app of router.js
 * @param {object} summary of summary.js
 * @param {?object} session of kinecast.js
 * @param {?object} kept of ring.js: what there is to look at again
 * @param {() => void} again begins another training
 */
export function summaryView(app, summary, session, kept, again) {
  const { t, language } = app;
  const { exercises, counts = true } = summary;
  const nothing = counts ? "summary.nothing" : "summary.counts_not";
  const save = (name, type, text) => () => saveAs(name, new Blob([text], { type }));
  const day = new Date().toISOString().slice(0, 10);
  const today = new Intl.DateTimeFormat(language, { dateStyle: "long" }).format();
  const total = exercises.reduce((sum, each) => sum + each.reps, 0);
  return el(
    "div.summary",
    {},
    el(
      "div.summary-head",
      {},
      el(
        "div",
        {},
        el("h1", { tabIndex: -1, textContent: t(exercises.length ? "summary.title" : nothing) }),
        el("p.soft", {
          // Of holds alone there are none to sum up.
          hidden: exercises.length > 0 && !total,
          textContent: exercises.length ? t("summary.total", { n: total }) : t(`${nothing}.text`),
        }),
        el("p.printed", { textContent: [keptName(), today, "Kinecast"].filter(Boolean).join(" · ") }),
      ),
      el(
        "p.actions",
        {},
        exercises.length > 0 &&
          el("button", {
            textContent: "JSON",
            "aria-label": t("summary.json"),
            onclick: save(`kinecast-${day}.json`, "application/json", asJson(summary, session)),
          }),
        exercises.length > 0 &&
          el("button", {
            textContent: "CSV",
            "aria-label": t("summary.csv"),
            onclick: save(`kinecast-${day}.csv`, "text/csv", asCsv(summary)),
          }),
        exercises.length > 0 && el("button", { textContent: t("summary.print"), onclick: () => print() }),
        el("button.primary", { textContent: t("summary.again"), onclick: again }),
      ),
    ),
    !!summary.people && el("ul.people", { "aria-label": t("several.title") }, ...summary.people.map(person)),
    el("div.summary-list", {}, ...exercises.map((each) => card(app, each, summary, kept))),
  );

  // Of several who trained side by side.
  function person({ id, exercises }) {
    const text = ({ exercise, reps, held_s, mean_score }) =>
      [
        nameOf(t, exercise),
        held_s ? t("held", { s: Math.floor(held_s) }) : t("reps.n", { n: reps }),
        mean_score !== null && `${t("score")} ${rounded(mean_score)}`,
      ]
        .filter(Boolean)
        .join(" · ");
    const lines = exercises.map((each) => el("span.figures", { textContent: text(each) }));
    return el("li", {}, el("span.small", { textContent: t("several.n", { n: id }) }), ...lines);
  }
}

function card(app, summary, { exercises, repetitions }, kept) {
  const { t } = app;
  const { exercise, reps, held_s, mean_score, best_score, most_frequent_fault, often } = summary;
  const done = repetitions.filter((each) => each.exercise === exercise);
  const score = ring("small-ring");
  score.fill(mean_score === null ? null : mean_score / 100);
  const advice = most_frequent_fault && often ? `warning.${most_frequent_fault}` : `advice.${exercise}`;
  return el(
    "section.card",
    {},
    el(
      "div.summary-exercise",
      {},
      el("div.ring-box", {}, score.element, el("b.figures", { textContent: rounded(mean_score) })),
      el(
        "div",
        {},
        el("h2", { textContent: nameOf(t, exercise) }),
        el("p.soft.figures", {
          textContent: [
            held_s ? t("held", { s: Math.floor(held_s) }) : t("reps.n", { n: reps }),
            best_score === null ? "" : t("summary.best", { score: rounded(best_score) }),
          ]
            .filter(Boolean)
            .join(" · "),
        }),
      ),
    ),
    done.length > 0 &&
      el(
        done.length > MANY ? "ol.bars.many" : "ol.bars",
        { "aria-label": t("summary.scores") },
        ...done.map((each, index) => {
          const faults = each.faults.map((code) => t(`warning.${code}`)).join(" ");
          const bar = el("span.bar-fill");
          bar.style.height = `${Math.max(each.score, 4)}%`;
          if (faults) bar.classList.add("faulty");
          return el(
            "li",
            { title: faults },
            el("span.bar-box", {}, bar),
            el("b.figures.small", { textContent: rounded(each.score) }),
            el("span.hidden", { textContent: `${t("summary.repetition", { n: index + 1 })} ${faults}` }),
          );
        }),
      ),
    done.length > 0 && repetitionTable(app, done, kept, exercises.length),
    el(
      "p.advice",
      {},
      most_frequent_fault && el("b", { textContent: t("summary.fault") }),
      el("span", { textContent: t(advice, {}, t("advice.shown")) }),
    ),
  );
}

const rounded = (score) => (score === null ? "–" : String(Math.round(score)));
