// One session that looks for somebody, from its stream to its boxes.

import { openCamera, playFile, release } from "../capture.js";
import { el } from "../dom.js";
import { Stage } from "../stage.js";
import { boxPainter } from "./boxes.js";

// Pictures of a clip whose time is remembered, until their result is there.
const REMEMBERED = 240;
// A picture is seen here, encoded, sent and decoded before the server has it.
const UPLINK_MS = 15;

export class Looking {
  mode = "";
  code = "connecting";
  shows = false;
  boxes = 0;
  nearest = Infinity; // the distance of who is nearest
  over = false;
  onchange = () => {};

  #app;
  #seen;
  #stage;
  #stream = null;
  #began_ms = NaN;
  #times = []; // of the clip's pictures: {seen_ms, at_s}
  #held = false;
  #stopped = false;

  #sure;

  /**
   * @param {object} app of router.js
   * @param {string} reference the embedding of who is looked for
   * @param {object} sure of sureness.js
   * @param {Element} place where the picture goes
   * @param {object} seen of sightings.js
   */
  constructor(app, reference, sure, place, seen) {
    this.#app = app;
    this.#seen = seen;
    this.#sure = sure;
    this.client = app.client({ analyzers: ["pose", "reid"], options: { reid: { reference } } });
    this.client.addEventListener("state", ({ detail }) => this.#changed(detail));
    this.client.addEventListener("result", ({ detail }) => this.#take(detail));
    this.client.addEventListener("problem", ({ detail }) =>
      app.notice(app.explain(detail), { kind: "problem" }),
    );
    const canvas = el("canvas", { role: "img", "aria-label": app.t("find.picture") });
    place.replaceChildren(canvas);
    this.#stage = new Stage(canvas, boxPainter(canvas, app, sure));
  }

  get paused() {
    return Boolean(this.#stream?.video?.paused);
  }

  async begin(mode, clip, from_s) {
    this.mode = mode;
    this.#stream = await (mode === "clip"
      ? playFile(clip)
      : openCamera({ facingMode: "environment", width: { ideal: 1280 } }));
    if (this.#stopped) return release(this.#stream);
    this.#began_ms = Date.now();
    const { video } = this.#stream;
    if (video) {
      this.#seen.lasts(video.duration);
      video.requestVideoFrameCallback(this.#remember);
      // Chromium ends the stream with the clip.
      video.addEventListener("ended", () => this.#end());
    }
    this.#stream.getVideoTracks()[0].addEventListener("ended", () => this.#end());
    await this.#stage.play(this.#stream);
    this.#hold();
    if (video) video.currentTime = from_s;
    this.shows = true;
    const { width, height } = this.#stream.getVideoTracks()[0].getSettings();
    this.#sure.lookIn(mode, width, height);
    this.client.settings.options.reid.threshold = this.#sure.threshold;
    this.onchange();
    await this.client.start(this.#stream);
  }

  seek(at_s) {
    const video = this.#stream?.video;
    if (!video) return;
    video.currentTime = at_s;
    this.#play();
  }

  togglePause() {
    if (this.paused) this.#play();
    else this.#stream?.video.pause();
    this.#held = false;
    this.onchange();
  }

  #play() {
    this.#held = false;
    // Whoever pauses it at once gets an error for it.
    this.#stream.video.play().catch(() => {});
  }

  // Nothing of a clip is missed while there is no session.
  #hold() {
    const { video } = this.#stream;
    if (!video || video.paused) return;
    this.#held = true;
    video.pause();
  }

  stop() {
    this.#stopped = true;
    this.client.stop();
    this.#stage.stop();
    release(this.#stream);
  }

  #end() {
    this.over = true;
    this.onchange();
  }

  #remember = (now_ms, { mediaTime }) => {
    if (this.#stopped) return;
    const { video } = this.#stream;
    video.requestVideoFrameCallback(this.#remember);
    this.#times.push({ seen_ms: now_ms, at_s: mediaTime });
    if (this.#times.length > REMEMBERED) this.#times.shift();
    this.#seen.now(mediaTime);
  };

  #changed({ code, in_s, problem }) {
    if (this.#stopped) return;
    this.code = code;
    if (code === "live") {
      this.#stage.reset();
      if (this.#held) this.#play();
      this.#app.notice(null);
    } else if (code === "reconnecting") {
      this.#hold();
      const why = problem.code === "unreachable" ? "" : `${this.#app.explain(problem)} `;
      this.#app.notice(why + this.#app.t("find.again", { s: in_s }), { kind: "problem" });
    }
    if (code === "ended") this.over = true;
    this.onchange();
  }

  #take(result) {
    if (this.#stopped) return;
    const received_ms = performance.now() - result.latency_ms;
    this.#stage.take(result, received_ms);
    const matches = result.matches ?? [];
    const at_s = this.#timeOf(Number.isNaN(received_ms) ? performance.now() : received_ms);
    if (at_s !== null) this.#seen.take(at_s, matches, this.#sure);
    const before = this.#sure.of(this.nearest);
    this.nearest = matches[0]?.distance ?? Infinity;
    if (matches.length === this.boxes && this.#sure.of(this.nearest) === before) return;
    this.boxes = matches.length;
    this.onchange();
  }

  #timeOf(received_ms) {
    if (this.mode === "camera") return (Date.now() - this.#began_ms) / 1000;
    return this.#times.findLast(({ seen_ms }) => seen_ms <= received_ms - UPLINK_MS)?.at_s ?? null;
  }
}
