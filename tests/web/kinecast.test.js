// The client for pages, server/web/kinecast.js: how it connects, goes on after a loss, counts.

import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";
import { Kinecast } from "../../server/web/kinecast.js";
import { Peer, Socket, settled, stream, Time } from "./browser.js";

const URL_OF_IT = "http://127.0.0.1:8083";
const ONE = { id: "one", resume: "token of one" };
const TWO = { id: "two", resume: "token of two" };
// The server's clock less the page's.
const OFFSET_MS = 1_700_000_000_000;

let time;
let sockets;
let peers;
let number; // of the newest frame
// What a plain request to the socket's address is answered, which tells a page why its socket was refused.
let why;
let asked;

beforeEach(() => {
  time = new Time();
  [sockets, peers, number] = [[], [], 0];
  why = { code: 400, message: "not a WebSocket" };
  asked = [];
  mock.method(globalThis, "fetch", async (address) => {
    asked.push(address);
    if (!why) throw new TypeError("fetch failed");
    return new Response(JSON.stringify(why), { status: why.code });
  });
  globalThis.WebSocket = class extends Socket {
    constructor(address) {
      super(address);
      sockets.push(this);
    }
  };
  globalThis.RTCPeerConnection = class extends Peer {
    constructor(configuration) {
      super(configuration);
      peers.push(this);
    }
  };
});
afterEach(() => mock.restoreAll());

/** A client and the history of its events. */
function client(settings) {
  const kinecast = new Kinecast(URL_OF_IT, settings);
  const heard = { states: [], results: [], repetitions: [], problems: [], finals: [] };
  for (const [list, details] of Object.entries(heard)) {
    kinecast.addEventListener(list.slice(0, -1), ({ detail }) => details.push(detail));
  }
  return { kinecast, heard, video: stream() };
}

const codes = ({ states }) => states.map(({ code }) => code);
const pauses = ({ states }) => states.flatMap(({ in_s }) => in_s ?? []);
const counts = ({ repetitions }) => repetitions.map(({ count }) => count);

/** The server takes the newest socket's offer; returns the offer. */
async function answer(session) {
  const socket = sockets.at(-1);
  socket.onopen();
  await socket.tell("ice-servers", [{ urls: "stun:somewhere" }]);
  await socket.tell("answer", { type: "answer", sdp: "the server's", session });
  return socket.sent.find(({ type }) => type === "offer").data;
}

/** The same, and the connection comes about. */
async function accept(session) {
  const offer = await answer(session);
  peers.at(-1).become("connecting");
  peers.at(-1).become("connected");
  for (const label of ["events", "kinecast"]) peers.at(-1).channels[label].open();
  await settled();
  return offer;
}

/** A client that is live in session one. */
async function live(settings) {
  const all = client(settings);
  const started = all.kinecast.start(all.video);
  await accept(ONE);
  assert.deepEqual(await started, ONE);
  return all;
}

/** The newest socket is refused. */
async function refuse() {
  sockets.at(-1).drop();
  await settled();
}

/** The channel for what must arrive, and the one that may lose results. */
const channel = () => peers.at(-1).channels.events;
const droppable = () => peers.at(-1).channels.kinecast;

/** A ping is answered; each way takes half of the time that passes. */
async function pong(way_ms = 0) {
  const { t } = JSON.parse(droppable().sent.at(-1));
  const server_time = OFFSET_MS + t + way_ms;
  await time.pass(2 * way_ms);
  channel().tell({ type: "pong", t, server_time });
}

/** A result comes; the server had its frame `ago_ms` before. */
function result({
  exercise = "squat",
  reps,
  repetition = null,
  ago_ms = 0,
  at = ++number,
  over = channel(),
}) {
  const frame = { number: at, received_at: OFFSET_MS + time.now_ms - ago_ms };
  over.tell({ frame, timing: {}, exercise, reps, repetition });
}

// ---- connecting

