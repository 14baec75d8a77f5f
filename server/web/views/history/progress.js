// Figures of trainings by week and exercise: in SVG, and as a table for those who can not see it.

import { el, svg } from "../../dom.js";
import { number } from "../../format.js";

const DAY_MS = 86_400_000;
const [WIDTH, HEIGHT, LEFT, BOTTOM, TOP] = [640, 240, 44, 26, 12];
// A year and a quarter; what is older is in the table.
const MOST_WEEKS = 65;

// Of a set its value, and what that weighs in a week's mean; without a weight a week has the sum.
const FIGURES = {
  reps: ({ reps }) => [reps || null],
  held: ({ held_s }) => [held_s],
  range: ({ range_deg, reps }) => [range_deg, reps],
  score: ({ score, reps }) => [score, reps || 1],
};
const isSum = (figure) => figure === "reps" || figure === "held";

/** The Monday before a moment, at midnight here, ms since the epoch. */
export function weekOf(ms) {
  const day = new Date(ms);
  day.setHours(0, 0, 0, 0);
  day.setDate(day.getDate() - ((day.getDay() + 6) % 7));
  return day.getTime();
}

/**
 * @param {object[]} trainings as GET /athletes/{id}/trainings has them
 * @param {string} exercise its name, or "" for all
 * @param {string} figure one of FIGURES
 * @returns {{week: number, value: ?number}[]} every week from the first to the last
 */
export function byWeek(trainings, exercise, figure) {
  const weeks = new Map();
  for (const { began_at, sets } of trainings) {
    for (const set of sets) {
      const [value, weight = 1] = FIGURES[figure](set);
      if ((exercise && set.exercise !== exercise) || value === null || !weight) continue;
      const week = weekOf(began_at);
      const [total, weights] = weeks.get(week) ?? [0, 0];
      weeks.set(week, [total + value * weight, weights + weight]);
    }
  }
  const found = [...weeks.keys()];
  const all = [];
  // Half a day more: where clocks change, a week is an hour longer or shorter.
  for (let week = Math.min(...found); week <= Math.max(...found); week = weekOf(week + 7.5 * DAY_MS)) {
    const [total, weights] = weeks.get(week) ?? [];
    all.push({ week, value: isSum(figure) ? (total ?? 0) : weights ? total / weights : null });
  }
  return all;
}

/** The exercises of trainings, the most frequent first. */
export function exercisesOf(trainings) {
  const times = {};
  for (const { exercise } of trainings.flatMap(({ sets }) => sets))
    times[exercise] = (times[exercise] ?? 0) + 1;
  return Object.keys(times).sort((one, other) => times[other] - times[one]);
}

/** Five round steps, from 0 to one that is not less than `largest`. */
export function scaleFor(largest) {
  const rough = Math.max(largest, 1) / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map((each) => each * power).find((each) => each >= rough);
  return [0, 1, 2, 3, 4].map((each) => each * step);
}

/** The card with the chart, and what chooses what it shows; there is one training at least. */
export function progressCard({ t, language }, trainings, nameOf) {
  const place = el("div");
  const choice = (name, options) => {
    const select = el("select", { id: `history-${name}`, onchange: show });
    select.append(...options.map(([value, text]) => new Option(text, value)));
    return select;
  };
  const names = exercisesOf(trainings).map((name) => [name, nameOf(name)]);
  const exercise = choice("exercise", [["", t("history.all")], ...names]);
  const figure = choice(
    "show",
    Object.keys(FIGURES).map((each) => [each, t(`history.figure.${each}`)]),
  );
  function show() {
    const weeks = byWeek(trainings, exercise.value, figure.value);
    const title = `${figure.selectedOptions[0].text}, ${exercise.selectedOptions[0].text}`;
    place.replaceChildren(
      ...(weeks.length
        ? // A table can not be made as narrow as what is hidden has to be.
          [
            drawing(weeks.slice(-MOST_WEEKS), language, isSum(figure.value)),
            el("div.hidden", {}, table(weeks, title)),
          ]
        : [t("history.no_figure")]),
    );
  }
  function table(weeks, title) {
    const day = new Intl.DateTimeFormat(language, { dateStyle: "long" });
    const row = (scope, first, second) =>
      el("tr", {}, el("th", { scope, textContent: first }), el("td", { textContent: second }));
    return el(
      "table",
      {},
      el("caption", { textContent: title }),
      el("tbody", {}, ...weeks.map(({ week, value }) => row("row", day.format(week), told(value, language)))),
    );
  }
  const labelled = (select) =>
    el(
      "p",
      {},
      el("label.small.soft", { htmlFor: select.id, textContent: t(select.id.replace("-", ".")) }),
      select,
    );
  show();
  return el(
    "section.card.progress",
    {},
    el("h2", { textContent: t("history.progress") }),
    el("div.choose", {}, labelled(exercise), labelled(figure)),
    place,
  );
}

const told = (value, language) => (value === null ? "–" : number(value, language));

function drawing(weeks, language, bars) {
  const day = new Intl.DateTimeFormat(language, { day: "numeric", month: "short" });
  const steps = scaleFor(Math.max(...weeks.map(({ value }) => value)));
  const room = (WIDTH - LEFT) / weeks.length;
  const x = (at) => LEFT + room * (at + 0.5);
  const y = (value) => HEIGHT - BOTTOM - (value / steps[4]) * (HEIGHT - BOTTOM - TOP);
  const text = (x, y, content, anchor) => {
    const element = svg("text", { x, y, "text-anchor": anchor });
    element.textContent = content;
    return element;
  };
  const line = (step) => svg("line", { x1: LEFT, x2: WIDTH, y1: y(step), y2: y(step) });
  const width = Math.min(room * 0.7, 48);
  const mark = ({ week, value }, at) => {
    if (value === null || (bars && !value)) return null;
    const title = svg("title");
    title.textContent = `${day.format(week)}: ${told(value, language)}`;
    return bars
      ? svg(
          "rect",
          { x: x(at) - width / 2, y: y(value), width, height: y(0) - y(value), rx: width / 12 },
          title,
        )
      : svg("circle", { cx: x(at), cy: y(value), r: 5 }, title);
  };
  // Weeks without a value break the line.
  let pen = "M";
  const path = weeks.map(({ value }, at) => {
    if (value === null) pen = "M";
    const to = value === null ? "" : `${pen}${x(at)} ${y(value)}`;
    if (to) pen = "L";
    return to;
  });
  // A date needs some 70 units, on a phone 110.
  const every = Math.ceil(110 / room);
  return svg(
    "svg",
    { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, "aria-hidden": "true" },
    ...steps.map(line),
    ...steps.map((step) => text(LEFT - 8, y(step) + 4, number(step, language, step % 1 ? 1 : 0), "end")),
    ...weeks.map(({ week }, at) => at % every === 0 && text(x(at), HEIGHT - 6, day.format(week), "middle")),
    !bars && svg("path", { d: path.join("") }),
    ...weeks.map(mark),
  );
}
