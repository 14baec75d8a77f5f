// History: the trainings that the server keeps, how they go on, and what one can do with them.

import { el } from "../dom.js";
import { clock, moment, number } from "../format.js";
import { progressCard } from "./history/progress.js";
import { ask, confirm, missToken, say } from "./parts.js";
import { asPublished, keepName, keptName } from "./train/name.js";

// Drawn and listed; all of them are in the file.
const MOST = 500;
const LISTED = 10;
const TYPED_MS = 500;

/** See router.js. */
export async function mount(root, app) {
  await app.more("history");
  const { t, language } = app;
  let subject = null; // of the token; null where no tokens are asked for
  let turn = 0;
  let typing = 0;
  let totals = {}; // how many trainings there are, by whose

  const line = el("p.soft", { role: "status" });
  const choice = el("select", { id: "whose", onchange: () => choose(choice.value) });
  const whose = labelled(choice, "history.whose");
  const input = el("input", {
    id: "history-name",
    value: keptName(),
    maxLength: 60,
    oninput() {
      keepName(input.value);
      clearTimeout(typing);
      typing = setTimeout(() => choose(asPublished(input.value) ?? ""), TYPED_MS);
    },
  });
  const named = labelled(input, "history.name");
  const kept = el("p.soft");
  const place = el("div.place");
  root.append(
    el("header", {}, el("h1", { textContent: t("history.title") }), line),
    kept,
    el("div.choose", {}, named, whose),
    place,
  );

  function labelled(field, text) {
    const label = el("label.small", { htmlFor: field.id, textContent: t(text) });
    return el("p", { hidden: true }, label, field);
  }

  function fail(problem) {
    const { code, message } = problem;
    say(line, code === 404 ? t("history.off") : code === 503 ? message : app.explain(problem));
    place.replaceChildren();
    if (code === 401) missToken(app, problem);
  }

  // What is on pages, each with where the next begins.
  async function all(path, list, next) {
    const found = [];
    let page = { next: null };
    do {
      const from = page.next === null ? "" : `&${next}=${encodeURIComponent(page.next)}`;
      page = await ask(app.fetch, `${path}?limit=100${from}`);
      found.push(...page[list]);
    } while (page.next !== null && found.length < MOST);
    return { ...page, found };
  }

  // ---- whose

  async function begin() {
    const { found, ...told } = await all("/athletes", "athletes", "after");
    subject = told.subject;
    totals = Object.fromEntries(found.map(({ id, trainings }) => [id, trainings]));
    say(kept, t(subject === null ? "history.kept_by_name" : "history.kept"));
    named.hidden = subject !== null;
    const own = subject ?? asPublished(keptName());
    const names = new Set([own, ...found.map(({ id }) => id)].filter(Boolean));
    const before = choice.value;
    choice.replaceChildren(...[...names].map((id) => new Option(id)));
    whose.hidden = names.size < 2;
    await choose(names.has(before) ? before : ([...names][0] ?? ""));
  }

  async function choose(id) {
    const mine = ++turn;
    choice.value = id;
    try {
      const told = id && (await all(`/athletes/${encodeURIComponent(id)}/trainings`, "trainings", "before"));
      if (mine === turn) show(id, told);
    } catch (problem) {
      if (mine === turn) fail(problem);
    }
  }

  // ---- what there is

  function show(id, told) {
    const { found = [], shared_with: shared, next = null } = told;
    // Not all of them are read.
    const count = Math.max(found.length, totals[id] ?? 0);
    say(line, t(count ? "history.count" : id ? "history.none" : "history.nobody", { n: count }));
    place.replaceChildren();
    if (count) place.append(progressCard(app, found, nameOf), list(found, next !== null));
    if (id) place.append(yours(app, { id, subject, shared, count, changed: () => begin().catch(fail) }));
  }

  const nameOf = (exercise) => t(`exercise.${exercise}`, {}, exercise.replaceAll("_", " "));

  function list(trainings, isCut) {
    const items = el("ol");
    const next = el("button.quiet", { type: "button", textContent: t("history.more"), onclick: add });
    function add(event) {
      const from = items.children.length;
      items.append(...trainings.slice(from, from + LISTED).map(training));
      next.hidden = items.children.length === trainings.length;
      if (event) items.children[from].focus();
    }
    add();
    return el(
      "section.card.trainings",
      {},
      items,
      next,
      isCut && el("p.soft", { textContent: t("history.recent") }),
    );
  }

  function training({ began_at, ended_at, sets }) {
    const texts = sets.map(({ exercise, reps, held_s, score, range_deg }) =>
      [
        nameOf(exercise),
        held_s ? t("held", { s: Math.floor(held_s) }) : t("reps.n", { n: reps }),
        range_deg !== null && `${number(range_deg, language)}°`,
        score !== null && `${t("score")} ${Math.round(score)}`,
      ]
        .filter(Boolean)
        .join(" · "),
    );
    return el(
      "li.figures",
      { tabIndex: -1 },
      el("b", { textContent: moment(began_at, language) }),
      ` · ${clock((ended_at - began_at) / 1000)}`,
      el("ul", {}, ...texts.map((textContent) => el("li", { textContent }))),
    );
  }

  begin().catch(fail);
  return {
    unmount() {
      turn++;
      clearTimeout(typing);
    },
  };
}

