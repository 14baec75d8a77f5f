// What one can do with one's own trainings: take them away, share them, delete them.

import { el } from "../../dom.js";
import { ask, confirm } from "../parts.js";

/**
 * @param {object} app of router.js
 * @param {Function} t of more_texts.js
 * @param {{who: object, subject: ?string, shared: ?string[], count: number, changed: () => void}} about
 *   `shared`: with whom, if that is theirs to know who look at it
 */
export function yours(app, t, { who, subject, shared, count, changed }) {
  const base = `/athletes/${encodeURIComponent(who.id)}`;
  const link = (form) =>
    el("a.button", {
      href: app.url(`${base}/export?format=${form}`),
      download: "",
      textContent: t(`history.${form}`),
    });

  async function change(path, options, said) {
    try {
      const told = await ask(app.fetch, base + path, options);
      app.notice(said(told));
      changed();
    } catch (problem) {
      app.notice(app.explain(problem), { kind: "problem" });
    }
  }

  async function remove() {
    if (!(await confirm(app, t("history.delete_ask", { n: count, name: who.id }), t("history.delete"))))
      return;
    await change("", { method: "DELETE" }, ({ trainings, wiped }) =>
      [t("history.deleted", { n: trainings }), !wiped && t("history.not_wiped")].filter(Boolean).join(" "),
    );
  }

  const isTheirs = Boolean(shared);
  return el(
    "section.card.yours",
    {},
    el("h2", { textContent: t("history.yours") }),
    el("p.actions", {}, link("json"), link("csv")),
    isTheirs && subject !== null && sharing(),
    isTheirs &&
      el(
        "p.actions",
        {},
        el("button.danger", { type: "button", textContent: t("history.delete"), onclick: remove }),
      ),
  );

  function sharing() {
    const coach = el("input", {
      id: "coach",
      required: true,
      maxLength: 128,
      autocomplete: "off",
      spellcheck: false,
      "aria-describedby": "coach-hint",
    });
    return el(
      "div",
      {},
      el(
        "form",
        {
          onsubmit(event) {
            event.preventDefault();
            const body = JSON.stringify({ coach: coach.value.trim() });
            change("/shares", { method: "POST", body }, () =>
              t("history.shared", { coach: coach.value.trim() }),
            );
          },
        },
        el("label.small", { htmlFor: "coach", textContent: t("history.share") }),
        coach,
        el("button", { textContent: t("history.share_do") }),
        el("span.soft.small", { id: "coach-hint", textContent: t("history.share_hint") }),
      ),
      el(
        "ul",
        {},
        ...shared.map((each) =>
          el(
            "li",
            {},
            el("b", { textContent: each }),
            el("button.quiet.small", {
              type: "button",
              textContent: t("history.unshare"),
              "aria-label": `${t("history.unshare")}: ${each}`,
              onclick: () =>
                change(`/shares/${encodeURIComponent(each)}`, { method: "DELETE" }, () =>
                  t("history.unshared", { coach: each }),
                ),
            }),
          ),
        ),
      ),
    );
  }
}
