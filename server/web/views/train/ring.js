// The skeletons of the last minutes, so that a repetition can be looked at again. They are in this page's
// memory, are sent to nobody, and go with it.

// Five minutes of 30 frames a second, 400 bytes each.
const MOST = 9000;
const MARGIN_MS = 300;
// So far back goes no late result, but another session's time.
const BACK_MS = 1000;

const keyOf = ({ exercise, end_ms }) => `${exercise} ${end_ms}`;

export class Ring {
  /** Whether they were seen as in a mirror. */
  mirrored = false;

  #frames = [];
  #next = 0;
  #last_ms = -Infinity;
  #told = new Set(); // which repetitions are of this session's time

  /** A result with a person. */
  add({ frame: { pts, width, height }, landmarks }) {
    if (pts < this.#last_ms - BACK_MS) [this.#frames, this.#next, this.#told] = [[], 0, new Set()];
    this.#last_ms = pts;
    this.#frames[this.#next] ??= { points: new Float32Array(landmarks.length * 3) };
    const kept = this.#frames[this.#next];
    this.#next = (this.#next + 1) % MOST;
    Object.assign(kept, { pts, aspect: width / height });
    landmarks.forEach(({ x, y, visibility }, at) => kept.points.set([x, y, visibility], at * 3));
  }

  /** A repetition of kinecast.js is told. */
  mark(repetition) {
    this.#told.add(keyOf(repetition));
  }

  /**
   * A repetition's frames, in their order; none if they are not there any more.
   * @returns {{pts: number, aspect: number, points: Float32Array}[]} x, y and visibility of each landmark
   */
  of(repetition) {
    if (!this.#told.has(keyOf(repetition))) return [];
    const { start_ms, end_ms } = repetition;
    const inside = ({ pts }) => pts >= start_ms - MARGIN_MS && pts <= end_ms + MARGIN_MS;
    const found = this.#frames.filter(inside).sort((one, other) => one.pts - other.pts);
    return found[0]?.pts <= start_ms ? found : [];
  }
}
