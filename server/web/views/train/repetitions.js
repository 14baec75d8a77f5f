// Each repetition of an exercise, those with faults first.

import { el } from "../../dom.js";
import { number } from "../../format.js";
import { nameOf } from "./goal.js";
import { jointOf } from "./joints.js";
import { replay } from "./replay.js";

// So many have room on a printed page, by how many exercises share it; of more exercises, three.
const PRINTED = { 1: 14, 2: 10, 3: 5, 4: 5 };

/** The joint whose range says most, of those that were measured: `knee`; null if none was. */
export function jointIn(repetition) {
  const ranges = Object.entries(repetition.range_deg ?? {});
  const usual = jointOf(repetition.exercise);
  if (ranges.some(([name]) => name.endsWith(usual))) return usual;
  const [most] = ranges.sort(([, one], [, other]) => other[1] - other[0] - (one[1] - one[0]));
  return most?.[0].split("_")[1] ?? null;
}

/**
 * @param {object} app of router.js
 * @param {object[]} done an exercise's repetitions, in their order
 * @param {?object} ring of ring.js
 * @param {number} exercises how many share the page when it is printed
 */
export function repetitionTable(app, done, ring, exercises) {
  const { t, language } = app;
  const joint = done.map(jointIn).find(Boolean);
  const degrees = (each, side) => {
    const range = each.range_deg?.[`${side}_${jointIn(each)}`];
    return range ? `${range[0]}–${range[1]}°` : "–";
  };
  const decimal = (value) => number(value, language, 1);
  const numbered = done.map((each, at) => ({ ...each, number: at + 1 }));
  numbered.sort((one, other) => (other.faults.length > 0) - (one.faults.length > 0));
  const printed = PRINTED[exercises] ?? 3;
  const head = ["#", t("score"), t("rep.tempo")];
  if (joint) head.push(...["left", "right"].map((side) => t(`joint.${side}_${joint}`)));

  const row = (each, at) => {
    const faults = each.faults.map((code) => t(`warning.${code}`)).join(" ");
    const title = `${nameOf(t, each.exercise)}, ${t("summary.repetition", { n: each.number })}`;
    const { down, hold, up } = each.tempo_s;
    const cells = [Math.round(each.score), [down, hold, up].map(decimal).join("·")];
    if (joint) cells.push(degrees(each, "left"), degrees(each, "right"));
    const frames = ring?.of(each) ?? [];
    const again = el("button.quiet.again", {
      textContent: "▶",
      "aria-label": t("replay.of", { what: `${nameOf(t, each.exercise)} ${each.number}` }),
      onclick: () => replay(app, frames, ring.mirrored, title, faults),
    });
    return el(
      at < printed ? "tbody" : "tbody.beyond",
      {},
      el(
        "tr",
        {},
        el("th", { scope: "row", textContent: each.number }),
        ...cells.map((textContent) => el("td", { textContent })),
        el("td", {}, frames.length > 1 && again),
      ),
      faults && el("tr", {}, el("td.faults", { colSpan: head.length + 1, textContent: faults })),
    );
  };

  const more = numbered.length - printed;
  return el(
    "div.repetitions",
    { tabIndex: 0, role: "group", "aria-label": t("rep.each") },
    el(
      "table.small.figures",
      {},
      el(
        "thead",
        {},
        el("tr", {}, ...head.map((textContent) => el("th", { scope: "col", textContent })), el("td")),
      ),
      ...numbered.map(row),
    ),
    more > 0 && el("p.small.printed", { textContent: t("rep.more", { n: more }) }),
  );
}