// ---- what one can do with them: take them away; and with one's own, share and delete them

/**
 * @param {object} app of router.js
 * @param {{id: string, subject: ?string, shared: ?string[], count: number, changed: () => void}} about
 *   `subject` of the token; `shared` with whom, if they are theirs who look at them
 */
function yours(app, { id, subject, shared, count, changed }) {
  const { t } = app;
  const base = `/athletes/${encodeURIComponent(id)}`;
  const button = (name, text, onclick) => el(name, { type: "button", textContent: text, onclick });
  const link = (form) =>
    el("a.button", {
      href: app.url(`${base}/export?format=${form}`),
      download: "",
      textContent: `${t("download")}: ${form.toUpperCase()}`,
    });

  async function change(path, method, said, body) {
    try {
      const told = await ask(app.fetch, base + path, { method, body });
      app.notice(said(told));
      changed();
    } catch (problem) {
      app.notice(app.explain(problem), { kind: "problem" });
    }
  }

  async function remove() {
    if (!(await confirm(app, t("history.delete_ask", { n: count, name: id }), t("history.delete")))) return;
    await change("", "DELETE", ({ trainings, wiped }) =>
      [t("history.deleted", { n: trainings }), wiped ? "" : t("history.not_wiped")].join(" "),
    );
  }

  function share(event) {
    event.preventDefault();
    const coach = event.target.coach.value.trim();
    change("/shares", "POST", () => t("history.shared", { coach }), JSON.stringify({ coach }));
  }

  function takeBack(coach) {
    const take = () =>
      change(`/shares/${encodeURIComponent(coach)}`, "DELETE", () => t("history.unshared", { coach }));
    const back = button("button.quiet", t("history.unshare"), take);
    back.setAttribute("aria-label", `${t("history.unshare")}: ${coach}`);
    return el("li", {}, el("b", { textContent: coach }), back);
  }

  return el(
    "section.card.yours",
    {},
    el("p.actions", {}, link("json"), link("csv")),
    shared &&
      subject !== null &&
      el(
        "form",
        { onsubmit: share },
        el("label.small", { htmlFor: "coach", textContent: t("history.share") }),
        el("input", { id: "coach", required: true, maxLength: 128, autocomplete: "off" }),
        el("button", { textContent: t("history.share_do") }),
      ),
    shared && el("ul", {}, ...shared.map(takeBack)),
    shared && button("button.danger", t("history.delete"), remove),
  );
}
