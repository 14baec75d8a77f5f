// Train: the camera or a file goes out; the skeleton, the count and the score come back.
//
// What is to be seen is a scene: before, during or after a training. A training and its summary are
// still there when another view was looked at, in another language, and after a reload.

import { analyzersOf } from "../analyzers.js";
import { openCamera, playFile, release } from "../capture.js";
import { loadStyle } from "../dom.js";
import { nameOf } from "./train/goal.js";
import { forget, keep, kept } from "./train/kept.js";
import { Training } from "./train/training.js";
import { welcome } from "./train/welcome.js";

const SAMPLE = "/web/sample.mp4";
const CAMERA = {
  facingMode: "user",
  width: { ideal: 1280 },
  height: { ideal: 720 },
  frameRate: { ideal: 30 },
};

/** See router.js. */
export function mount(root, app) {
  let scene = null; // {draw: () => Element}, and `training` or `summary`
  let left = false;
  let turn = 0; // of what is begun
  let summaries = null;
  const chosen = {}; // of wanted.js

  function show(next) {
    scene?.training?.leave();
    scene = next;
    const listen = scene.training ? addEventListener : removeEventListener;
    listen("beforeunload", ask);
    const wasHere = root.contains(document.activeElement);
    root.replaceChildren(scene.draw());
    // Whoever pressed a button that is gone does not begin at the page's top again.
    if (wasHere) root.parentElement.focus({ preventScroll: true });
  }

  // Browsers ask in words of their own. They do not tell a reload, after which it goes on, from the end.
  function ask(event) {
    event.preventDefault();
  }

  function idle() {
    forget();
    app.badge("");
    show({ draw: () => welcome(app, chosen, (source, lesson) => train(source, null, lesson)) });
  }

  // The summary is loaded when it is certain that there will be one: the server may be gone at the end.
  function after() {
    summaries ??= Promise.all([
      import("./train/summary.js"),
      import("./train/summary_view.js"),
      app.more("beside"),
      loadStyle("beside"),
    ]).catch((error) => {
      summaries = null;
      throw error;
    });
    return summaries;
  }

  async function lead({ kind }, { plan, teach }) {
    if (kind !== "camera" && !plan) return null;
    try {
      const leader = teach ? import("./train/teacher.js") : import("./train/coach.js");
      const [{ Coach, Teacher }] = await Promise.all([leader, app.more("beside"), loadStyle("beside")]);
      return Coach ?? Teacher;
    } catch {
      // Without it, the training begins at once.
      return null;
    }
  }

  /**
   * @param {{kind: "camera"|"sample"|"file", address?: string, at_s?: number}} source of the pictures
   * @param {?object} [before] of kept.js: a training that goes on
   * @param {object} [lesson] what is wanted instead of what was chosen: to teach
   */
  async function train(source, before, lesson) {
    app.notice(null);
    const mine = ++turn;
    const wanted = structuredClone(before?.wanted ?? lesson ?? chosen);
    let [stream, analyzers, Coach] = [];
    try {
      [stream, analyzers, Coach] = await Promise.all([open(source), analyzersOf(app), lead(source, wanted)]);
    } catch (error) {
      if (!error.code) console.error(error);
      if (mine !== turn) return;
      // What was counted is not lost with the camera.
      if (before) await over(before, before.session);
      app.notice(app.explain(error), { kind: "problem" });
      return;
    }
    // While the browser asked for the camera, something else may have begun.
    if (left || mine !== turn) return release(stream);
    const events = { soon: () => after().catch(() => {}), over, learned, refused: idle };
    const training = new Training(app, stream, source, analyzers?.can, { before, wanted, Coach, ...events });
    show({ training, draw: () => training.draw() });
    training.begin();
  }

  async function learned(definition) {
    const { add } = await import("./train/own.js");
    const name = nameOf(app.t, definition.name);
    const isKept = add(definition);
    chosen.exercise = isKept ? definition.name : undefined;
    idle();
    if (isKept) app.notice(app.t("teach.learned", { what: name }));
    else app.notice(app.t("teach.full"), { kind: "problem" });
  }

  /** @param {{summary?: object, book: object, sets: object, final?: object}} told what there is of it */
  async function over(told, session) {
    let [{ summarize, summaryOfBook }, { summaryView }] = [{}, {}];
    try {
      [{ summarize, summaryOfBook }, { summaryView }] = await after();
    } catch {
      app.notice(app.t("view.failed"), {
        kind: "problem",
        action: [app.t("again"), () => over(told, session)],
      });
      return;
    }
    if (left) return;
    const { final, book, sets, counts, people } = told;
    const summary = told.summary ?? {
      ...(final ? summarize(final, book, sets) : summaryOfBook(told)),
      counts,
      people,
    };
    const counted = summary.exercises.length > 0;
    keep({ kind: "summary", summary, session });
    app.badge(counted ? "✓" : "", app.t("train.over"));
    show({ summary, draw: () => summaryView(app, summary, session, told.ring, idle) });
    root.querySelector("h1").focus();
  }

  function goOn(before) {
    forget();
    if (before.kind === "summary") return over(before, before.session);
    if (before.resumable) return train(before.source, before);
    over(before, before.session).then(() => app.notice(app.t("train.interrupted")));
  }

  const before = kept();
  idle();
  if (before) goOn(before);
  return {
    goesOn: () => Boolean(scene.training || scene.summary?.exercises.length),
    usesCamera: () => scene.training?.source.kind === "camera",
    speak: () => root.replaceChildren(scene.draw()),
    suspend() {
      left = true;
      removeEventListener("beforeunload", ask);
      scene.training?.suspend();
    },
    unmount() {
      left = true;
      removeEventListener("beforeunload", ask);
      scene.training?.leave();
    },
  };
}

function open({ kind, address = SAMPLE, at_s = 0 }) {
  return kind === "camera" ? openCamera(CAMERA) : playFile(address, at_s);
}
