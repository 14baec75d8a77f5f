// Kinecast's client: sends video to a server, gives what it sees as events.
// The wire: docs/protocol.md.

const PAUSES_S = [0.1, 0.5, 1, 2, 4, 8]; // then 15
const WITHIN_MS = 15_000; // to connect or to end
const PING_EVERY_MS = 350;
const QUIET_AFTER_MS = 700;
const LOST_AFTER_MS = 5000;
const FOR_GOOD = [400, 401, 403, 404, 409, 422, "unsupported"];

// `code`: an HTTP status, `unreachable`, `no_media` or `unsupported`.
const problem = (code, message = code) => Object.assign(new Error(message), { code });

/** Reads CBOR (RFC 8949); throws if damaged. */
function readCbor(buffer, { keys, landmarks: { names, columns, scale } }) {
  const view = new DataView(buffer);
  let at = 0;
  const skip = (n) => (at += n) - n;
  const bytes = (n) => new Uint8Array(buffer, skip(n), n);
  const list = (length, item = read) => Array.from({ length }, item);
  const key = (name) => (typeof name === "string" ? name : keys[name]);
  // RFC 8746: int16, little endian as browsers are.
  const rows = ([, [...numbers]]) => {
    const value = (column) => [column, numbers.shift() / scale];
    return names.map((name, index) => ({ index, name, ...Object.fromEntries(columns.map(value)) }));
  };
  const kinds = [
    (n) => n,
    (n) => -1 - n,
    bytes,
    (n) => new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes(n)),
    list,
    (n) => Object.fromEntries(list(n, () => [key(read()), read()])),
    (n) => (n === 40 ? rows(read()) : new Int16Array(read().slice().buffer)),
  ];
  const sizes = ["Uint8", "Uint16", "Uint32", "BigUint64"];
  const read = () => {
    const byte = view.getUint8(skip(1));
    const n = byte & 31;
    if (byte > 0xdf) return n === 27 ? view.getFloat64(skip(8)) : [false, true, null][n - 20];
    return kinds[byte >> 5](n < 24 ? n : Number(view[`get${sizes[n - 24]}`](skip(2 ** (n - 24)))));
  };
  return read();
}

/**
 * A session that reconnects by itself and goes on where it was; after a reload, too, if given
 * `session` and `book` of before. Events, data in `detail`: `state`, `result`, `repetition`,
 * `problem`, `final`; kinecast.d.ts tells of each.
 */
export class Kinecast extends EventTarget {
  state = { code: "new" };
  session = null; // `{id, resume}`
  // counts by exercise; repetitions as told
  book = { now: {}, before: {}, done: [], earlier: [] };
  peer = null; // RTCPeerConnection
  round_trip_ms = Infinity;
  clock_offset_ms = NaN; // the server's clock less performance.now()

  #events; // and what we say
  #results;
  #timer;
  #leave = () => {}; // signaling
  #wake = () => {};
  #tries = 0;
  #number = 0; // of the newest frame
  #heard_ms = 0;
  #anew_ms = 0; // by the server's clock
  #stopping = false;
  #final = Promise.withResolvers();

  /** @param {string} url the server's origin; @param {object} settings see kinecast.d.ts */
  constructor(url, settings = {}) {
    super();
    this.url = url;
    this.settings = { options: {}, ...settings };
  }

  /**
   * Send a stream's video until its track ends. May be called again if refused.
   * @param {MediaStream} stream
   * @returns {Promise<object>} the session once live, null if stopped; rejected with a `code`
   */
  async start(stream) {
    this.stream = stream;
    stream.getVideoTracks()[0].addEventListener("ended", () => this.stop());
    this.#say("connecting");
    await this.#connect();
    return this.session;
  }

  /** @param {object} options by analyzer */
  configure(options) {
    const all = (this.settings.options ??= {});
    for (const name in options) all[name] = { ...all[name], ...options[name] };
    this.#send(JSON.stringify({ type: "configure", options }));
  }