test("a session comes about", async () => {
  const { kinecast, heard, video } = client({
    token: "a b&c",
    analyzers: ["pose"],
    options: { pose: { people: 2 } },
    name: "hall",
    encoding: { maxBitrate: 1000 },
  });
  const started = kinecast.start(video);
  const offer = await answer(ONE);

  assert.equal(sockets[0].url.protocol, "ws:");
  assert.equal(sockets[0].url.pathname, "/signaling");
  assert.equal(sockets[0].url.searchParams.get("token"), "a b&c");
  assert.deepEqual(offer, {
    sdp: "the page's",
    analyzers: ["pose"],
    options: { pose: { people: 2 } },
    publish: "hall",
    results: "cbor",
    pace: true,
  });
  const [peer] = peers;
  assert.deepEqual(peer.configuration, { iceServers: [{ urls: "stun:somewhere" }] });
  assert.deepEqual(peer.transceivers, [
    { track: video.track, direction: "sendonly", sendEncodings: [{ maxBitrate: 1000 }] },
  ]);
  assert.deepEqual(droppable().options, { ordered: false, maxRetransmits: 0 });
  assert.equal(channel().options?.maxRetransmits, undefined);
  assert.deepEqual(peer.remoteDescription, { type: "answer", sdp: "the server's" });

  peer.onicecandidate({ candidate: { candidate: "candidate:1" } });
  peer.onicecandidate({ candidate: null });
  assert.deepEqual(sockets[0].sent.slice(-2), [
    { type: "ice-candidate", data: { candidate: "candidate:1" } },
    { type: "ice-candidate", data: {} },
  ]);

  assert.deepEqual(codes(heard), ["connecting"]);
  assert.equal(sockets[0].closed, false);
  channel().open();
  droppable().open();
  assert.deepEqual(await started, ONE);
  assert.deepEqual(heard.states, [{ code: "connecting" }, { code: "live", session: ONE }]);
  assert.equal(kinecast.state, heard.states.at(-1));
  assert.equal(sockets[0].closed, true);
});

test("a candidate that comes when the socket is closed is sent nowhere", async () => {
  await live();
  const [socket] = sockets;
  assert.ok(socket.closed);
  const before = socket.sent.length;
  peers[0].onicecandidate({ candidate: { candidate: "candidate:2" } });
  assert.equal(socket.sent.length, before);
});

test("a server over TLS is reached over TLS", () => {
  new Kinecast("https://example.org").start(stream());
  assert.equal(sockets[0].url.href, "wss://example.org/signaling?token=");
});

test("a server that is not there is tried again after longer and longer pauses", async () => {
  const { kinecast, heard, video } = client();
  why = null;
  const started = kinecast.start(video);
  for (const in_s of [0.1, 0.5, 1, 2, 4, 8, 15, 15]) {
    const tries = sockets.length;
    await refuse();
    assert.deepEqual([heard.states.at(-1).in_s, heard.states.at(-1).problem.code], [in_s, "unreachable"]);
    await time.pass(in_s * 1000 - 1);
    assert.equal(sockets.length, tries);
    await time.pass(1);
    assert.equal(sockets.length, tries + 1);
  }
  await accept(ONE);
  assert.deepEqual(await started, ONE);
  peers.at(-1).become("failed");
  assert.equal(pauses(heard).at(-1), 0.1);
});

for (const code of [401, 403, 404, 409, 422]) {
  test(`a refusal with ${code} is one for good, until start is called again`, async () => {
    const { kinecast, heard, video } = client({ token: "expired" });
    why = { code, message: "because" };
    const started = kinecast.start(video);
    const rejected = assert.rejects(started, { code, message: "because" });
    await refuse();
    await rejected;
    assert.deepEqual(asked, [`${URL_OF_IT}/signaling?token=expired`]);
    assert.deepEqual(codes(heard), ["connecting", "refused"]);
    assert.equal(heard.states.at(-1).problem.code, code);
    await time.pass(60_000);
    assert.equal(sockets.length, 1);

    kinecast.settings.token = "new";
    const again = kinecast.start(video);
    assert.equal(sockets[1].url.searchParams.get("token"), "new");
    await accept(ONE);
    assert.deepEqual(await again, ONE);
    assert.deepEqual(codes(heard), ["connecting", "refused", "connecting", "live"]);
  });
}

