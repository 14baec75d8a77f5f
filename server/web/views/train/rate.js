// How many pictures a second are analyzed.

const OVER_MS = 3000;
// Of fewer results there is no rate.
const LEAST = 3;

export class Rate {
  #times_ms = [];

  /**
   * The rate of the last seconds.
   * @param {{frame: {received_at: number}}} result one more
   * @returns {?number} a second; null in the first seconds
   */
  of({ frame: { received_at } }) {
    const times = this.#times_ms;
    times.push(received_at);
    const began = times[0];
    while (times[0] < received_at - OVER_MS) times.shift();
    const span_ms = received_at - times[0];
    // It has gone on for long enough when something has fallen out of the window.
    if (began === times[0] || times.length < LEAST || !span_ms) return this.#last;
    this.#last = ((times.length - 1) * 1000) / span_ms;
    return this.#last;
  }

  #last = null;
}