  /** End it. @returns {Promise<?object>} the final result */
  stop() {
    this.#stopping = true;
    this.#wake();
    this.#send("end session");
    setTimeout(() => this.#end(null), this.session ? WITHIN_MS : 0);
    return this.#final.promise;
  }

  async #connect(error) {
    for (;;) {
      if (error) await this.#pause(error);
      if (this.state.code === "ended") return;
      try {
        await this.#attempt();
        return this.#live();
      } catch (caught) {
        error = caught;
        this.#hangUp();
        if (!FOR_GOOD.includes(error.code)) continue;
        this.#say("refused", { problem: error });
        throw error;
      }
    }
  }

  // Results come meanwhile.
  async #move(peer) {
    clearInterval(this.#timer);
    this.peer = null;
    await this.#connect().catch(() => {});
    peer.close();
  }

  #pause(problem) {
    const in_s = PAUSES_S[this.#tries++] ?? 15;
    if (this.state.code !== "ended") this.#say("reconnecting", { in_s, problem });
    return new Promise((resolve) => {
      this.#wake = resolve;
      setTimeout(resolve, in_s * 1000);
    });
  }

  #attempt() {
    const { promise, resolve, reject } = Promise.withResolvers();
    const fail = (code, text) => reject(problem(code, text));
    const before = this.session;
    const { encoding = {}, analyzers, options, name } = this.settings;
    const socket = new WebSocket(this.#at("signaling").replace(/^http/, "ws"));
    const send = (type, data) => socket.readyState === 1 && socket.send(JSON.stringify({ type, data }));
    let peer;
    const on = {
      error: ({ code, message }) => fail(code, message),
      "ice-servers": async (iceServers) => {
        this.peer = peer = new RTCPeerConnection({ iceServers });
        const [track] = this.stream.getVideoTracks();
        peer.addTransceiver(track, { direction: "sendonly", sendEncodings: [encoding] });
        this.#events = peer.createDataChannel("events");
        this.#events.onopen = resolve;
        this.#results = peer.createDataChannel("kinecast", { ordered: false, maxRetransmits: 0 });
        this.#results.binaryType = this.#events.binaryType = "arraybuffer";
        this.#results.onmessage = this.#events.onmessage = ({ data }) => this.#receive(data, peer);
        peer.lose = fail;
        peer.onconnectionstatechange = () => peer.connectionState === "failed" && peer.lose("no_media");
        await peer.setLocalDescription();
        const { sdp } = peer.localDescription;
        const how = { resume: before?.resume, publish: name, results: "cbor", pace: true };
        send("offer", { sdp, analyzers, options, ...how });
        peer.onicecandidate = ({ candidate }) => send("ice-candidate", candidate ?? {});
      },
      answer: async ({ session, ...answer }) => {
        this.session = session;
        if (before && session.id !== before.id) this.#beginAnew();
        await peer.setRemoteDescription(answer);
      },
    };
    socket.onopen = () => send("ice-servers");
    socket.onmessage = (event) => {
      const { type, data } = JSON.parse(event.data);
      on[type]?.(data)?.catch(({ message }) => fail("unsupported", message));
    };
    socket.onclose = async () => {
      // HTTP tells why.
      const { code, message } = peer ? {} : await this.#ask("signaling");
      fail(code > 400 ? code : "unreachable", message);
    };
    setTimeout(() => fail(peer ? "no_media" : "unreachable"), WITHIN_MS);
    this.#leave = () => socket.close();
    return promise;
  }

  #live() {
    const { peer } = this;
    const lose = () => {
      if (this.peer !== peer) return;
      this.#hangUp();
      this.#connect(problem("unreachable")).catch(() => {});
    };
    const ping = async () => {
      const now = performance.now();
      const quiet_ms = now - this.#heard_ms;
      if (quiet_ms > LOST_AFTER_MS) return lose();
      this.#send(`{"type":"ping","t":${now}}`, this.#results);
      if (quiet_ms < QUIET_AFTER_MS) return;
      // Other nodes know of one that died.
      const { code } = await this.#ask(`sessions/${this.session.id}`);
      if (code === 404 || code === 503) lose();
    };
    this.#leave();
    this.#tries = 0;
    this.round_trip_ms = Infinity;
    this.#heard_ms = performance.now();
    peer.lose = this.#events.onclose = this.#results.onclose = lose;
    ping();
    setTimeout(ping, 100);
    this.#timer = setInterval(ping, PING_EVERY_MS);
    this.#say("live", { session: this.session });
    if (this.#stopping) this.#send("end session");
  }