for (const code of [429, 500, 503]) {
  test(`a refusal with ${code} may pass`, async () => {
    const { kinecast, heard, video } = client();
    why = { code, message: "not now" };
    const started = kinecast.start(video);
    await refuse();
    assert.deepEqual(codes(heard), ["connecting", "reconnecting"]);
    assert.equal(heard.states.at(-1).problem.code, code);
    assert.equal(heard.states.at(-1).problem.message, "not now");
    await time.pass(500);
    await accept(ONE);
    assert.deepEqual(await started, ONE);
  });
}

test("that the server has no page at a socket's address tells nothing", async () => {
  const { kinecast, heard, video } = client();
  kinecast.start(video);
  await refuse();
  assert.equal(heard.states.at(-1).problem.code, "unreachable");
});

test("an offer that is refused", async () => {
  const { kinecast, heard, video } = client({ name: "taken" });
  const started = kinecast.start(video);
  const rejected = assert.rejects(started, { code: 409, message: "taken is taken" });
  sockets[0].onopen();
  await sockets[0].tell("ice-servers", []);
  await sockets[0].tell("error", { code: 409, message: "taken is taken" });
  await rejected;
  assert.deepEqual(codes(heard), ["connecting", "refused"]);
  assert.equal(sockets[0].closed, true);
  assert.equal(peers[0].connectionState, "closed");
});

test("a browser that can not do it is told once", async () => {
  const { kinecast, heard, video } = client();
  globalThis.RTCPeerConnection = undefined;
  const rejected = assert.rejects(kinecast.start(video), { code: "unsupported" });
  sockets[0].onopen();
  await sockets[0].tell("ice-servers", []);
  await rejected;
  await time.pass(60_000);
  assert.equal(sockets.length, 1);
  assert.deepEqual(codes(heard), ["connecting", "refused"]);
});

test("media that find no way", async () => {
  const { kinecast, heard, video } = client();
  kinecast.start(video);
  await answer(ONE);
  peers[0].become("failed");
  await settled();
  assert.equal(heard.states.at(-1).problem.code, "no_media");
  assert.equal(heard.states.at(-1).problem.message, "no_media");
  assert.equal(peers[0].connectionState, "closed");
});

test("a socket that is lost after it was let in was not refused", async () => {
  const { kinecast, heard, video } = client();
  why = { code: 401, message: "not to be asked for" };
  kinecast.start(video);
  await answer(ONE);
  await refuse();
  assert.equal(heard.states.at(-1).problem.code, "unreachable");
  assert.deepEqual(asked, []);
});

test("a server that says nothing, or whose media do not come, is given 15 s", async () => {
  const { kinecast, heard, video } = client();
  kinecast.start(video);
  await time.pass(14_999);
  assert.deepEqual(codes(heard), ["connecting"]);
  await time.pass(1);
  await settled();
  assert.equal(heard.states.at(-1).problem.code, "unreachable");
  assert.equal(sockets[0].closed, true);
  await time.pass(500);
  await answer(ONE);
  await time.pass(15_000);
  await settled();
  assert.equal(heard.states.at(-1).problem.code, "no_media");
});

// ---- a connection that is lost

test("a lost connection is resumed, and the count goes on", async () => {
  const { kinecast, heard } = await live({ analyzers: ["exercise"] });
  await pong();
  result({ reps: 1 });
  result({ reps: 2 });
  peers[0].become("failed");
  assert.equal(peers[0].connectionState, "closed");
  assert.equal(kinecast.peer, null);
  await time.pass(500);
  const offer = await accept(ONE);
  assert.equal(offer.resume, ONE.resume);
  assert.deepEqual(offer.analyzers, ["exercise"]);
  await pong();
  // The server counted on, as it does.
  result({ reps: 2 });
  result({ reps: 3 });
  assert.deepEqual(counts(heard), [1, 2, 3]);
  assert.deepEqual(codes(heard), ["connecting", "live", "reconnecting", "live"]);
});

