// A figure by week, drawn in SVG, and the same as a table for those who can not see it.

import { el, svg } from "../../dom.js";
import { number } from "../../format.js";
import { scaleFor } from "./progress.js";

const [WIDTH, HEIGHT, LEFT, BOTTOM, TOP] = [640, 240, 44, 26, 12];
// A year and a quarter; what is older is in the table.
const MOST_WEEKS = 65;

/**
 * @param {Function} t of more_texts.js
 * @param {string} language
 * @param {{week: number, value: ?number}[]} weeks of progress.js
 * @param {{title: string, bars: boolean}} what it is called, and whether it is sums
 * @returns {Element}
 */
export function progressChart(t, language, weeks, { title, bars }) {
  const day = new Intl.DateTimeFormat(language, { day: "numeric", month: "short" });
  const fullDay = new Intl.DateTimeFormat(language, { dateStyle: "long" });
  const told = (value) => (value === null ? "–" : number(value, language));
  const table = el(
    "table",
    {},
    el("caption", { textContent: title }),
    el(
      "thead",
      {},
      el(
        "tr",
        {},
        ...[t("history.week"), title].map((textContent) => el("th", { scope: "col", textContent })),
      ),
    ),
    el(
      "tbody",
      {},
      ...weeks.map(({ week, value }) =>
        el(
          "tr",
          {},
          el("th", { scope: "row", textContent: fullDay.format(week) }),
          el("td", { textContent: told(value) }),
        ),
      ),
    ),
  );
  // A table can not be made as narrow as what is hidden has to be.
  const hidden = el("div.hidden", {}, table);
  return el("figure.progress", {}, drawing(weeks.slice(-MOST_WEEKS), { day, told, bars, language }), hidden);
}

function drawing(weeks, { day, told, bars, language }) {
  const steps = scaleFor(Math.max(...weeks.map(({ value }) => value ?? 0)));
  const most = steps.at(-1);
  const room = (WIDTH - LEFT) / weeks.length;
  const x = (at) => LEFT + room * (at + 0.5);
  const y = (value) => HEIGHT - BOTTOM - (value / most) * (HEIGHT - BOTTOM - TOP);
  // A date needs some 70 units.
  const every = Math.ceil(70 / room);
  return svg(
    "svg",
    { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, "aria-hidden": "true" },
    ...steps.map((step) =>
      svg(
        "g.step",
        {},
        svg("line", { x1: LEFT, x2: WIDTH, y1: y(step), y2: y(step) }),
        text(LEFT - 8, y(step) + 4, number(step, language, step % 1 ? 1 : 0), "end"),
      ),
    ),
    ...weeks.map(({ week }, at) => at % every === 0 && text(x(at), HEIGHT - 6, day.format(week), "middle")),
    ...(bars ? barsOf(weeks, x, y, Math.min(room * 0.7, 48)) : lineOf(weeks, x, y)),
    ...weeks.map(({ week, value }, at) => {
      const over = svg("rect.over", {
        x: x(at) - room / 2,
        y: TOP,
        width: room,
        height: HEIGHT - BOTTOM - TOP,
      });
      const title = svg("title");
      title.textContent = `${day.format(week)}: ${told(value)}`;
      over.append(title);
      return over;
    }),
  );
}

function text(x, y, content, anchor) {
  const element = svg("text", { x, y, "text-anchor": anchor });
  element.textContent = content;
  return element;
}

function barsOf(weeks, x, y, width) {
  return weeks.map(
    ({ value }, at) =>
      value > 0 &&
      svg("rect.bar", {
        x: x(at) - width / 2,
        y: y(value),
        width,
        height: y(0) - y(value),
        rx: Math.min(4, width / 3),
      }),
  );
}

// Weeks without a value break it.
function lineOf(weeks, x, y) {
  let path = "";
  let pen = "M";
  const dots = [];
  weeks.forEach(({ value }, at) => {
    if (value === null) return void (pen = "M");
    path += `${pen}${x(at).toFixed(1)} ${y(value).toFixed(1)}`;
    pen = "L";
    dots.push(svg("circle.dot", { cx: x(at), cy: y(value), r: 4 }));
  });
  return [svg("path.line", { d: path }), ...dots];
}
