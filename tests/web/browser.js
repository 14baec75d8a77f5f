// What a browser has and Node has not: the other end of a WebSocket and of a peer connection, for a
// test to play, and a clock that goes on when a test says so.

import { mock } from "node:test";

// Newer editions of Node have these.
Promise.withResolvers ??= () => {
  const all = {};
  all.promise = new Promise((resolve, reject) => Object.assign(all, { resolve, reject }));
  return all;
};
globalThis.CustomEvent ??= class extends Event {
  constructor(type, { detail }) {
    super(type);
    this.detail = detail;
  }
};

/** All that can go on without I/O and time has. */
export const settled = () => new Promise(setImmediate);

/** Time as the page has it: setTimeout, setInterval, performance.now(). Milliseconds. */
export class Time {
  #now_ms = 1000;
  #timers = new Map();
  #number = 0;

  constructor() {
    const set = (job, ms = 0, every = false) => {
      this.#timers.set(++this.#number, { job, at_ms: this.#now_ms + ms, every_ms: every && ms });
      return this.#number;
    };
    mock.method(globalThis, "setTimeout", (job, ms) => set(job, ms));
    mock.method(globalThis, "setInterval", (job, ms) => set(job, ms, true));
    mock.method(globalThis, "clearInterval", (number) => this.#timers.delete(number));
    mock.method(performance, "now", () => this.#now_ms);
  }

  get now_ms() {
    return this.#now_ms;
  }

  async pass(ms) {
    const until_ms = this.#now_ms + ms;
    for (;;) {
      await settled();
      const [next] = [...this.#timers].sort(([, one], [, other]) => one.at_ms - other.at_ms);
      if (!next || next[1].at_ms > until_ms) break;
      const [number, timer] = next;
      this.#now_ms = timer.at_ms;
      if (timer.every_ms) timer.at_ms += timer.every_ms;
      else this.#timers.delete(number);
      timer.job();
    }
    this.#now_ms = until_ms;
  }
}

/** A page's end of a WebSocket; `tell` and `drop` are what the server does. */
export class Socket {
  sent = [];
  closed = false;

  constructor(url) {
    this.url = new URL(url);
  }

  get readyState() {
    return this.closed ? 3 : 1;
  }

  send(text) {
    // A browser writes an error into its console.
    if (this.closed) throw new Error("the socket is closed");
    this.sent.push(JSON.parse(text));
  }

  close() {
    this.closed = true;
  }

  async tell(type, data) {
    this.onmessage({ data: JSON.stringify({ type, data }) });
    await settled();
  }

  drop() {
    this.onclose();
  }
}

class Channel {
  readyState = "connecting";
  sent = [];

  constructor(label, options) {
    Object.assign(this, { label, options });
  }

  send(text) {
    if (this.readyState !== "open") throw new DOMException("not open", "InvalidStateError");
    this.sent.push(text);
  }

  /** What the server does: open it, send a message. */
  open() {
    this.readyState = "open";
    this.onopen?.();
  }

  tell(message) {
    this.onmessage({ data: JSON.stringify(message) });
  }

  tellBytes(bytes) {
    this.onmessage({ data: Uint8Array.from(bytes).buffer });
  }
}

/** What sends a track, with parameters that are copies, as a browser's are. */
class Sender {
  parameters = { encodings: [{ active: true, maxBitrate: 1000 }] };

  getParameters() {
    return structuredClone(this.parameters);
  }

  async setParameters(parameters) {
    this.parameters = parameters;
  }
}

/** A page's end of a peer connection. */
export class Peer {
  connectionState = "new";
  localDescription = null;
  remoteDescription = null;
  transceivers = [];
  channels = {}; // by label
  #senders = [];

  constructor(configuration) {
    this.configuration = configuration;
  }

  addTransceiver(track, init) {
    this.transceivers.push({ track, ...init });
    this.#senders.push(new Sender());
  }

  getSenders() {
    return this.#senders;
  }

  createDataChannel(label, options) {
    this.channels[label] = new Channel(label, options);
    return this.channels[label];
  }

  async setLocalDescription() {
    this.localDescription = { type: "offer", sdp: "the page's" };
  }

  async setRemoteDescription(description) {
    this.remoteDescription = description;
  }

  close() {
    this.become("closed", { silently: true });
  }

  /** Of its own close() a page is told nothing. */
  become(state, { silently = false } = {}) {
    this.connectionState = state;
    if (["closed", "failed"].includes(state)) {
      for (const channel of Object.values(this.channels)) channel.readyState = "closed";
    }
    if (!silently) this.onconnectionstatechange?.();
  }
}

/** A stream of one track. */
export function stream() {
  const track = new EventTarget();
  return { track, getVideoTracks: () => [track] };
}