const MOVED = { id: ONE.id, resume: "another node's token of one" };

test("a session that moves has two connections for a moment, and counts on", async () => {
  const { kinecast, heard } = await live({ analyzers: ["exercise"] });
  await pong();
  result({ reps: 1 });
  const before = channel();
  before.tell({ type: "move", resume: ONE.resume, within_s: 60 });
  await settled();
  const offer = await answer(MOVED);
  assert.equal(offer.resume, ONE.resume);
  // Where it is, it goes on until there is another connection.
  assert.equal(peers[0].connectionState, "connected");
  result({ reps: 2, over: before });
  for (const label of ["events", "kinecast"]) peers[1].channels[label].open();
  await settled();
  assert.equal(peers[0].connectionState, "closed");
  assert.equal(kinecast.peer, peers[1]);
  assert.deepEqual(kinecast.session, MOVED);
  await pong();
  result({ reps: 3 });
  assert.deepEqual(counts(heard), [1, 2, 3]);
  assert.equal(heard.results.length, 3);
  assert.deepEqual(codes(heard), ["connecting", "live", "live"]);
  assert.deepEqual(heard.finals, []);
  peers[1].become("failed");
  await time.pass(500);
  assert.equal((await accept(MOVED)).resume, MOVED.resume);
});

test("results as CBOR are read by the layout of the connection that they come over", async () => {
  const { heard } = await live();
  await pong();
  const layout = (keys) => ({ type: "layout", keys, landmarks: { names: [], columns: [], scale: 1 } });
  // {"frame": {"number": N}, "timing": {}}, by the places of the keys.
  const told = (n) => new Uint8Array([0xa2, 0x00, 0xa1, 0x01, n, 0x02, 0xa0]).buffer;
  channel().tell(layout(["frame", "number", "timing"]));
  const before = droppable();
  before.onmessage({ data: told(1) });
  channel().tell({ type: "move" });
  await settled();
  await answer(MOVED);
  before.onmessage({ data: told(2) });
  for (const label of ["events", "kinecast"]) peers[1].channels[label].open();
  await settled();
  droppable().onmessage({ data: told(3) });
  assert.deepEqual(heard.results.length, 2, "its layout is not known yet");
  channel().tell(layout(["frame", "number", "timing"]));
  droppable().onmessage({ data: told(4) });
  const numbers = heard.results.map(({ frame }) => frame.number);
  assert.deepEqual(numbers, [1, 2, 4]);
});

test("a session that can not move at once stays where it is meanwhile", async () => {
  const { heard } = await live();
  await pong();
  const before = channel();
  before.tell({ type: "move" });
  await settled();
  why = { code: 503, message: "starting" };
  await refuse();
  result({ reps: 1, over: before });
  assert.deepEqual(counts(heard), [1]);
  assert.equal(peers[0].connectionState, "connected");
  await time.pass(500);
  await accept(MOVED);
  assert.equal(peers[0].connectionState, "closed");
  result({ reps: 2 });
  assert.deepEqual(counts(heard), [1, 2]);
  assert.deepEqual(codes(heard), ["connecting", "live", "reconnecting", "live"]);
});

test("a session that ends while it moves is over", async () => {
  const { kinecast, heard } = await live();
  const before = channel();
  before.tell({ type: "move" });
  await settled();
  await answer(MOVED);
  before.tell({ final: true });
  await settled();
  assert.equal(peers[1].connectionState, "closed");
  assert.equal(heard.finals.length, 1);
  await time.pass(16_000);
  await settled();
  assert.equal(peers[0].connectionState, "closed");
  assert.equal(kinecast.state.code, "ended");
});

