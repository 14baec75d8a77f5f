// Who streams, and how it goes; one of them to watch, with what is seen in them.

import { el } from "../dom.js";
import { number } from "../format.js";
import { ask, confirm, keyed, missToken, repeat, say, sayEach } from "./parts.js";
import { nameOf, wall } from "./wall.js";
import { watching } from "./watching.js";

// What is on the wall is seconds old at most.
const EVERY_MS = 1000;
const COLUMNS = ["who", "state", "rates", "latency", "drops", "worker", "camera"];

/** See router.js. */
export function mount(root, app) {
  const { t, language } = app;
  let watched = null;

  const line = el("p.soft", { role: "status", textContent: t("sessions.asking") });
  const workers = el("ul.workers", { "aria-label": t("sessions.workers") });
  const body = el("tbody");
  const table = el(
    "table",
    { hidden: true },
    el("caption.hidden", { textContent: t("nav.sessions") }),
    el(
      "thead",
      {},
      el(
        "tr",
        {},
        ...COLUMNS.map((name) => el(`th.${name}`, { scope: "col", textContent: t(`sessions.${name}`) })),
        el("td"),
      ),
    ),
    body,
  );
  const nobody = el(
    "div.card.nobody",
    { hidden: true },
    el("p", { textContent: t("sessions.nobody") }),
    el("a.button", { href: "#train", textContent: t("sessions.train") }),
  );
  const place = el("div");
  const tiles = wall(app, (session) => toggle(session));
  root.append(
    el("header", {}, el("h1", { textContent: t("nav.sessions") }), line, workers),
    tiles.element,
    place,
    table,
    nobody,
  );

  const asking = repeat(async () => {
    const paths = ["/sessions", "/health"];
    const answers = await Promise.all(paths.map((path) => ask(app.fetch, path))).catch((problem) => ({
      problem,
    }));
    line.classList.toggle("bad", Boolean(answers.problem));
    if (answers.problem?.code === 401) {
      asking.stop();
      missToken(app, answers.problem);
    }
    if (answers.problem) say(line, app.explain(answers.problem));
    else show(answers[0].sessions, answers[1].workers);
  }, EVERY_MS);

  // ---- the table

  function show(sessions, all) {
    say(line, t("sessions.count", { n: sessions.length }));
    table.hidden = !sessions.length;
    nobody.hidden = sessions.length > 0 || watched !== null;
    table.classList.toggle(
      "with-camera",
      sessions.some(({ health }) => health),
    );
    tiles.show(sessions, watched?.id);
    keyed(body, sessions, ({ id }) => id, row);
    keyed(workers, all, ({ index }) => String(index), worker);
  }

  function row(session) {
    const open = el("button.quiet", {
      type: "button",
      textContent: nameOf(t, session),
      title: session.id,
      onclick: () => toggle(session),
    });
    const end = el("button.quiet.small", {
      type: "button",
      textContent: t("sessions.end"),
      "aria-label": `${t("sessions.end")}: ${nameOf(t, session)}`,
      onclick: () => finish(session),
    });
    const problems = el("ul.problems.small");
    const cells = Object.fromEntries(
      COLUMNS.slice(1).map((name) => [
        name,
        el(`td.figures.${name}`, { "data-label": t(`sessions.${name}`) }),
      ]),
    );
    const element = el(
      "tr",
      {},
      el("th.who", { scope: "row" }, open, problems),
      ...Object.values(cells),
      el("td.end", {}, end),
    );
    return {
      element,
      update(now) {
        open.setAttribute("aria-pressed", String(watched?.id === now.id));
        open.disabled = end.hidden = !now.yours;
        element.classList.toggle("watched", watched?.id === now.id);
        const state = now.state === "streaming" && !now.frames_per_s && now.frames ? "still" : now.state;
        element.dataset.state = state;
        const told = {
          state: t(`sessions.state.${state}`, {}, state),
          rates: t("sessions.rates_of", {
            frames: number(now.frames_per_s, language),
            results: number(now.results_per_s, language),
          }),
          latency: now.latency_ms === null ? "–" : `${number(now.latency_ms, language)} ms`,
          drops: `${number(now.dropped, language)} (${number((100 * now.dropped) / Math.max(now.frames, 1), language)} %)`,
          worker:
            (now.worker === null ? "–" : now.worker) +
            (now.restarts ? ` · ${t("sessions.restarts", { n: now.restarts })}` : ""),
          camera: now.health ? camera(now.health) : "–",
        };
        for (const [name, text] of Object.entries(told)) say(cells[name], text);
        sayEach(problems, now.problems.map(problemText));
        cells.camera.classList.toggle("warned", Boolean(now.health?.throttled?.length));
      },
    };
  }

  const problemText = (problem) => app.explain({ ...problem, code: "analyzer" });

  function camera({ temperature_c, throttled }) {
    const said = [];
    if (typeof temperature_c === "number") said.push(`${number(temperature_c, language)} °C`);
    if (throttled?.length) said.push(t("sessions.throttled", { why: throttled.join(", ") }));
    return said.join(" · ") || t("sessions.well");
  }

  function worker() {
    const element = el("li.small");
    return {
      element,
      update({ index, ready, sessions, restarts }) {
        const state = ready ? t("sessions.count", { n: sessions }) : t("sessions.worker_loads");
        say(
          element,
          [`${t("sessions.worker")} ${index}: ${state}`, restarts && t("sessions.restarts", { n: restarts })]
            .filter(Boolean)
            .join(" · "),
        );
        element.classList.toggle("busy", !ready);
      },
    };
  }

  // ---- one of them

  function toggle(session) {
    const same = watched?.id === session.id;
    close();
    if (same) return;
    watched = watching(session, app, { close, end: () => finish(session) });
    watched.id = session.id;
    place.append(watched.element);
    watched.element.scrollIntoView({ block: "nearest" });
    asking.now();
  }

  function close() {
    watched?.stop();
    watched?.element.remove();
    watched = null;
    asking.now();
  }

  async function finish(session) {
    if (!(await confirm(app, t("sessions.end_ask", { name: nameOf(t, session) }), t("sessions.end")))) return;
    try {
      await ask(app.fetch, `/sessions/${session.id}`, { method: "DELETE" });
      app.notice(null);
    } catch (problem) {
      app.notice(app.explain(problem), { kind: "problem" });
    }
    asking.now();
  }

  return {
    unmount() {
      asking.stop();
      watched?.stop();
    },
  };
}
