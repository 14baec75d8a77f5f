// Who is looked for in the server's camera until further notice, and when they were seen.

import { el } from "../dom.js";
import { number } from "../format.js";
import { ask, keyed, repeat, say } from "./parts.js";
import { bars } from "./sightings.js";

const EVERY_MS = 2000;
// Not with this token.
const FOR_GOOD = [401, 403];

/**
 * @param {object} app of router.js
 * @param {() => ?{embedding: string, threshold: number}} chosen who is to be looked for
 * @returns {{element: Element, stop: () => void}}
 */
export function lookouts(app, chosen) {
  const { t, language } = app;
  const name = el("input", { id: "lookout", required: true, maxLength: 128, autocomplete: "off" });
  const record = el("input", { type: "checkbox", role: "switch" });
  const list = el("ul");
  const form = el(
    "form.actions",
    { onsubmit: begin },
    el("label", { htmlFor: "lookout", textContent: t("lookout.name") }),
    name,
    el("label.switch", {}, record, el("span", { textContent: t("lookout.record") })),
    el("button", { textContent: t("lookout.begin") }),
  );
  const asking = repeat(() => asked("/lookouts").then((now) => now && show(now.lookouts)), EVERY_MS);

  async function asked(path, options) {
    try {
      return await ask(app.fetch, path, options);
    } catch (problem) {
      // It will not be otherwise with the next time.
      if (FOR_GOOD.includes(problem.code) && !options) asking.stop();
      const text = problem.code === 503 ? t("find.problem.503", problem) : app.explain(problem);
      app.notice(text, { kind: "problem" });
    }
  }

  async function run(path, options) {
    app.notice(null);
    await asked(path, options);
    asking.now();
  }

  function begin(event) {
    event.preventDefault();
    const who = chosen();
    if (!who) return app.notice(t("find.empty_who"), { kind: "problem" });
    const wish = { name: name.value, record: record.checked, ...who };
    run("/lookouts", { method: "POST", body: JSON.stringify(wish) });
  }

  const show = (now) => keyed(list, now, ({ id }) => id, row);

  function row({ id, name, camera }) {
    const [none, problem, barList, seen] = [el("p.soft.small"), el("p.small.bad"), el("div.bars"), el("ol")];
    const began_ms = Date.now();
    const end = el("button.small", {
      type: "button",
      textContent: t("stop"),
      "aria-label": `${t("stop")}: ${name}`,
      onclick: () => run(`/lookouts/${id}`, { method: "DELETE" }),
    });
    const strip = el("div.strip", { "aria-hidden": "true" }, barList);
    return {
      element: el(
        "li",
        {},
        el("h3", { textContent: `${name} · ${camera}` }),
        end,
        problem,
        strip,
        none,
        seen,
      ),
      update(told) {
        say(problem, told.problem ?? "");
        say(none, told.sightings.length ? "" : t("find.not_seen"));
        const from_ms = Math.min(began_ms, told.sightings[0]?.since ?? began_ms);
        const second = (ms) => (ms - from_ms) / 1000;
        const spans = told.sightings.map(({ since, until }) => ({
          key: `${since}`,
          from_s: second(since),
          to_s: second(until),
        }));
        bars(barList, spans, second(Date.now()) + 1);
        keyed(seen, told.sightings.slice(-20).reverse(), ({ since }) => `${since}`, sighting);
      },
    };
  }

  function sighting({ since }) {
    const text = el("span.figures");
    const link = el("a", { hidden: true, download: "", textContent: t("lookout.recording") });
    return {
      element: el("li", {}, text, " ", link),
      update({ until, distance, recording }) {
        const how = { dateStyle: "short", timeStyle: "medium" };
        const times = new Intl.DateTimeFormat(language, how).formatRange(since, until);
        say(text, `${times} · ${number(distance, language, 2)}`);
        link.hidden = !recording;
        if (recording) link.href = app.url(`/recordings/${recording}`);
      },
    };
  }

  return { element: el("div", {}, form, list), stop: asking.stop };
}