test("when the session was given away, a new one counts on", async () => {
  const { heard } = await live();
  await pong();
  result({ reps: 1, repetition: { score: 91 } });
  result({ reps: 2, repetition: { score: 92 } });
  peers[0].become("failed");
  await time.pass(500);
  await accept(TWO);
  await pong();
  number = 0; // Its frames are counted anew, too.
  result({ reps: 0 });
  result({ reps: 1, repetition: { score: 93 } });
  result({ exercise: "lunge", reps: 1, repetition: { score: 94 } });
  assert.deepEqual(
    heard.repetitions.map(({ exercise, count }) => [exercise, count]),
    [
      ["squat", 1],
      ["squat", 2],
      ["squat", 3],
      ["lunge", 1],
    ],
  );
  const repetitions = [{ score: 93 }, { score: 94 }];
  channel().tell({ final: true, exercise_summary: { repetitions } });
  assert.deepEqual(
    heard.finals[0].repetitions.map(({ score }) => score),
    [91, 92, 93, 94],
  );
});

for (const [what, session, told, counted] of [
  ["goes on in its session", ONE, [2, 3], [1, 2, 3]],
  ["goes on in another session, if its own was over", TWO, [1], [1, 2, 3]],
]) {
  test(`a client that is made anew, after a reload, ${what}`, async () => {
    const before = await live();
    await pong();
    result({ reps: 1, repetition: { score: 91 } });
    result({ reps: 2, repetition: { score: 92 } });
    const kept = JSON.parse(JSON.stringify({ session: before.kinecast.session, book: before.kinecast.book }));
    const after = client();
    Object.assign(after.kinecast, kept);
    const started = after.kinecast.start(after.video);
    const offer = await accept(session);
    assert.equal(offer.resume, ONE.resume);
    assert.deepEqual(await started, session);
    await pong();
    number = 0;
    for (const reps of told) result({ reps, repetition: { score: 90 + reps } });
    assert.deepEqual([...counts(before.heard), ...counts(after.heard)], counted);
    channel().tell({ final: true });
    const scores = session === ONE ? [91, 92, 93] : [91, 92, 91];
    assert.deepEqual(
      after.heard.finals[0].repetitions.map(({ score }) => score),
      scores,
    );
  });
}

for (const [what, lose] of [
  ["the channel for what must arrive closes", () => channel().onclose()],
  ["the other channel closes", () => droppable().onclose()],
  ["the connection fails", () => peers.at(-1).become("failed")],
]) {
  test(`a connection is lost when ${what}, once`, async () => {
    const { heard } = await live();
    const lost = peers[0];
    lose();
    await settled();
    assert.deepEqual(codes(heard), ["connecting", "live", "reconnecting"]);
    await time.pass(500);
    await accept(ONE);
    // What the old one says by now is of no interest.
    for (const each of Object.values(lost.channels)) each.onclose();
    lost.onconnectionstatechange();
    await time.pass(3500);
    assert.deepEqual(codes(heard), ["connecting", "live", "reconnecting", "live"]);
    assert.equal(peers.length, 2);
    // Two at once, to know the clock soon, then one every 350 ms.
    assert.deepEqual(
      droppable().sent.map((text) => JSON.parse(text).type),
      Array(12).fill("ping"),
    );
  });
}

test("a connection that falters is not lost yet", async () => {
  const { heard } = await live();
  peers[0].become("disconnected");
  peers[0].become("connected");
  assert.deepEqual(codes(heard), ["connecting", "live"]);
});

test("a connection is lost when nothing was heard for 5 s", async () => {
  const { heard } = await live();
  for (let second = 0; second < 10; second++) {
    await time.pass(1000);
    await pong();
  }
  assert.deepEqual(codes(heard), ["connecting", "live"]);
  const pings = droppable().sent.length;
  await time.pass(5000);
  assert.deepEqual(codes(heard), ["connecting", "live"]);
  assert.equal(droppable().sent.length, pings + 14);
  await time.pass(1000);
  assert.deepEqual(codes(heard), ["connecting", "live", "reconnecting"]);
});

