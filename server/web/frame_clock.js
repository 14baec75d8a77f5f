// Which picture a result belongs to.
//
// A result names its frame's time on the session's clock (`frame.pts`), a picture of the local
// stream its time on the stream's (`mediaTime` of requestVideoFrameCallback). Both come from the
// moment of capture, so they differ by a constant, which is found anew for each connection:
// pictures do not come quite evenly, and of all constants the right one makes the two rows of times
// fall together. Where several do, pictures being even, it is the one by which a picture took least
// time to the server: more than nothing, and less than a picture lasts.

const FRAMES = 90;
const RESULTS = 30;
const FIT_EVERY = 10;
const PROBES = 4;
const FURTHEST_MS = 1000;
// Encoding, sending and decoding take longer than this.
const LEAST_UPLINK_MS = 2;
// Times are rounded to a millisecond on the way: rows that fit as well as that are equally good.
const EQUALLY_MS = 0.3;
// A picture that was not seen here is held against no constant more than against another.
const MOST_RESIDUAL_MS = 3;

/** Places results on the stream's clock. Times are ms. */
export class FrameClock {
  #frames = [];
  #results = [];
  #offset_ms = NaN;
  #since = 0;

  /** Begin anew, with another connection. */
  reset() {
    this.#results = [];
    this.#offset_ms = NaN;
    this.#since = 0;
  }

  /** A picture: its own time, and when it was seen, by performance.now(). */
  frame(media_ms, seen_ms) {
    this.#frames.push({ media_ms, seen_ms });
    if (this.#frames.length > FRAMES) this.#frames.shift();
  }

  /** A result: its frame's time, and when the server had it, by performance.now(). */
  result(pts_ms, received_ms) {
    this.#results.push({ pts_ms, received_ms });
    if (this.#results.length > RESULTS) this.#results.shift();
    this.#since += 1;
    if (!Number.isNaN(this.#offset_ms) && this.#since < FIT_EVERY) return;
    this.#since = 0;
    this.#fit();
  }

  /** The time on the stream's clock of a result's frame; NaN before it is known. */
  place(pts_ms) {
    return pts_ms + this.#offset_ms;
  }

  /** When the picture of this time was seen; null if it is none of the last ones. */
  seen(media_ms) {
    const nearest = this.#nearest(media_ms);
    return nearest && Math.abs(nearest.media_ms - media_ms) < MOST_RESIDUAL_MS ? nearest.seen_ms : null;
  }

  #fit() {
    let best = Number.isNaN(this.#offset_ms) ? null : this.#judge(this.#offset_ms);
    if (best) best.holds = true;
    // The picture of one result may not have been seen here, that of several hardly.
    for (const { pts_ms, received_ms } of this.#results.slice(-PROBES)) {
      for (const { media_ms, seen_ms } of this.#frames) {
        const uplink_ms = received_ms - seen_ms;
        if (uplink_ms < LEAST_UPLINK_MS || uplink_ms > FURTHEST_MS) continue;
        const candidate = this.#judge(media_ms - pts_ms);
        if (candidate && (!best || isBetter(candidate, best))) best = candidate;
      }
    }
    if (best) this.#offset_ms = best.offset_ms;
  }

  #judge(offset_ms) {
    let [residual_ms, uplink_ms, shift_ms, close] = [0, Infinity, 0, 0];
    for (const { pts_ms, received_ms } of this.#results) {
      const nearest = this.#nearest(pts_ms + offset_ms);
      const off_ms = nearest.media_ms - pts_ms - offset_ms;
      residual_ms += Math.min(Math.abs(off_ms), MOST_RESIDUAL_MS);
      if (Math.abs(off_ms) > MOST_RESIDUAL_MS) continue;
      uplink_ms = Math.min(uplink_ms, received_ms - nearest.seen_ms);
      shift_ms += off_ms;
      close += 1;
    }
    // Nothing arrives before it was taken.
    if (uplink_ms < LEAST_UPLINK_MS || !close) return null;
    residual_ms /= this.#results.length;
    return { offset_ms: offset_ms + shift_ms / close, residual_ms, uplink_ms };
  }

  #nearest(media_ms) {
    // From the newest: that is where almost all are.
    for (let at = this.#frames.length - 1; at >= 0; at--) {
      const [here, next] = [this.#frames[at], this.#frames[at + 1]];
      if (here.media_ms > media_ms && at) continue;
      return next && next.media_ms - media_ms < media_ms - here.media_ms ? next : here;
    }
    return null;
  }
}

// What holds already is given up for a better fit only: on a busy machine the way takes longer.
function isBetter(one, other) {
  const by_ms = other.residual_ms - one.residual_ms;
  if (Math.abs(by_ms) > EQUALLY_MS) return by_ms > 0;
  return !other.holds && one.uplink_ms < other.uplink_ms;
}
