// Find: a picture of a person, and then where they are in the camera's picture or in a clip.

import { analyzersOf } from "../analyzers.js";
import { openCamera, playFile, release } from "../capture.js";
import { el } from "../dom.js";
import { Stage } from "../stage.js";
import { boxPainter } from "./boxes.js";
import { mayOpenCamera, say } from "./parts.js";
import { personCard } from "./person.js";
import { sightings } from "./sightings.js";

// Pictures of a clip whose time is remembered, until their result is there.
const REMEMBERED = 240;
// A picture is seen here, encoded, sent and decoded before the server has it.
const UPLINK_MS = 15;

/** See router.js. */
export function mount(root, app) {
  const { t } = app;
  let person = null;
  let looking = null;
  let clip = null; // its address
  let missing = ""; // why nobody can be looked for

  const line = el("p.soft", { role: "status" });
  const place = el("div.place");
  const empty = el("p.empty");
  const badge = el("p.badge.live", { hidden: true });
  const button = (name, text, onclick) => el(name, { type: "button", textContent: text, onclick });
  const camera = button("button.primary", t("find.camera"), () => look("camera"));
  const file = el("input", {
    type: "file",
    accept: "video/*",
    hidden: true,
    onchange: () => file.files[0] && lookIn(file.files[0]),
  });
  const choose = button("button", t("find.clip"), () => file.click());
  const pause = button("button", t("find.pause"), () => looking?.togglePause());
  const stop = button("button", t("stop"), () => end());
  const seen = sightings(app, (at_s) => seek(at_s));
  const card = personCard(app, {
    found(embedding) {
      person = embedding;
      looking?.client.configure({ reid: { reference: embedding } });
      seen.clear();
      show();
    },
  });

  root.append(
    el("header", {}, el("h1", { textContent: t("nav.find") }), line),
    card.element,
    el(
      "section.main",
      {},
      el("div.screen", {}, place, empty, badge),
      el("div.actions", {}, camera, choose, file, pause, stop),
      seen.element,
    ),
  );

  // ---- looking

  function lookIn(chosen) {
    file.value = "";
    if (clip) URL.revokeObjectURL(clip);
    clip = URL.createObjectURL(chosen);
    look("clip");
  }

  async function look(mode, from_s = 0) {
    if (mode === "camera" && !(await mayOpenCamera(app))) return;
    end();
    seen.begin(mode, mode === "clip" && from_s > 0);
    const mine = (looking = new Looking(app, person, place, seen));
    mine.onchange = () => looking === mine && show();
    app.notice(null);
    show();
    try {
      await mine.begin(mode, clip, from_s);
    } catch (problem) {
      if (looking !== mine) return;
      if (problem.code === 401 && (await app.askForToken())) return look(mode, from_s);
      app.notice(app.explain(problem.code ? problem : { code: "other", message: String(problem) }), {
        kind: "problem",
      });
      end();
    }
  }

  function seek(at_s) {
    if (!clip) return;
    if (looking?.mode === "clip") looking.seek(at_s);
    else if (!looking) look("clip", at_s);
  }

  function end() {
    const last = looking;
    looking = null;
    last?.stop();
    show();
  }

  // ---- showing it

  function show() {
    if (looking?.over) return end();
    const code = looking?.code ?? (person ? "ready" : "who");
    say(line, missing || (looking ? t(`state.${code}`) : t(`find.${code}`)));
    camera.hidden = choose.hidden = Boolean(looking);
    camera.disabled = choose.disabled = !person;
    stop.hidden = !looking;
    pause.hidden = looking?.mode !== "clip";
    say(pause, t(looking?.paused ? "find.play" : "find.pause"));
    badge.hidden = !looking?.boxes;
    say(badge, looking?.boxes ? t("find.in_view") : "");
    say(empty, t(person ? "find.empty_ready" : "find.empty_who"));
    empty.hidden = Boolean(looking?.shows) || place.childElementCount > 0;
  }

  const paste = ({ clipboardData }) => card.take([...clipboardData.files].find(isPicture));
  const drag = (event) => {
    event.preventDefault();
    root.classList.toggle("dropping", event.type === "dragover");
  };
  root.ondragover = root.ondragleave = drag;
  root.ondrop = (event) => {
    drag(event);
    const [dropped] = event.dataTransfer.files;
    if (dropped && isPicture(dropped)) card.take(dropped);
    else if (dropped?.type.startsWith("video/") && person) lookIn(dropped);
  };
  addEventListener("paste", paste);
  show();
  analyzersOf(app).then((there) => {
    if (!there || there.can.includes("reid")) return;
    missing = t("find.no_reid", { why: there.cannot.reid ?? "" });
    card.disable();
    show();
  });
  return {
    unmount() {
      removeEventListener("paste", paste);
      end();
      card.stop();
      seen.stop();
      if (clip) URL.revokeObjectURL(clip);
    },
  };
}

const isPicture = ({ type }) => type.startsWith("image/");

/** One session that looks for somebody, from its stream to its boxes. */
class Looking {
  mode = "";
  code = "connecting";
  shows = false;
  boxes = 0;
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

  constructor(app, reference, place, seen) {
    this.#app = app;
    this.#seen = seen;
    this.client = app.client({ analyzers: ["pose", "reid"], options: { reid: { reference } } });
    this.client.addEventListener("state", ({ detail }) => this.#changed(detail));
    this.client.addEventListener("result", ({ detail }) => this.#take(detail));
    this.client.addEventListener("problem", ({ detail }) =>
      app.notice(app.explain(detail), { kind: "problem" }),
    );
    const canvas = el("canvas", { role: "img", "aria-label": app.t("find.picture") });
    place.replaceChildren(canvas);
    this.#stage = new Stage(canvas, boxPainter(canvas, app));
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
    if (at_s !== null) this.#seen.take(at_s, matches, result.reid);
    if (matches.length === this.boxes) return;
    this.boxes = matches.length;
    this.onchange();
  }

  #timeOf(received_ms) {
    if (this.mode === "camera") return (Date.now() - this.#began_ms) / 1000;
    return this.#times.findLast(({ seen_ms }) => seen_ms <= received_ms - UPLINK_MS)?.at_s ?? null;
  }
}
