// How server/web/kinecast.js reads results that come as CBOR: the bytes are a server's, in compact.json,
// which tests/support/compact_samples.py makes.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { afterEach, beforeEach, mock, test } from "node:test";
import { Kinecast } from "../../server/web/kinecast.js";
import { Peer, Socket, settled, stream, Time } from "./browser.js";

const { layout, samples } = JSON.parse(readFileSync(new URL("compact.json", import.meta.url), "utf-8"));
const bytesOf = (hex) => Uint8Array.from(hex.match(/../g), (byte) => Number.parseInt(byte, 16));
const ONE_PERSON = bytesOf(samples["one person"].cbor);

let peer;
let results;
let repetitions;
let problems;

beforeEach(async () => {
  new Time();
  let socket;
  globalThis.WebSocket = class extends Socket {
    constructor(address) {
      super(address);
      socket = this;
    }
  };
  globalThis.RTCPeerConnection = class extends Peer {
    constructor(configuration) {
      super(configuration);
      peer = this;
    }
  };
  const kinecast = new Kinecast("http://127.0.0.1:8083");
  [results, repetitions, problems] = [[], [], []];
  kinecast.addEventListener("result", ({ detail }) => results.push(detail));
  kinecast.addEventListener("repetition", ({ detail }) => repetitions.push(detail));
  kinecast.addEventListener("problem", ({ detail }) => problems.push(detail));
  kinecast.start(stream());
  socket.onopen();
  await socket.tell("ice-servers", []);
  await socket.tell("answer", { type: "answer", sdp: "", session: { id: "one", resume: "token" } });
  for (const channel of Object.values(peer.channels)) channel.open();
  await settled();
});
afterEach(() => mock.restoreAll());

const tellLayout = () => peer.channels.events.tell({ type: "layout", ...layout });
const tell = (bytes, label = "kinecast") => peer.channels[label].tellBytes(bytes);

for (const [name, { cbor, json }] of Object.entries(samples)) {
  test(`what comes is what JSON would have given: ${name}`, () => {
    tellLayout();
    tell(bytesOf(cbor));
    const [{ latency_ms, ...result }] = results;
    assert.deepEqual(result, JSON.parse(json));
  });
}

test("results before the layout are not read, and those after it are", () => {
  tell(ONE_PERSON);
  assert.deepEqual(results, []);
  tellLayout();
  tell(ONE_PERSON);
  assert.equal(results.length, 1);
  assert.equal(results[0].landmarks[32].name, "right_foot_index");
});

test("a message that is cut off or damaged is passed over", () => {
  tellLayout();
  for (let length = 0; length < ONE_PERSON.length; length++) tell(ONE_PERSON.slice(0, length));
  for (const hex of ["00", "f6", "ff", "1f", "80", "a0", "bbffffffffffffffff", "d82880", "c000", "1c00"]) {
    tell(bytesOf(hex));
  }
  assert.deepEqual([results, problems], [[], []]);
  tell(ONE_PERSON);
  assert.equal(results.length, 1);
});

test("an event is read on its own channel, and counts once", () => {
  tellLayout();
  tell(ONE_PERSON, "events");
  tell(ONE_PERSON);
  assert.deepEqual(
    repetitions.map(({ count, repetition }) => [count, repetition.score]),
    [[1, 91.5]],
  );
  assert.equal(results.length, 1);
});