for (const code of [404, 503]) {
  test(`where nothing is heard, and the server says ${code} of the session, it is lost`, async () => {
    const { heard, kinecast } = await live({ token: "a b" });
    await time.pass(500);
    await pong();
    assert.deepEqual(asked, []);
    why = { code, message: "its node has died" };
    await time.pass(500);
    assert.deepEqual(codes(heard), ["connecting", "live"]);
    await time.pass(1000);
    assert.deepEqual(asked, [`${URL_OF_IT}/sessions/one?token=a%20b`]);
    assert.deepEqual(codes(heard), ["connecting", "live", "reconnecting"]);
    await time.pass(500);
    assert.equal((await accept(TWO)).resume, ONE.resume);
    assert.deepEqual(kinecast.session, TWO);
  });
}

for (const said of [{ id: "one", frames: 3 }, { code: 403 }, { code: 429 }, { code: 502 }, null]) {
  test(`where nothing is heard, and the server says ${JSON.stringify(said)}, it may come back`, async () => {
    const { heard } = await live();
    why = said && { status: 200, ...said };
    mock.method(globalThis, "fetch", async (address) => {
      asked.push(address);
      if (!why) throw new TypeError("fetch failed");
      return Response.json(why);
    });
    await time.pass(4500);
    assert.ok(asked.length > 1);
    await pong();
    await time.pass(4500);
    assert.deepEqual(codes(heard), ["connecting", "live"]);
  });
}

test("results are signs of life, too", async () => {
  const { heard } = await live();
  for (let second = 0; second < 10; second++) {
    await time.pass(1000);
    result({ reps: 0 });
  }
  assert.deepEqual(codes(heard), ["connecting", "live"]);
});

test("a lost connection that is refused then is told as a state", async () => {
  const { heard } = await live();
  why = { code: 401, message: "expired" };
  peers[0].become("failed");
  await time.pass(500);
  await refuse();
  assert.deepEqual(codes(heard), ["connecting", "live", "reconnecting", "refused"]);
});

// ---- results

test("results come in the frames' order, old ones not at all", async () => {
  const { heard } = await live();
  for (const at of [501, 503, 502, 503, 504]) result({ reps: 0, at });
  assert.deepEqual(
    heard.results.map(({ frame }) => frame.number),
    [501, 503, 504],
  );
});

test("repetitions that no result told of are counted all the same", async () => {
  const { heard } = await live();
  result({ reps: 1, repetition: { score: 91 } });
  result({ reps: 1 });
  result({ reps: 3, repetition: { score: 93 } });
  assert.deepEqual(heard.repetitions, [
    { exercise: "squat", count: 1, repetition: { score: 91 } },
    { exercise: "squat", count: 2, repetition: null },
    { exercise: "squat", count: 3, repetition: { score: 93 } },
  ]);
});

test("a result that tells of a repetition and is overtaken counts once, and is no result any more", async () => {
  const { heard } = await live();
  const over = droppable();
  result({ reps: 0, at: 10, over });
  result({ exercise: "none", reps: 0, at: 12, over });
  result({ reps: 1, repetition: { score: 91 }, at: 11 });
  result({ reps: 1, repetition: { score: 91 }, at: 13, over });
  result({ reps: 2, repetition: { score: 92 }, at: 15, over });
  result({ reps: 2, repetition: { score: 92 }, at: 14 });
  assert.deepEqual(
    heard.repetitions.map(({ count, repetition }) => [count, repetition.score]),
    [
      [1, 91],
      [2, 92],
    ],
  );
  assert.deepEqual(
    heard.results.map(({ frame }) => frame.number),
    [10, 12, 13, 15],
  );
});

