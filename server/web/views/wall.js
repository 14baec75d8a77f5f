// The coach's wall: everybody who streams, at a glance.

import { el } from "../dom.js";
import { clock } from "../format.js";
import { keyed, say } from "./parts.js";

/**
 * @param {object} app of router.js
 * @param {(session: object) => void} choose somebody is to be looked at closely
 * @returns {{element: Element, show: (sessions: object[], chosen: ?string) => void}} `show` what GET
 *   /sessions has, and who is looked at
 */
export function wall(app, choose) {
  const { t } = app;
  const element = el("ul.wall", { "aria-label": t("sessions.wall") });

  function tile(session) {
    const picture = el("img", { alt: "" });
    const doing = el("span.figures");
    const cue = el("span.hint.small");
    const button = el(
      "button",
      { type: "button", onclick: () => choose(session) },
      picture,
      el("b", { textContent: nameOf(t, session) }),
      doing,
      cue,
    );
    const refresh = refresher(app, picture, `/sessions/${session.id}/picture`);
    return {
      element: el("li", {}, button),
      update(now) {
        button.setAttribute("aria-pressed", String(now.chosen));
        // Somebody who shares with a coach is seen here, and their results are their own.
        button.disabled = !now.yours;
        say(doing, doingText(now));
        const [hint] = now.doing?.framing ?? [];
        const [warning] = now.doing?.warnings ?? [];
        say(cue, hint ? t(`hint.${hint}`) : warning ? t(`warning.${warning}`) : "");
        refresh(now.state === "streaming");
      },
    };
  }

  function doingText({ state, doing }) {
    if (state !== "streaming") return t(`sessions.state.${state}`);
    const { exercise = "none", reps, held_s } = doing ?? {};
    if (exercise === "none") return t("sessions.no_exercise");
    const name = t(`exercise.${exercise}`, {}, exercise.replaceAll("_", " "));
    return `${name} · ${held_s ? clock(held_s) : (reps ?? 0)}`;
  }

  return {
    element,
    show(sessions, chosen) {
      const items = sessions.map((session) => ({ ...session, chosen: session.id === chosen }));
      keyed(element, items, ({ id }) => id, tile);
    },
  };
}

// The next picture is asked for when the last one is there, and takes its place when it is whole.
function refresher(app, picture, path) {
  let asking = false;
  return async (comes) => {
    if (asking || !comes) return;
    asking = true;
    try {
      const response = await app.fetch(path);
      if (response.status !== 200) return;
      picture.onload = ({ target }) => URL.revokeObjectURL(target.src);
      picture.src = URL.createObjectURL(await response.blob());
    } catch {
      // The list says that the server is away.
    } finally {
      asking = false;
    }
  };
}

// Who has no name is a guest, by the order in which this page saw them.
const guests = [];

/** How a session, as GET /sessions has it, is called. @param {Function} t as in i18n.js */
export function nameOf(t, { id, name }) {
  if (name) return name;
  if (!guests.includes(id)) guests.push(id);
  return t("sessions.guest", { n: guests.indexOf(id) + 1 });
}
