// werift: WebRTC in TypeScript. It neither encodes nor decodes: what it watches is counted by the
// RTP marker that ends a frame, what it publishes are the VP8 frames of an IVF file.
"use strict";

const fs = require("node:fs");
const werift = require("werift");
const { talk } = require("./talk.js");

const FPS = 25;
const CLOCK_HZ = 90000;
const PAYLOAD_BYTES = 1100;

const CODECS = {
  VP8: () => werift.useVP8(),
  H264: () => werift.useH264(),
};

talk(async (task, told) => {
  const manifest = require.resolve("werift").replace(/lib\/webrtc\/.*/, "package.json");
  told.version = `werift ${JSON.parse(fs.readFileSync(manifest)).version}`;
  const peer = new werift.RTCPeerConnection({
    iceServers: [],
    iceAdditionalHostAddresses: ["127.0.0.1"],
    codecs: { video: [CODECS[task.codec]()] },
  });
  told.codec = task.codec;
  const begin = { watch, publish }[task.role];
  return { peer, ...begin(peer, task, told) };
});

function watch(peer, task, told) {
  peer.addTransceiver("video", { direction: "recvonly" });
  let timestamp = null;
  told.packets = 0;
  peer.onTrack.subscribe((track) => {
    track.onReceiveRtp.subscribe(({ header, payload }) => {
      if (payload.length === 0) return;
      told.packets += 1;
      if (header.marker && header.timestamp !== timestamp) {
        told.frames += 1;
        timestamp = header.timestamp;
      }
      if (task.codec === "VP8") readSize(payload, told);
    });
  });
  // It asks for a key frame by itself only after losses.
  return { stop: () => {} };
}

// A key frame's first packet has its size (RFC 7741, section 4.3; RFC 6386, section 9.1).
function readSize(payload, told) {
  const { isKeyframe, payload: frame } = werift.Vp8RtpPayload.deSerialize(payload);
  if (!isKeyframe || frame.length < 10 || frame.readUIntBE(3, 3) !== 0x9d012a) return;
  told.width = frame.readUInt16LE(6) & 0x3fff;
  told.height = frame.readUInt16LE(8) & 0x3fff;
}

function publish(peer, task, told) {
  if (task.codec !== "VP8") throw new Error("unsupported: it has no encoder; VP8 comes from a file");
  const track = new werift.MediaStreamTrack({ kind: "video" });
  peer.addTransceiver(track, { direction: "sendonly" });
  const frames = readIvf(task.clip);
  let sequenceNumber = 1;
  const feeding = setInterval(() => {
    if (peer.connectionState !== "connected") return;
    const frame = frames[told.frames % frames.length];
    for (let at = 0; at < frame.length; at += PAYLOAD_BYTES) {
      const header = new werift.RtpHeader({
        payloadType: 96,
        sequenceNumber: sequenceNumber++ & 0xffff,
        timestamp: (told.frames * CLOCK_HZ) / FPS,
        marker: at + PAYLOAD_BYTES >= frame.length,
      });
      // The payload descriptor's S bit: a partition begins (RFC 7741, section 4.2).
      const descriptor = Buffer.from([at === 0 ? 0x10 : 0]);
      const payload = Buffer.concat([descriptor, frame.subarray(at, at + PAYLOAD_BYTES)]);
      track.writeRtp(new werift.RtpPacket(header, payload));
    }
    told.frames += 1;
  }, 1000 / FPS);
  return { stop: () => clearInterval(feeding) };
}

function readIvf(path) {
  const file = fs.readFileSync(path);
  const frames = [];
  for (let at = file.readUInt16LE(6); at < file.length; ) {
    const size = file.readUInt32LE(at);
    frames.push(file.subarray(at + 12, at + 12 + size));
    at += 12 + size;
  }
  return frames;
}
