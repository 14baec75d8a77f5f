// One training, from a stream to its summary.

import { release } from "../../capture.js";
import { colourOf, el, loadStyle } from "../../dom.js";
import { drawSkeleton } from "../../skeleton.js";
import { Stage } from "../../stage.js";
import { Chart } from "./chart.js";
import { anglesOf, jointOf } from "./joints.js";
import { keep } from "./kept.js";
import { asPublished, keptName } from "./name.js";
import { panel } from "./panel.js";
import { Ring } from "./ring.js";
import { Sets } from "./sets.js";
import { Uncounted } from "./uncounted.js";
import { Voice } from "./voice.js";
import { encodingOf, keepOwn, optionsOf, ownExercises } from "./wanted.js";

// Whoever trains is not looked for; and what there is if nobody could be asked.
const OF_NO_USE = "reid";
const USUAL = ["pose", "exercise"];
const FRAMES = 120;
const HELD = ["connecting", "reconnecting"];
// What is said of a result before a set, and in a rest.
const UNCOUNTED = { warnings: [], feedback: [], score: null, phase: "rest" };

export class Training {
  /** Where its pictures come from. */
  source;

  #app;
  #stream;
  #events;
  #client;
  #sets = new Sets();
  #ring = new Ring();
  #canvas = el("canvas", { role: "img" });
  #strip = el("canvas", { role: "img" });
  #stage;
  #chart;
  #panel = null;
  #choices;
  #blind_since_ms = 0; // since when there are no results, if there are none
  #finished = false; // by who trains, or with the video
  #failed = [];
  #isNew = false; // whether a repetition was counted, and its result is still to come
  #frames = new Map(); // the last ones, by number
  #held = NaN; // the number of the last one whose pose came later
  #result = null;
  #left = false;
  #lock = null; // keeps the screen awake
  #wanted;
  #coach = null;
  #uncounted;
  #pts_ms = 0; // of the last result
  #paint = drawSkeleton;
  #beside = null; // of beside.js, when it is loaded
  #counts = null; // the same, where several train

