// What one can do with trainings: take them away; and with one's own, share and delete them.

import { el } from "../../dom.js";
import { ask, confirm } from "../parts.js";

/**
 * @param {object} app of router.js
 * @param {{id: string, subject: ?string, shared: ?string[], count: number, changed: () => void}} about
 *   `subject` of the token; `shared` with whom, if they are theirs who look at them
 */
export function yours(app, { id, subject, shared, count, changed }) {
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