  #at(path) {
    return `${this.url}/${path}?token=${encodeURIComponent(this.settings.token ?? "")}`;
  }

  #ask(path) {
    const answer = async () => (await fetch(this.#at(path))).json();
    return answer().catch(() => ({}));
  }

  #hangUp() {
    clearInterval(this.#timer);
    this.#leave();
    this.peer?.close();
    this.peer = this.#events = this.#results = null;
  }

  #receive(data, peer) {
    this.#heard_ms = performance.now();
    let message;
    try {
      message = typeof data === "string" ? JSON.parse(data) : readCbor(data, peer.layout);
    } catch {} // damaged, or early
    if (!message) return;
    const { type, final, timing } = message;
    if (final) this.#end(message);
    else if (timing) this.#take(message);
    else if (type === "pong") this.#compareClocks(message);
    else if (type === "layout") peer.layout = message;
    else if (type === "move") this.#move(peer);
    else if (type === "pace") this.#keepPace(message.max_fps).catch(() => {});
    else if (type === "analyzers_restarted") {
      this.#beginAnew();
      this.#say("restarting", message);
    } else if (type) this.#emit("problem", { code: "analyzer", ...message });
  }

  #take(result) {
    const { number, received_at } = result.frame;
    // What was on its way was counted.
    if (!(received_at < this.#anew_ms)) {
      if (this.state.code === "restarting") this.#say("live", { session: this.session });
      this.#count(result.exercise, result.reps, result.repetition);
    }
    if (number <= this.#number) return;
    this.#number = number;
    result.latency_ms = this.#server_ms - received_at;
    this.#emit("result", result);
  }

  async #keepPace(max_fps) {
    const [sender] = this.peer.getSenders();
    const parameters = sender.getParameters();
    const { maxFramerate = 120 } = this.settings.encoding ?? {};
    parameters.encodings[0].maxFramerate = max_fps ?? maxFramerate;
    await sender.setParameters(parameters);
  }

  #count(exercise, reps, last) {
    const { now, before, done } = this.book;
    for (let count = (now[exercise] ?? 0) + 1; count <= reps; count++) {
      now[exercise] = count;
      const repetition = count === reps ? last : null;
      if (repetition) done.push(repetition);
      this.#emit("repetition", { exercise, count: count + (before[exercise] ?? 0), repetition });
    }
  }

  #beginAnew() {
    const { now, before, done, earlier } = this.book;
    for (const name in now) before[name] = now[name] + (before[name] ?? 0);
    this.book.now = {};
    earlier.push(...done.splice(0));
    this.#number = 0;
    this.#anew_ms = this.#server_ms;
  }

  get #server_ms() {
    return performance.now() + this.clock_offset_ms;
  }

  #compareClocks({ t, server_time }) {
    const round_trip_ms = this.#heard_ms - t;
    this.round_trip_ms *= 1.05; // Clocks drift.
    if (round_trip_ms > this.round_trip_ms) return; // The quickest is right.
    this.round_trip_ms = round_trip_ms;
    this.clock_offset_ms = server_time - (t + this.#heard_ms) / 2;
  }

  #end(final) {
    if (this.state.code === "ended") return;
    this.#hangUp();
    if (final) {
      const { done, earlier } = this.book;
      const { exercises, repetitions = done } = final.exercise_summary ?? {};
      for (const name in exercises) this.#count(name, exercises[name].reps, null);
      final.repetitions = [...earlier, ...repetitions];
    }
    this.#say("ended");
    this.#emit("final", final);
    this.#final.resolve(final);
  }

  #send(text, channel = this.#events) {
    if (channel?.readyState === "open") channel.send(text);
  }

  #say(code, details) {
    this.state = { ...details, code };
    this.#emit("state", this.state);
  }

  #emit(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}
