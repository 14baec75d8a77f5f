// A stream and what results say of it, on one canvas.
//
// A result comes some frames after its picture. So the pictures are kept for a moment, and what is
// drawn is a little old, by just so much that its result is there: picture and overlay belong
// together. A picture without a result of its own gets what is between its neighbours'.

import { FrameClock } from "./frame_clock.js";

const KEPT = 24;
const RESULTS = 120;
// Further behind than this the picture would no longer feel live.
const MOST_DELAY_MS = 500;
const MARGIN_MS = 8;
// Without results for so long, the picture is shown as it comes.
const SILENT_MS = 800;
// Between results further apart nothing is made up.
const GAP_MS = 350;
// What a frame's time may be off for a result to be its own.
const SAME_MS = 4;
const MOST_PIXELS = 2;

/**
 * @callback Paint
 * @param {CanvasRenderingContext2D} pen
 * @param {{width: number, height: number, scale: number, x: (x: number) => number,
 *   y: (y: number) => number, before: object, after: object, weight: number}} view the picture's
 *   size in pixels, and how many of them are a CSS pixel; `x` and `y` take 0..1 of the frame to
 *   pixels from the picture's corner, mirrored if need be; the results before and after the
 *   picture, and how near it is to the second (0 to 1); the same twice when it is the picture's own
 */

export class Stage {
  /** Whether left and right change sides, as in a mirror. */
  mirrored = false;
  /** @type {?number} From capture to result, ms, over the last results. */
  latency_ms = null;
  /** Pictures drawn so far. */
  drawn = 0;

