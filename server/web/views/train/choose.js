// What to train, before it begins: an exercise, how many people, a plan, one's own exercises.

import { el, saveAs } from "../../dom.js";
import { goalText, nameOf } from "./goal.js";
import { add, asName, hasRoom, read, remove } from "./own.js";
import { EXERCISES, fragmentOf, HELD, MOST, planIn } from "./plan.js";
import { ownExercises } from "./wanted.js";

const FIRST = { exercise: "squat", sets: 3, reps: 10, rest: 60 };
const PEOPLE = [1, 2, 3, 4];
// By `wanted`: which link was followed. What was changed since stays, in another language and afterwards.
const followed = new WeakMap();

const inSeconds = (step) => ([step.reps, step.seconds] = [undefined, step.reps ?? step.seconds]);

/**
 * @param {object} app of router.js
 * @param {object} wanted of wanted.js, changed in place
 * @param {(name: string) => void} teach shows an exercise of that name
 * @returns {Element}
 */
export function choose(app, wanted, teach) {
  const { t } = app;
  const root = el("div.choices");
  const names = () => [...EXERCISES, ...ownExercises().map(({ name }) => name)];
  const options = (chosen) =>
    names().map((name) => new Option(nameOf(t, name), name, false, name === chosen));

  function draw() {
    root.replaceChildren(exercise(), plan(), own());
  }

  // Whoever changes something by keyboard goes on there.
  function redraw(selector) {
    draw();
    root.querySelector(selector)?.focus();
  }

  function exercise() {
    const any = new Option(t("choose.any"), "", false, !wanted.exercise);
    const select = el(
      "select",
      { onchange: () => (wanted.exercise = select.value || undefined) },
      any,
      ...options(wanted.exercise),
    );
    // One of somebody's own may be gone.
    wanted.exercise &&= select.value || undefined;
    const people = el(
      "select",
      { onchange: () => (wanted.people = Number(people.value)) },
      ...PEOPLE.map((n) => new Option(String(n), n, false, n === (wanted.people ?? 1))),
    );
    return el(
      "div.choice-row",
      {},
      el("label", { hidden: Boolean(wanted.plan) }, t("choose.exercise"), select),
      el("label", {}, t("choose.people"), people),
    );
  }

  function plan() {
    if (!wanted.plan) {
      const begin = () => {
        const first = { ...FIRST, exercise: wanted.exercise ?? FIRST.exercise };
        if (first.exercise === HELD) inSeconds(first);
        wanted.plan = { name: "", steps: [first] };
        redraw(".plan input");
      };
      return el("button.quiet", { textContent: t("plan.make"), onclick: begin });
    }
    const { steps } = wanted.plan;
    const title = el("input", {
      value: wanted.plan.name,
      maxLength: MOST.name,
      oninput: () => (wanted.plan.name = title.value),
    });
    const more = el("button.quiet", {
      textContent: t("plan.add"),
      disabled: steps.length >= MOST.steps,
      onclick: () => {
        steps.push({ ...steps.at(-1) });
        redraw("ol > :last-child select");
      },
    });
    const without = () => {
      wanted.plan = null;
      if (location.hash.startsWith("#plan=")) history.replaceState(null, "", "#train");
      redraw("button");
    };
    return el(
      "fieldset.plan",
      {},
      el("legend", { textContent: t("plan.title") }),
      el("label", {}, t("plan.name"), title),
      el("ol", {}, ...steps.map((each, at) => step(steps, each, at))),
      el(
        "p.actions",
        {},
        more,
        el("button", { textContent: t("plan.link"), onclick: share }),
        el("button.quiet", { textContent: t("plan.none"), onclick: without }),
      ),
    );
  }

  async function share() {
    history.replaceState(null, "", fragmentOf(wanted.plan));
    followed.set(wanted, location.hash);
    try {
      await navigator.clipboard.writeText(location.href);
      app.notice(t("plan.copied"));
    } catch {
      app.notice(t("plan.in_address"));
    }
  }

  function step(steps, each, at) {
    const select = el(
      "select",
      {
        "aria-label": t("choose.exercise"),
        onchange() {
          each.exercise = select.value;
          if (each.exercise === HELD && each.reps) inSeconds(each);
          redraw(`ol > :nth-child(${at + 1}) select`);
        },
      },
      ...options(each.exercise),
    );
    // One of somebody's own may be gone.
    each.exercise = select.value;
    const count = (key, label, most, least = 1) => {
      const input = el("input", {
        type: "number",
        min: least,
        max: most,
        value: each[key],
        "aria-label": label,
        onchange() {
          each[key] = Math.min(most, Math.max(least, Math.round(input.valueAsNumber || least)));
          input.value = each[key];
        },
      });
      return input;
    };
    const timed = each.seconds !== undefined;
    const unit = el(
      "select",
      {
        "aria-label": t("plan.unit"),
        onchange() {
          if (unit.value === "s") inSeconds(each);
          else [each.reps, each.seconds] = [Math.min(each.seconds, MOST.reps)];
          redraw(`ol > :nth-child(${at + 1}) select:nth-of-type(2)`);
        },
      },
      each.exercise !== HELD && new Option(t("reps"), "reps", false, !timed),
      new Option("s", "s", false, timed),
    );
    const gone = () => {
      steps.splice(at, 1);
      redraw(".plan input");
    };
    return el(
      "li",
      {},
      select,
      el("button.quiet", {
        textContent: "✕",
        "aria-label": t("plan.remove", { what: goalText(t, each) }),
        disabled: steps.length < 2,
        onclick: gone,
      }),
      count("sets", t("sets"), MOST.sets),
      "×",
      timed ? count("seconds", t("seconds"), MOST.seconds) : count("reps", t("reps"), MOST.reps),
      unit,
      el("label", {}, t("plan.rest_s"), count("rest", t("plan.rest_s"), MOST.rest, 0)),
    );
  }

  function own() {
    const name = el("input", { maxLength: 40, "aria-label": t("teach.name"), placeholder: t("teach.name") });
    const begin = (event) => {
      event.preventDefault();
      const asked = asName(name.value);
      if (asked && hasRoom(asked)) return teach(asked);
      app.notice(t(asked ? "teach.full" : "teach.bad_name"), { kind: "problem" });
    };
    const file = el("input.hidden", {
      type: "file",
      accept: ".json,application/json",
      tabIndex: -1,
      "aria-hidden": "true",
      onchange: load,
    });
    async function load() {
      try {
        const list = await read(file.files[0]);
        app.notice(list.every(add) ? t("teach.loaded", { n: list.length }) : t("teach.full"));
      } catch {
        app.notice(t("teach.bad_file"), { kind: "problem" });
      }
      redraw(".own button");
    }
    const save = (definition) => () =>
      saveAs(`${definition.name}.json`, new Blob([JSON.stringify(definition)]));
    const item = (each) =>
      el(
        "li",
        {},
        el("b", { textContent: nameOf(t, each.name) }),
        el("button.quiet", {
          type: "button",
          textContent: t("download"),
          "aria-label": `${t("download")}: ${nameOf(t, each.name)}`,
          onclick: save(each),
        }),
        el("button.quiet", {
          type: "button",
          textContent: t("camera.remove"),
          "aria-label": `${t("camera.remove")}: ${nameOf(t, each.name)}`,
          onclick() {
            remove(each.name);
            redraw(".own input");
          },
        }),
      );
    return el(
      "form.own",
      { onsubmit: begin },
      el("p.small", { textContent: t("teach.text") }),
      el("p.choice-row", {}, name, el("button", { textContent: t("teach.begin") })),
      el("ul", {}, ...ownExercises().map(item)),
      el("button.quiet", { type: "button", textContent: t("teach.load"), onclick: () => file.click() }),
      file,
    );
  }

  // A link that a coach made; anybody can make one.
  const { hash } = location;
  try {
    const found = hash === followed.get(wanted) ? null : planIn(hash);
    const strange = found?.steps.find((each) => !names().includes(each.exercise));
    if (strange) app.notice(t("plan.strange", { what: nameOf(t, strange.exercise) }), { kind: "problem" });
    else if (found) wanted.plan = found;
  } catch {
    app.notice(t("plan.bad"), { kind: "problem" });
  }
  followed.set(wanted, hash);
  draw();
  return root;
}
