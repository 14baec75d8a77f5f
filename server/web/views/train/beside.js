// What is beside the picture of a training, and not needed to begin it: tools, a demonstration, several people.

import { el, svg } from "../../dom.js";
import { drawSkeleton } from "../../skeleton.js";
import { keyed, say } from "../parts.js";
import { Demonstration } from "./demonstration.js";
import { nameOf } from "./goal.js";

const ICONS = {
  show: "M12 4.500v0M12 8v6M7 10l5-2 5 2M12 14l-3 6M12 14l3 6",
  mirror: "M12 3v18M8 7l-5 5 5 5zM16 7l5 5-5 5z",
  full: "M4 9V4h5M15 4h5v5M20 15v5h-5M9 20H4v-5",
};
const NOSE = 0;
const ABOVE = 0.06;

export class Beside {
  /** Draws everybody, in place of drawSkeleton. */
  paint = drawPeople;

  #tools;
  #cards = null;

  /**
   * @param {object} app of router.js
   * @param {Element} live of panel.js
   * @param {object} stage of stage.js
   * @param {object} ring of ring.js
   * @param {?object} counts where several train
   */
  constructor(app, live, stage, ring, counts) {
    const mirror = () => (ring.mirrored = stage.mirrored = !stage.mirrored);
    this.#tools = makeTools(app, live, stage.mirrored, mirror);
    if (!counts) return;
    this.#cards = cards(app, counts);
    live.querySelector(".sets-box").prepend(this.#cards.element);
  }

  /** A result. @param {?string} [next] what is to be done, or was done last, while nothing is recognised */
  take({ exercise = "none", people = [] }, next) {
    const known = exercise !== "none" && exercise !== "unknown";
    this.#tools.take(known ? exercise : (next ?? null));
    this.#cards?.take(people);
  }

  stop() {
    this.#tools.stop();
    this.#cards?.element.remove();
  }
}

// ---- over the picture: how the exercise is done, a mirror, the whole screen

/**
 * @param {object} app of router.js
 * @param {Element} live what fills the screen
 * @param {() => boolean} mirror changes sides @returns whether it is a mirror now
 * @param {boolean} mirrored whether it is
 */
function makeTools(app, live, mirrored, mirror) {
  const { t } = app;
  const demonstration = new Demonstration();
  let shows = true;
  const button = (icon, pressed, press) => {
    const element = el(
      "button.tool",
      { "aria-label": t(`tool.${icon}`), title: t(`tool.${icon}`), "aria-pressed": pressed },
      svg("svg", { viewBox: "0 0 24 24", "aria-hidden": "true" }, svg("path", { d: ICONS[icon] })),
    );
    element.onclick = () => press(element);
    return element;
  };
  const toggle = button("show", true, (element) => {
    shows = !shows;
    element.ariaPressed = String(shows);
  });
  const full = button("full", false, () => {
    if (document.fullscreenElement) document.exitFullscreen();
    else live.requestFullscreen().catch(() => {});
  });
  const changed = () => (full.ariaPressed = String(document.fullscreenElement === live));
  document.addEventListener("fullscreenchange", changed);
  const element = el(
    "div.tools",
    {},
    el(
      "div.tool-row",
      {},
      toggle,
      button("mirror", mirrored, (pressed) => (pressed.ariaPressed = String(mirror()))),
      document.fullscreenEnabled && full,
    ),
    demonstration.element,
  );
  live.querySelector(".stage").append(element);
  return {
    /** What is done now, or is to be done. @param {?string} exercise */
    take(exercise) {
      demonstration.show(shows ? exercise : null, t("tool.how", { what: nameOf(t, exercise ?? "none") }));
    },
    stop() {
      demonstration.stop();
      document.removeEventListener("fullscreenchange", changed);
      element.remove();
    },
  };
}

// ---- several who train side by side: a skeleton and a card each

/** Draw everybody of a view of stage.js, with their number. */
function drawPeople(pen, view, colour) {
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

/**
 * What each has done in the sets, and not before and between them, whatever the server counts.
 */
export class Counts {
  #people = {}; // by id: by exercise {seen, reps}; `seen` is the server's count

  /** A result's people. @param {boolean} counts whether it is of a set */
  take(people, counts) {
    for (const { id, exercise } of people) {
      if (!exercise || exercise.name === "none") continue;
      const all = (this.#people[id] ??= {});
      const one = (all[exercise.name] ??= { seen: 0, reps: 0 });
      // Less than before: the server has begun anew.
      const more = exercise.reps < one.seen ? exercise.reps : exercise.reps - one.seen;
      one.seen = exercise.reps;
      if (counts) one.reps += more;
    }
  }

  /** How many of an exercise somebody has done. */
  of = (id, exercise) => this.#people[id]?.[exercise]?.reps ?? 0;

  /**
   * What each came to, in the order of their numbers.
   * @param {object[]} [told] `exercise_summary.people` of the final result
   */
  summary(told = []) {
    const known = Object.fromEntries(told.map(({ id, exercises }) => [id, exercises]));
    const people = Object.entries(this.#people).map(([id, all]) => ({
      id: Number(id),
      exercises: Object.entries(all)
        .map(([exercise, { reps }]) => ({
          held_s: 0,
          mean_score: null,
          ...known[id]?.[exercise],
          exercise,
          reps,
        }))
        .filter(({ reps, held_s }) => reps > 0 || held_s > 0),
    }));
    return people.filter(({ exercises }) => exercises.length);
  }
}

/**
 * @param {Counts} counts
 * @returns {{element: Element, take: (people: object[]) => void}}
 */
function cards(app, counts) {
  const { t } = app;
  const element = el("ul.people", { "aria-label": t("several.title") });
  const make = ({ id }) => {
    const [count, name, cue] = [el("b.figures"), el("span"), el("span.small.soft")];
    const card = el("li", {}, el("span.small", { textContent: t("several.n", { n: id }) }), count, name, cue);
    return {
      element: card,
      update({ exercise: { name: done, score, warnings } }) {
        say(count, String(counts.of(id, done)));
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