test("when the analyzers begin anew the count goes on, without what was on its way", async () => {
  const { heard } = await live();
  await pong();
  result({ reps: 1, repetition: { score: 91 } });
  result({ reps: 2 });
  channel().tell({ type: "analyzers_restarted", analyzers: ["exercise"], message: "died" });
  await time.pass(10);
  number = 0;
  result({ reps: 2, ago_ms: 11 });
  assert.deepEqual(codes(heard), ["connecting", "live", "restarting"]);
  assert.equal(heard.states.at(-1).message, "died");
  result({ reps: 0, ago_ms: 9 });
  assert.deepEqual(codes(heard), ["connecting", "live", "restarting", "live"]);
  result({ reps: 1 });
  assert.deepEqual(counts(heard), [1, 2, 3]);
  channel().tell({ type: "analyzers_restarted" });
  await time.pass(10);
  number = 0;
  result({ reps: 1, repetition: { score: 94 } });
  assert.deepEqual(counts(heard), [1, 2, 3, 4]);
  channel().tell({ final: true });
  assert.deepEqual(heard.finals[0].repetitions, [{ score: 91 }, { score: 94 }]);
});

test("analyzers may begin anew before the server's clock is known", async () => {
  const { heard } = await live();
  channel().tell({ type: "analyzers_restarted" });
  result({ reps: 1 });
  assert.deepEqual(counts(heard), [1]);
  assert.deepEqual(codes(heard), ["connecting", "live", "restarting", "live"]);
});

test("latencies go by the pong that was held up least", async () => {
  const { kinecast, heard } = await live();
  result({ reps: 0 });
  assert.ok(Number.isNaN(heard.results[0].latency_ms));
  await pong(20);
  assert.equal(kinecast.round_trip_ms, 40);
  assert.equal(kinecast.clock_offset_ms, OFFSET_MS);

  // 90 ms there and nothing back: 45 ms off.
  await time.pass(1000);
  const { t } = JSON.parse(droppable().sent.at(-1));
  await time.pass(90 - (time.now_ms - t));
  channel().tell({ type: "pong", t, server_time: OFFSET_MS + t + 90 });
  assert.equal(kinecast.clock_offset_ms, OFFSET_MS);

  result({ reps: 0, ago_ms: 35 });
  assert.equal(heard.results[1].latency_ms, 35);
});

test("clocks drift: in time a slower pong counts", async () => {
  const { kinecast } = await live();
  await pong(20);
  for (let second = 0; second < 30; second++) {
    await time.pass(1000);
    await pong(30);
  }
  assert.ok(kinecast.round_trip_ms >= 60);
});

test("another connection's clocks are compared anew", async () => {
  const { kinecast } = await live();
  await pong(1);
  peers[0].become("failed");
  await time.pass(500);
  await accept(ONE);
  await pong(30);
  assert.equal(kinecast.round_trip_ms, 60);
});

test("the sender keeps to the rate that the server has time for, and to its own", async () => {
  const { heard } = await live({ encoding: { maxFramerate: 25 } });
  const [sender] = peers[0].getSenders();
  for (const [told, kept] of [
    [12.5, 12.5],
    [null, 25],
  ]) {
    channel().tell({ type: "pace", max_fps: told });
    await settled();
    assert.equal(sender.parameters.encodings[0].maxFramerate, kept);
    assert.equal(sender.parameters.encodings[0].maxBitrate, 1000, "the rest stays");
  }
  assert.deepEqual(heard.problems, []);
});

test("a browser that can not change a sender's rate goes on", async () => {
  const { heard } = await live();
  peers[0].getSenders()[0].setParameters = () => Promise.reject(new Error("no"));
  channel().tell({ type: "pace", max_fps: 10 });
  await settled();
  assert.deepEqual(codes(heard), ["connecting", "live"]);
});

test("what else the server says is a problem, and the session goes on", async () => {
  const { heard } = await live();
  channel().tell({ type: "analyzer_failed", analyzer: "pose", message: "no" });
  assert.deepEqual(
    heard.problems.map(({ analyzer, message }) => [analyzer, message]),
    [["pose", "no"]],
  );
  assert.ok(heard.problems[0].code);
  assert.deepEqual(codes(heard), ["connecting", "live"]);
});

test("options may be changed while there is nobody to tell", async () => {
  const { kinecast, video } = client();
  kinecast.start(video);
  kinecast.configure({ pose: { people: 2 } });
  const { options } = await answer(ONE);
  assert.deepEqual(options, { pose: { people: 2 } });
  kinecast.configure({ pose: { people: 3 } });
  assert.deepEqual(channel().sent, []);
});

