// Several who train side by side: a skeleton and a card each.

import { el } from "../../dom.js";
import { drawSkeleton } from "../../skeleton.js";
import { keyed, say } from "../parts.js";
import { nameOf } from "./goal.js";

const NOSE = 0;
const ABOVE = 0.06;

/** Draw everybody of a view of stage.js, with their number. */
export function drawPeople(pen, view, colour) {
  const after = new Map((view.after.people ?? []).map((each) => [each.id, each]));
  for (const before of view.before.people ?? []) {
    if (!after.has(before.id)) continue;
    drawSkeleton(pen, { ...view, before, after: after.get(before.id) }, colour);
    const { x, y } = before.landmarks[NOSE];
    pen.font = `700 ${22 * view.scale}px system-ui, sans-serif`;
    pen.textAlign = "center";
    pen.fillStyle = "#fff";
    pen.fillText(String(before.id), view.x(x), view.y(Math.max(ABOVE, y - ABOVE)));
  }
}

/** @returns {{element: Element, take: (people: object[]) => void}} */
export function cards(app) {
  const { t } = app;
  const element = el("ul.people", { "aria-label": t("several.title") });
  const make = ({ id }) => {
    const [count, name, cue] = [el("b.figures"), el("span"), el("span.small.soft")];
    const card = el("li", {}, el("span.small", { textContent: t("several.n", { n: id }) }), count, name, cue);
    return {
      element: card,
      update({ exercise: { name: done, reps, score, warnings } }) {
        say(count, String(reps));
        const points = score === undefined || score === null ? "" : ` · ${Math.round(score)}`;
        say(name, done === "none" ? t("train.ready") : nameOf(t, done) + points);
        const [wrong] = warnings ?? [];
        say(cue, wrong ? t(`warning.${wrong.code}`, {}, wrong.text) : "");
      },
    };
  };
  return {
    element,
    take(people) {
      const seen = people.filter(({ exercise }) => exercise).sort((one, other) => one.id - other.id);
      keyed(element, seen, ({ id }) => id, make);
    },
  };
}
