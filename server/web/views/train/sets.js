// The sets of a training: repetitions of one exercise in a row, or one hold.

// After a longer rest, what comes is another set.
const REST_MS = 20_000;

export class Sets {
  /** @type {{exercise: string, count: number, held_s: number, scores: number[]}[]} */
  list;
  #last_ms;
  #ended = false;
  #before_s = 0; // of a hold that had begun before its set

  /** @param {object} [before] what `toJSON` gave: sets that go on */
  constructor({ list = [], last_ms = 0, ended = false, before_s = 0 } = {}) {
    [this.list, this.#last_ms, this.#ended, this.#before_s] = [list, last_ms, ended, before_s];
  }

  toJSON() {
    return { list: this.list, last_ms: this.#last_ms, ended: this.#ended, before_s: this.#before_s };
  }

  /** The one that goes on; null before the first. */
  get current() {
    return this.list.at(-1) ?? null;
  }

  /** The same; null, too, while nothing was counted since one ended. */
  get begun() {
    return this.#ended ? null : this.current;
  }

  /** A repetition of kinecast.js, at a time of Date.now(). */
  count({ exercise, repetition }, now_ms) {
    if (this.#isOther(exercise) || now_ms - this.#last_ms > REST_MS) this.#begin(exercise);
    this.#last_ms = now_ms;
    this.current.count += 1;
    if (repetition) this.current.scores.push(repetition.score);
  }

  /** What comes is another set. @param {number} held_s of a hold that goes on, and does not count so far */
  end(held_s) {
    [this.#ended, this.#before_s] = [true, held_s];
  }

  /** Nobody could see what was done for so long: that was no rest. */
  postpone(ms) {
    this.#last_ms += ms;
  }

  /** A frame of a hold: seconds so far. */
  hold(exercise, held_s, score) {
    // Another hold begins at 0 again.
    if (held_s < this.#before_s) this.#before_s = 0;
    const mine_s = held_s - this.#before_s;
    if (this.#isOther(exercise) || mine_s < this.current.held_s) this.#begin(exercise);
    this.current.held_s = mine_s;
    if (score !== null) this.current.scores = [score];
  }

  #isOther(exercise) {
    return this.#ended || this.current?.exercise !== exercise;
  }

  #begin(exercise) {
    this.#ended = false;
    this.list.push({ exercise, count: 0, held_s: 0, scores: [] });
  }
}

/** The mean of some scores; null of none. */
export const mean = (scores) =>
  scores.length ? scores.reduce((sum, score) => sum + score, 0) / scores.length : null;