test("options that were changed are those of the next offer", async () => {
  const { kinecast } = await live({ options: { pose: { people: 1 } } });
  kinecast.configure({ exercise: { side: "left" } });
  assert.deepEqual(JSON.parse(channel().sent.at(-1)), {
    type: "configure",
    options: { exercise: { side: "left" } },
  });
  peers[0].become("failed");
  kinecast.configure({ pose: { people: 2 } });
  await time.pass(500);
  const { options } = await accept(ONE);
  assert.deepEqual(options, { pose: { people: 2 }, exercise: { side: "left" } });
});

test("an option that was changed leaves an analyzer's others as they were", async () => {
  const { kinecast } = await live({ options: { reid: { reference: "anna", threshold: 0.6 } } });
  kinecast.configure({ reid: { threshold: 0.5 } });
  assert.deepEqual(JSON.parse(channel().sent.at(-1)).options, { reid: { threshold: 0.5 } });
  peers[0].become("failed");
  await time.pass(500);
  const { options } = await accept(ONE);
  assert.deepEqual(options, { reid: { reference: "anna", threshold: 0.5 } });
});

// ---- the end

test("an end, with what the server counted at last", async () => {
  const { kinecast, heard } = await live();
  result({ reps: 1, repetition: { score: 91 } });
  const stopped = kinecast.stop();
  assert.equal(channel().sent.at(-1), "end session");
  const repetitions = [{ score: 91 }, { score: 92 }];
  const exercise_summary = { exercises: { squat: { reps: 2 } }, repetitions };
  channel().tell({ final: true, exercise_summary });
  const final = await stopped;
  assert.deepEqual(final.repetitions, repetitions);
  assert.deepEqual(counts(heard), [1, 2]);
  assert.deepEqual(heard.finals, [final]);
  assert.deepEqual(codes(heard), ["connecting", "live", "ended"]);
  assert.equal(peers[0].connectionState, "closed");
  // And nothing comes after it.
  await time.pass(60_000);
  assert.deepEqual(codes(heard), ["connecting", "live", "ended"]);
  assert.equal(heard.finals.length, 1);
  assert.equal(sockets.length, 1);
});

test("an end that the server does not answer takes 15 s", async () => {
  const { kinecast, heard } = await live();
  const stopped = kinecast.stop();
  await time.pass(4999);
  result({ reps: 0 });
  for (let second = 5; second < 14; second++) {
    await time.pass(1000);
    result({ reps: 0 });
  }
  assert.deepEqual(heard.finals, []);
  await time.pass(1001);
  assert.equal(await stopped, null);
  assert.deepEqual(heard.finals, [null]);
  assert.deepEqual(codes(heard), ["connecting", "live", "ended"]);
});

test("an end while the connection is lost does not wait for the next attempt", async () => {
  const { kinecast, heard } = await live();
  peers[0].become("failed");
  const stopped = kinecast.stop();
  await settled();
  assert.equal(sockets.length, 2);
  await accept(ONE);
  assert.ok(channel().sent.includes("end session"));
  channel().tell({ final: true });
  assert.deepEqual((await stopped).repetitions, []);
  assert.deepEqual(codes(heard), ["connecting", "live", "reconnecting", "live", "ended"]);
});

test("an end before there was a session is one at once", async () => {
  const { kinecast, heard, video } = client();
  kinecast.start(video);
  const stopped = kinecast.stop();
  await time.pass(0);
  assert.equal(await stopped, null);
  assert.deepEqual(codes(heard), ["connecting", "ended"]);
  assert.equal(sockets[0].closed, true);
  await refuse();
  await time.pass(60_000);
  assert.equal(sockets.length, 1);
});

test("the end of the video is the session's", async () => {
  const { video } = await live();
  video.track.dispatchEvent(new Event("ended"));
  assert.equal(channel().sent.at(-1), "end session");
});
