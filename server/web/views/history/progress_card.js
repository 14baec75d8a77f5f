// The card with the chart, and what chooses what it shows.

import { el } from "../../dom.js";
import { byWeek, exercisesOf, FIGURES } from "./progress.js";
import { progressChart } from "./progress_chart.js";

/**
 * @param {Function} t of more_texts.js
 * @param {string} language
 * @param {object[]} trainings of GET /athletes/{id}/trainings; there is one at least
 */
export function progressCard(t, language, trainings) {
  const nameOf = (exercise) => t(`exercise.${exercise}`, {}, exercise.replaceAll("_", " "));
  const exercise = el("select", { id: "history-exercise", onchange: show });
  exercise.append(new Option(t("history.all"), ""));
  for (const each of exercisesOf(trainings)) exercise.append(new Option(nameOf(each), each));
  const figure = el("select", { id: "history-figure", onchange: show });
  for (const each of Object.keys(FIGURES)) figure.append(new Option(t(`history.figure.${each}`), each));
  const place = el("div");
  const labelled = (select, key) =>
    el("p", {}, el("label.small.soft", { htmlFor: select.id, textContent: t(key) }), select);

  function show() {
    const weeks = byWeek(trainings, exercise.value, figure.value);
    const title = `${t(`history.figure.${figure.value}`)}, ${exercise.selectedOptions[0].text}`;
    place.replaceChildren(
      weeks.length
        ? progressChart(t, language, weeks, { title, bars: FIGURES[figure.value].sum })
        : el("p.soft", { textContent: t("history.no_figure") }),
    );
  }

  show();
  return el(
    "section.card",
    {},
    el("h2", { textContent: t("history.progress") }),
    el("div.choose", {}, labelled(exercise, "history.exercise"), labelled(figure, "history.show")),
    place,
  );
}
