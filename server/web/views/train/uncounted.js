// What is done before a set, and in a rest, does not count.
//
// The server counts all the same. So what it counted meanwhile is taken off `before` of the client's book,
// which outlives restarts and reloads, and its repetitions are left out of the final result.

export class Uncounted {
  #client;
  #spans; // [from, to], by the session's time, ms
  #since; // {from_ms, totals, told} while nothing counts

  /**
   * @param {object} client of kinecast.js
   * @param {object} [before] what `toJSON` gave
   */
  constructor(client, { spans = [], since = null } = {}) {
    [this.#client, this.#spans, this.#since] = [client, spans, since];
  }

  toJSON() {
    return { spans: this.#spans, since: this.#since };
  }

  /** Whether nothing counts now. */
  get is() {
    return this.#since !== null;
  }

  /** Nothing counts from now on. @param {number} from_ms by the session's time */
  begin(from_ms) {
    const { earlier, done } = this.#client.book;
    this.#since ??= { from_ms, totals: this.#totals(), told: earlier.length + done.length };
  }

  /** It counts again. */
  end(to_ms) {
    if (!this.is) return;
    const { before, earlier, done } = this.#client.book;
    const { from_ms, totals, told } = this.#since;
    for (const [name, total] of Object.entries(this.#totals())) {
      before[name] = (before[name] ?? 0) - (total - (totals[name] ?? 0));
    }
    done.length = Math.min(done.length, Math.max(0, told - earlier.length));
    earlier.length = Math.min(earlier.length, told);
    this.#spans.push([from_ms, to_ms]);
    this.#since = null;
  }

  /** The session is another one, or the server: its time has begun anew. */
  anew() {
    this.#spans = [];
    if (this.is) this.#since.from_ms = 0;
  }

  /** A final result without what did not count. @returns {object} */
  without(final) {
    const counts = ({ end_ms }) => !this.#spans.some(([from, to]) => end_ms > from && end_ms <= to);
    const list = final.repetitions ?? [];
    const old = this.#client.book.earlier.length;
    return { ...final, repetitions: list.filter((each, at) => at < old || counts(each)) };
  }

  #totals() {
    const { now, before } = this.#client.book;
    const names = Object.keys({ ...now, ...before });
    return Object.fromEntries(names.map((name) => [name, (now[name] ?? 0) + (before[name] ?? 0)]));
  }
}
