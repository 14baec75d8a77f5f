// What several views are made of.

import { el } from "../dom.js";
import { problemOf } from "../problems.js";

/**
 * What the server answers, as JSON.
 * @param {(path: string, options?: object) => Promise<Response>} fetch app.js's, say
 * @throws {{code: number|string, message: string}} what `app.explain` has words for
 */
export async function ask(fetch, path, options) {
  const response = await fetch(path, options).catch(() => {
    throw { code: "unreachable" };
  });
  if (!response.ok) throw await problemOf(response);
  return response.json();
}

/**
 * Ask before what can not be undone.
 * @param {object} app of router.js
 * @param {string} text the question
 * @param {string} yes the button that does it
 * @returns {Promise<boolean>}
 */
export function confirm(app, text, yes) {
  return new Promise((resolve) => {
    const dialog = el(
      "dialog",
      { "aria-label": text, onclose: close },
      el(
        "form",
        { method: "dialog" },
        el("p", { textContent: text }),
        el(
          "p.actions",
          {},
          el("button.quiet", { value: "no", textContent: app.t("cancel") }),
          el("button.primary", { value: "yes", textContent: yes }),
        ),
      ),
    );
    function close() {
      dialog.remove();
      resolve(dialog.returnValue === "yes");
    }
    document.body.append(dialog);
    dialog.showModal();
  });
}

/** Whether the camera may be opened here, asked if that could end a training. @returns {Promise<boolean>} */
export async function mayOpenCamera(app) {
  const { t } = app;
  return !app.cameraInUse() || confirm(app, t("train.shares_camera"), t("train.share_camera"));
}

/** Say that nothing goes without a token; asked for once, it is not asked for again by itself. */
export function missToken(app, problem) {
  const enter = async () => (await app.askForToken()) && location.reload();
  app.notice(app.explain(problem), { kind: "problem", action: [app.t("token.label"), enter] });
}

const known = new WeakMap();

/**
 * Bring a list's children in line with items: those that stay keep their element, and the focus.
 * @param {Element} list
 * @param {object[]} items
 * @param {(item: object) => string} keyOf
 * @param {(item: object) => {element: Element, update: (item: object) => void}} make
 */
export function keyed(list, items, keyOf, make) {
  const rows = known.get(list) ?? new Map();
  known.set(list, rows);
  const keys = items.map(keyOf);
  for (const [key, { element }] of rows) {
    if (keys.includes(key)) continue;
    element.remove();
    rows.delete(key);
  }
  items.forEach((item, at) => {
    const key = keys[at];
    if (!rows.has(key)) rows.set(key, make(item));
    const { element, update } = rows.get(key);
    update(item);
    if (list.children[at] !== element) list.insertBefore(element, list.children[at] ?? null);
  });
}

/** Set an element's text, only if it is another: screen readers and selections stay calm. */
export function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** The same for a list: an item for each text. */
export function sayEach(list, texts) {
  if (texts.join("\n") === [...list.children].map((item) => item.textContent).join("\n")) return;
  list.replaceChildren(...texts.map((textContent) => el("li", { textContent })));
}

/**
 * Do something again and again while the page is to be seen, never twice at once.
 * @param {() => Promise<void>} job
 * @param {number} every_ms between its end and its next beginning
 * @returns {{now: () => void, stop: () => void}} `now` does not wait for the next time
 */
export function repeat(job, every_ms) {
  let timer;
  let running = false;
  let again = false;
  let stopped = false;
  async function run() {
    clearTimeout(timer);
    if (stopped || document.hidden) return;
    if (running) return void (again = true);
    running = true;
    try {
      await job();
    } finally {
      running = false;
      timer = setTimeout(run, again ? 0 : every_ms);
      again = false;
    }
  }
  document.addEventListener("visibilitychange", run);
  run();
  return {
    now: run,
    stop() {
      stopped = true;
      clearTimeout(timer);
      document.removeEventListener("visibilitychange", run);
    },
  };
}