  /**
   * @param {object} app of router.js
   * @param {MediaStream} stream
   * @param {object} source of the stream, see train.js
   * @param {string[]} [offered] names of the server's analyzers
   * @param {{before?: object, wanted?: object, Coach?: class, over: (told: object, session: object) => void,
   *   refused: () => void}} how `before`: a training of kept.js that goes on; `wanted`: see wanted.js;
   *   `Coach`: what leads through it, coach.js or teacher.js; `soon`: there will be a summary; `over`: told is
   *   `final`, `book` and `sets`; `learned`: an exercise was shown; `refused`: it did not come about
   */
  constructor(app, stream, source, offered = USUAL, { before, wanted = {}, Coach, ...events }) {
    [this.#app, this.#stream, this.source, this.#events] = [app, stream, source, events];
    const [track] = stream.getVideoTracks();
    track.contentHint = "motion";
    track.addEventListener("ended", () => (this.#finished = true));
    const camera = track.getSettings();
    const accent = colourOf("on-video");
    this.#stage = new Stage(this.#canvas, (pen, shown) => this.#paint(pen, shown, accent));
    this.#stage.mirrored = !stream.video && camera.facingMode !== "environment";
    this.#ring.mirrored = this.#stage.mirrored;
    this.#chart = new Chart(this.#strip);
    const step = wanted.plan?.steps[before?.coach?.at ?? 0];
    this.#choices = { voice: new Voice(app), counts: offered.includes("exercise"), offered };
    this.#client = app.client({
      analyzers: offered.filter((name) => name !== OF_NO_USE),
      name: asPublished(keptName()),
      options: {
        ...(this.#choices.counts && optionsOf({ ...wanted, ...step })),
        ...(offered.includes("vitals") && { vitals: { signal: true } }),
      },
      encoding: encodingOf(offered, camera),
    });
    this.#wanted = wanted;
    this.#uncounted = new Uncounted(this.#client, before?.uncounted);
    if (before) {
      const { session, book, sets, pts_ms = 0 } = before;
      Object.assign(this.#client, { session, book });
      this.#sets = new Sets(sets);
      this.#pts_ms = pts_ms;
      this.#blind_since_ms = before.at_ms;
    }
    if (Coach && this.#choices.counts) this.#lead(Coach, before);
    const on = {
      state: this.#changed,
      result: this.#take,
      repetition: this.#count,
      problem: this.#fail,
      final: this.#end,
    };
    for (const [type, listener] of Object.entries(on)) {
      this.#client.addEventListener(type, ({ detail }) => this.#left || listener(detail));
    }
  }

  /** What is to be seen of it, in the language of now. @returns {Element} */
  draw() {
    const canvases = { canvas: this.#canvas, chart: this.#strip };
    this.#coach?.draw();
    this.#panel = panel(this.#app, canvases, this.#choices, this.#coach, () => this.#finish());
    this.#panel.state(this.#client.state);
    this.#panel.sets(this.#sets);
    for (const problem of this.#failed) this.#panel.fail(problem);
    if (this.#result) this.#show(this.#result, null);
    this.#drawBeside();
    return this.#panel.element;
  }

  /** Once it is drawn. */
  begin() {
    this.#stage.play(this.#stream).catch(() => {});
    const { video } = this.#stream;
    // What was played until now, nobody has seen.
    if (video) video.currentTime = this.source.at_s ?? 0;
    this.#hold(true);
    this.#start();
    if (this.#coach?.begin(this.source.kind === "camera")) this.#uncounted.begin(0);
    this.#stayAwake();
    document.addEventListener("visibilitychange", this.#stayAwake);
    this.#app.announce(this.#app.t("train.begun"));
    this.#badge();
  }

  /** End it without a summary. */
  leave() {
    this.#client.stop();
    this.#letGo();
  }

  /** The page goes away. */
  suspend() {
    const { session, book } = this.#client;
    const { kind } = this.source;
    const source = { kind, at_s: this.#stream.video?.currentTime };
    const led = {
      wanted: this.#wanted,
      coach: this.#coach?.now,
      uncounted: this.#uncounted,
      pts_ms: this.#pts_ms,
    };
    keep({ kind: "training", source, session, book, sets: this.#sets, ...led, at_ms: Date.now() });
    // A file is not there after a reload. Without a word, the session waits for whoever resumes it.
    if (kind === "file") this.#client.stop();
    this.#letGo();
  }

  #finish() {
    this.#finished = true;
    this.#client.stop();
  }

  #letGo() {
    this.#left = true;
    this.#coach?.leave();
    this.#beside?.stop();
    this.#stage.stop();
    this.#chart.stop();
    release(this.#stream);
    document.removeEventListener("visibilitychange", this.#stayAwake);
    this.#lock?.release();
  }

  #start() {
    this.#client.start(this.#stream).catch(() => {});
  }

  // The lock goes when the page is hidden.
  #stayAwake = async () => {
    if (document.hidden) return;
    const lock = await navigator.wakeLock?.request("screen").catch(() => null);
    if (this.#left) lock?.release();
    else this.#lock = lock;
  };

  // A clip waits while nobody would see it: the sample's first squat begins with it.
  #hold(isHeld) {
    const { video } = this.#stream;
    if (isHeld) video?.pause();
    else video?.play().catch(() => {});
  }

  #changed = (state) => {
    if (HELD.includes(state.code)) this.#hold(true);
    if (state.code === "live") {
      this.#hold(false);
      this.#stage.reset();
      if (this.#blind_since_ms) this.#sets.postpone(Date.now() - this.#blind_since_ms);
      this.#blind_since_ms = 0;
    } else this.#blind_since_ms ||= Date.now();
    this.#panel.state(state);
    if (state.code === "refused") this.#refused(state.problem);
  };

  #take = (result) => {
    this.#result = result;
    const { pts } = result.frame;
    if (pts < this.#pts_ms) this.#uncounted.anew();
    this.#pts_ms = pts;
    if (this.#isNew) this.#panel.aloud(this.#sets, result);
    this.#isNew = false;
    this.#counts?.take(result.people ?? [], !this.#uncounted.is);
    this.#coach?.take(result, this.#sets.begun);
    if (!this.#uncounted.is) this.#events.soon();
    const seen = this.#seenIn(result);
    if (seen) this.#stage.take(seen, seen.frame.received_at - this.#client.clock_offset_ms);
    if (result.phase === "hold" && !this.#uncounted.is)
      this.#sets.hold(result.exercise, result.held_s, result.score);
    if (seen?.landmarks?.length) this.#ring.add(seen);
    const angles = result.world_landmarks?.length ? anglesOf(result.world_landmarks) : null;
    if (angles) this.#chart.add(result.frame.pts, angles);
    this.#show(result, angles);
    this.#chart.draw();
  };

  // A pose that was too slow for its frame comes with a later one's result: the skeleton is the earlier's.
  #seenIn(result) {
    const { frame, timing } = result;
    this.#frames.set(frame.number, frame);
    for (const number of this.#frames.keys()) if (number < frame.number - FRAMES) this.#frames.delete(number);
    const held = timing.held?.pose;
    if (held === undefined) return result;
    const own = held !== this.#held && this.#frames.get(held);
    this.#held = held;
    return own ? { ...result, frame: own } : null;
  }

  #show(result, angles) {
    const next = this.#coach?.step?.exercise ?? this.#wanted.exercise;
    this.#beside?.take(result, next ?? this.#sets.current?.exercise);
    const joint = (this.#chart.joint = jointOf(this.#sets.current?.exercise));
    this.#panel.angle(joint, angles?.[joint]);
    const room = this.#stage.beside(result.landmarks ?? []);
    this.#panel.result(
      this.#uncounted.is ? { ...result, ...UNCOUNTED } : result,
      this.#sets,
      this.#stage.latency_ms,
      room,
    );
  }

  #fail = (problem) => {
    // One that is late, or in time again, has not failed.
    if (problem.phase) {
      this.#failed.push(problem);
      this.#panel.fail(problem);
    }
    const kind = problem.state === "in_time" ? "info" : "problem";
    this.#app.notice(this.#app.explain(problem), { kind });
    if (problem.code === 400) this.#doubtOwn(problem);
  };

  // A file may hold what the server can not use, and then nothing is counted.
  async #doubtOwn({ message }) {
    if (!ownExercises().length) return;
    const { t } = this.#app;
    await this.#app.more("beside");
    const forget = () => {
      keepOwn([]);
      this.#events.refused();
    };
    const action = [t("teach.forget"), forget];
    this.#app.notice(t("teach.refused", { message }), { kind: "problem", action });
  }

  #count = (detail) => {
    if (this.#uncounted.is) return;
    this.#sets.count(detail, Date.now());
    if (detail.repetition) {
      this.#chart.mark(detail.repetition, this.#sets.current.count);
      this.#ring.mark(detail.repetition);
    }
    this.#panel.counted(this.#sets);
    this.#isNew = true;
    this.#badge();
  };

  #badge() {
    const { t } = this.#app;
    const { current } = this.#sets;
    this.#app.badge(current ? String(current.count || "●") : "●", t("train.goes_on"));
  }

  // What is beside the picture is not needed to begin.
  async #drawBeside() {
    const { panel, wanted } = { panel: this.#panel, wanted: this.#wanted };
    try {
      const several = wanted.people > 1;
      const [{ Beside, Counts }] = await Promise.all([
        import("./beside.js"),
        this.#app.more("beside"),
        loadStyle("beside"),
      ]);
      if (this.#left || panel !== this.#panel) return;
      this.#beside?.stop();
      if (several) this.#counts ??= new Counts();
      this.#beside = new Beside(this.#app, panel.element, this.#stage, this.#ring, this.#counts);
      if (several) this.#paint = this.#beside.paint;
    } catch {
      // The training goes on without it.
    }
  }

  // With a plan, or with the picture looked at first.
  #lead(Coach, before) {
    const on = {
      pause: () => this.#uncounted.begin(this.#pts_ms),
      go: (step) => {
        this.#uncounted.end(this.#pts_ms);
        this.#sets.end(this.#result?.phase === "hold" ? this.#result.held_s : 0);
        this.#panel?.begin();
        if (step) this.#client.configure(optionsOf({ ...this.#wanted, exercise: step.exercise }));
      },
      over: (learned) => (learned ? this.#events.learned(learned) : this.#finish()),
    };
    this.#coach = new Coach(this.#app, this.#choices.voice, this.#wanted, on);
    Object.assign(this.#coach.now, before?.coach);
  }

  #end = (final) => {
    this.#uncounted.end(this.#pts_ms);
    const { book, session } = this.#client;
    const people = this.#counts?.summary(final?.exercise_summary?.people);
    const told = { final: final && this.#uncounted.without(final), book, sets: this.#sets, people };
    this.#events.over({ ...told, ring: this.#ring, counts: this.#choices.counts }, session);
    if (final && !this.#finished) this.#app.notice(this.#app.t("train.ended_by_server"), { kind: "problem" });
  };

  async #refused(problem) {
    const app = this.#app;
    if (problem.code === 401 && (await app.askForToken()) && !this.#left) {
      this.#client.settings.token = app.token;
      return this.#start();
    }
    if (this.#client.session) this.#end(null);
    else this.#events.refused();
    app.notice(app.explain(problem), { kind: "problem" });
    if (problem.code === 400) this.#doubtOwn(problem);
  }
}