  #canvas;
  #pen;
  #paint;
  #video;
  #clock = new FrameClock();
  #slots = [];
  #next = 0;
  #results = [];
  #latencies = [];
  #heard_ms = -Infinity;
  #delay_ms = 0;
  #shown = null;
  #number = 0;
  #stopped = false;
  #observer;
  #view = {
    x: (x) => (this.mirrored ? 1 - x : x) * this.#view.width,
    y: (y) => y * this.#view.height,
    left: 0,
    top: 0,
    width: 0,
    height: 0,
    scale: 1,
    before: null,
    after: null,
    weight: 0,
  };

  /**
   * @param {HTMLCanvasElement} canvas
   * @param {Paint} paint draws over a picture
   */
  constructor(canvas, paint) {
    this.#canvas = canvas;
    this.#paint = paint;
    this.#pen = canvas.getContext("2d", { alpha: false });
    this.#video = Object.assign(document.createElement("video"), {
      muted: true,
      playsInline: true,
      ariaHidden: "true",
      className: "hidden",
      tabIndex: -1,
    });
    // In the document, since browsers need not play what is not; the canvas may move within it.
    document.body.append(this.#video);
    this.#observer = new ResizeObserver(() => this.#resize());
    this.#observer.observe(canvas);
  }

  /** Show a stream from now on. @param {MediaStream} stream */
  async play(stream) {
    this.#video.srcObject = stream;
    this.#video.requestVideoFrameCallback(this.#keep);
    requestAnimationFrame(this.#draw);
    await this.#video.play();
  }

  /** Take a result, with `received_ms`: when the server had its frame, by performance.now(). */
  take(result, received_ms) {
    const { pts } = result.frame;
    this.#heard_ms = performance.now();
    if (!Number.isNaN(received_ms)) this.#clock.result(pts, received_ms);
    this.#results.push(result);
    if (this.#results.length > RESULTS) this.#results.shift();
    const seen_ms = this.#clock.seen(this.#clock.place(pts));
    if (seen_ms !== null) this.#adapt(this.#heard_ms - seen_ms);
  }

  /**
   * How much room there is beside somebody.
   * @param {{x: number, visibility: number}[]} landmarks
   * @returns {{left: number, right: number}} of the canvas, CSS pixels; in a mirror as it is seen
   */
  beside(landmarks) {
    const { left, width, scale } = this.#view;
    const seen = landmarks
      .filter(({ visibility }) => visibility > 0.3)
      .map(({ x }) => left + this.#view.x(x));
    const [from, to] = seen.length ? [Math.min(...seen), Math.max(...seen)] : [left, left + width];
    return { left: from / scale, right: (this.#canvas.width - to) / scale };
  }

  /** The connection is another one: times begin anew. */
  reset() {
    this.#clock.reset();
    this.#results = [];
    this.#latencies = [];
    this.latency_ms = null;
  }

  /** Show nothing any more. */
  stop() {
    this.#stopped = true;
    this.#observer.disconnect();
    this.#video.srcObject = null;
    this.#video.remove();
    this.#slots = [];
  }

  #adapt(latency_ms) {
    this.#latencies.push(latency_ms);
    if (this.#latencies.length > 60) this.#latencies.shift();
    const sorted = [...this.#latencies].sort((a, b) => a - b);
    this.latency_ms = sorted[sorted.length >> 1];
    const most = sorted[Math.floor(sorted.length * 0.95)] + MARGIN_MS;
    // Up soon, so that overlays are there; down slowly, so that the picture does not jump.
    const towards = Math.min(most, MOST_DELAY_MS);
    this.#delay_ms += (towards - this.#delay_ms) * (towards > this.#delay_ms ? 0.3 : 0.02);
  }

  #keep = (now_ms, { mediaTime, captureTime, presentationTime, width, height }) => {
    if (this.#stopped) return;
    this.#video.requestVideoFrameCallback(this.#keep);
    const slot = (this.#slots[this.#next] ??= newSlot());
    this.#next = (this.#next + 1) % KEPT;
    if (slot.canvas.width !== width || slot.canvas.height !== height) {
      [slot.canvas.width, slot.canvas.height] = [width, height];
      this.#resize();
    }
    slot.pen.drawImage(this.#video, 0, 0, width, height);
    slot.media_ms = mediaTime * 1000;
    slot.seen_ms = captureTime ?? presentationTime ?? now_ms;
    slot.number = this.#number += 1;
    this.#clock.frame(slot.media_ms, slot.seen_ms);
  };

  #draw = () => {
    if (this.#stopped) return;
    requestAnimationFrame(this.#draw);
    // It goes on while another view is looked at.
    if (!this.#view.width) return;
    const now_ms = performance.now();
    const silent = now_ms - this.#heard_ms > SILENT_MS;
    const slot = silent ? this.#pick(now_ms, NaN) : this.#pick(now_ms - this.#delay_ms, this.#newest_ms);
    if (!slot) return;
    this.#find(slot.media_ms);
    const { before, after, weight } = this.#view;
    const key = this.#shown;
    if (key && key.number === slot.number && key.before === before && key.after === after) return;
    this.#shown = { number: slot.number, before, after, weight };
    this.drawn += 1;
    const { left, top, width, height } = this.#view;
    const pen = this.#pen;
    const mirror = this.mirrored ? [-1, left + width] : [1, left];
    pen.setTransform(mirror[0], 0, 0, 1, mirror[1], top);
    pen.drawImage(slot.canvas, 0, 0, width, height);
    pen.setTransform(1, 0, 0, 1, left, top);
    if (before) this.#paint(pen, this.#view);
  };

  // The newest picture that was seen by then and has its result; the oldest, if none has.
  #pick(until_ms, result_ms) {
    let [best, oldest] = [null, null];
    for (const slot of this.#slots) {
      if (!oldest || slot.number < oldest.number) oldest = slot;
      if (slot.seen_ms > until_ms || slot.media_ms > result_ms + SAME_MS) continue;
      if (!best || slot.number > best.number) best = slot;
    }
    return best ?? oldest;
  }

  // The time on the stream's clock of the newest result.
  get #newest_ms() {
    return this.#clock.place(this.#results.at(-1)?.frame.pts);
  }

  #find(media_ms) {
    const view = this.#view;
    [view.before, view.after, view.weight] = [null, null, 0];
    for (let at = this.#results.length - 1; at >= 0; at--) {
      const result = this.#results[at];
      const off_ms = media_ms - this.#clock.place(result.frame.pts);
      if (Number.isNaN(off_ms)) return;
      if (off_ms < -SAME_MS) continue;
      const next = this.#results[at + 1];
      const gap_ms = next ? next.frame.pts - result.frame.pts : Infinity;
      if (off_ms <= SAME_MS) view.before = view.after = result;
      else if (gap_ms <= GAP_MS) [view.before, view.after, view.weight] = [result, next, off_ms / gap_ms];
      return;
    }
  }

  // The picture is shown whole, in the middle.
  #resize() {
    const canvas = this.#canvas;
    const picture = this.#slots.find(Boolean)?.canvas;
    if (picture) {
      canvas.style.aspectRatio = `${picture.width} / ${picture.height}`;
      // For layouts that follow the picture's shape.
      canvas.closest(".view")?.style.setProperty("--ratio", picture.width / picture.height);
    }
    const scale = Math.min(devicePixelRatio, MOST_PIXELS);
    [canvas.width, canvas.height] = [canvas.clientWidth, canvas.clientHeight].map((css) =>
      Math.round(css * scale),
    );
    const ratio = picture ? Math.min(canvas.width / picture.width, canvas.height / picture.height) : 0;
    // No hairlines where it almost fills the canvas.
    const fit = (size, whole) => (whole - size * ratio < 3 ? whole : size * ratio);
    const width = picture ? fit(picture.width, canvas.width) : 0;
    const height = picture ? fit(picture.height, canvas.height) : 0;
    const [left, top] = [(canvas.width - width) / 2, (canvas.height - height) / 2];
    Object.assign(this.#view, { left, top, width, height, scale });
    // What is drawn beside the picture would stay there: only the picture is drawn anew each time.
    this.#pen.beginPath();
    this.#pen.rect(left, top, width, height);
    this.#pen.clip();
    this.#shown = null;
  }
}

function newSlot() {
  const canvas = document.createElement("canvas");
  return {
    canvas,
    pen: canvas.getContext("2d", { alpha: false }),
    media_ms: 0,
    seen_ms: Infinity,
    number: 0,
  };
}
