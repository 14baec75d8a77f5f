// History: the trainings that the server keeps, how they go on, and what one can do with them.

import { el } from "../dom.js";
import { clock, moment, number } from "../format.js";
import { progressCard } from "./history/progress_card.js";
import { yours } from "./history/yours.js";
import { moreTexts } from "./more_texts.js";
import { ask, missToken, say } from "./parts.js";
import { asPublished, keepName, keptName } from "./train/name.js";

const PAGE = 100;
// Drawn and listed; all of them are in the file.
const MOST = 500;
const LISTED = 10;
const TYPED_MS = 500;

/** See router.js. */
export async function mount(root, app) {
  const t = await moreTexts(app);
  const { language } = app;
  let who = null; // an athlete of GET /athletes, or {id, own}
  let subject = null; // of the token; null where no tokens are asked for
  let turn = 0;
  let typing = 0;

  const line = el("p.soft", { role: "status", textContent: t("history.asking") });
  const choice = el("select", { id: "whose", onchange: () => choose(choice.value) });
  const whose = el(
    "p.whose",
    { hidden: true },
    el("label.small.soft", { htmlFor: "whose", textContent: t("history.whose") }),
    choice,
  );
  const name = el("input", {
    id: "history-name",
    value: keptName(),
    maxLength: 60,
    autocomplete: "nickname",
    "aria-describedby": "history-name-hint",
    oninput() {
      keepName(name.value);
      clearTimeout(typing);
      typing = setTimeout(() => choose(asPublished(name.value) ?? ""), TYPED_MS);
    },
  });
  const named = el(
    "p.named",
    { hidden: true },
    el("label.small", { htmlFor: "history-name", textContent: t("history.name") }),
    name,
    el("span.soft.small", { id: "history-name-hint", textContent: t("history.name_hint") }),
  );
  const kept = el("p.soft");
  const place = el("div.place");
  root.append(
    el("header", {}, el("h1", { textContent: t("history.title") }), line),
    kept,
    el("div.choose", {}, named, whose),
    place,
  );

  function fail(problem) {
    const code = `history.problem.${problem.code}`;
    const text = t(code, { message: problem.message ?? "" }, "") || app.explain(problem);
    say(line, text);
    line.classList.add("bad");
    place.replaceChildren();
    if (problem.code === 401) missToken(app, problem);
    if (problem.code !== 404) return;
    place.append(el("p.soft", { textContent: t("history.off.text") }));
  }

  // ---- whose

  async function begin() {
    const found = [];
    let after = "";
    do {
      const page = await ask(app.fetch, `/athletes?limit=${PAGE}&after=${encodeURIComponent(after)}`);
      found.push(...page.athletes);
      [subject, after] = [page.subject, page.next];
    } while (after && found.length < MOST);
    say(kept, t(subject === null ? "history.kept_by_name" : "history.kept"));
    named.hidden = subject !== null;
    const own = subject ?? asPublished(keptName()) ?? "";
    if (own && !found.some(({ id }) => id === own)) found.unshift({ id: own, name: null });
    choice.replaceChildren(
      ...found.map(({ id, name }) => new Option(name && name !== id ? `${name} (${id})` : id, id)),
    );
    whose.hidden = found.length < 2;
    await choose(found.some(({ id }) => id === who?.id) ? who.id : own || found[0]?.id || "");
  }

  async function choose(id) {
    const mine = ++turn;
    who = { id, own: subject === null || id === subject };
    choice.value = id;
    line.classList.remove("bad");
    if (!id) {
      say(line, t("history.nobody"));
      return place.replaceChildren();
    }
    try {
      const told = await all(id);
      if (mine === turn) show(told);
    } catch (problem) {
      if (mine === turn) fail(problem);
    }
  }

  async function all(id) {
    const trainings = [];
    let before = "";
    let shared;
    do {
      const page = await ask(
        app.fetch,
        `/athletes/${encodeURIComponent(id)}/trainings?limit=${PAGE}${before}`,
      );
      trainings.push(...page.trainings);
      shared = page.shared_with;
      before = page.next === null ? "" : `&before=${page.next}`;
    } while (before && trainings.length < MOST);
    return { trainings, shared, more: Boolean(before) };
  }

  // ---- what there is

  function show({ trainings, shared, more }) {
    say(
      line,
      trainings.length
        ? t("history.count", { n: `${trainings.length}${more ? "+" : ""}` })
        : t("history.none"),
    );
    const mine = yours(app, t, {
      who,
      subject,
      shared,
      count: trainings.length,
      changed: () => begin().catch(fail),
    });
    if (!trainings.length) {
      return place.replaceChildren(el("p.card.soft", { textContent: t("history.none.text") }), mine);
    }
    place.replaceChildren(
      progressCard(t, language, trainings),
      ...(more ? [el("p.soft.small", { textContent: t("history.recent") })] : []),
      list(trainings),
      mine,
    );
  }

  function list(trainings) {
    const items = el("ol.trainings");
    const next = el("button.quiet", {
      type: "button",
      textContent: t("history.more"),
      onclick: () => add(true),
    });
    function add(focus) {
      const from = items.children.length;
      items.append(...trainings.slice(from, from + LISTED).map(training));
      next.hidden = items.children.length >= trainings.length;
      if (!focus) return;
      items.children[from].tabIndex = -1;
      items.children[from].focus();
    }
    add(false);
    return el("section.card", {}, el("h2", { textContent: t("history.trainings") }), items, next);
  }

  function training({ began_at, ended_at, sets }) {
    const length = clock((ended_at - began_at) / 1000);
    return el(
      "li",
      {},
      el("b.figures", { textContent: moment(began_at, language) }),
      el("span.soft.small.figures", { textContent: ` ${length}` }),
      el("ul", {}, ...sets.map((set) => el("li.figures", { textContent: setText(set) }))),
    );
  }

  function setText({ exercise, reps, held_s, score, range_deg }) {
    return [
      t(`exercise.${exercise}`, {}, exercise.replaceAll("_", " ")),
      held_s ? t("held", { s: Math.floor(held_s) }) : t("reps.n", { n: reps }),
      range_deg !== null && `${number(range_deg, language)}°`,
      score !== null && `${t("score")} ${Math.round(score)}`,
    ]
      .filter(Boolean)
      .join(" · ");
  }

  begin().catch(fail);
  return {
    unmount() {
      turn++;
      clearTimeout(typing);
    },
  };
}
