// @roamhq/wrtc: libwebrtc for Node, with raw pictures going in and coming out.
"use strict";

const wrtc = require("@roamhq/wrtc");
const { talk } = require("./talk.js");
const { bars, colourAt } = require("./pictures.js");

const { RTCVideoSink, RTCVideoSource } = wrtc.nonstandard;
const FPS = 25;

talk(async (task, told) => {
  told.version = `@roamhq/wrtc ${require("@roamhq/wrtc/package.json").version}`;
  const peer = new wrtc.RTCPeerConnection({ iceServers: [] });
  const begin = { watch, publish }[task.role];
  return { peer, ...begin(peer, task, told) };
});

function watch(peer, task, told) {
  const transceiver = peer.addTransceiver("video", { direction: "recvonly" });
  onlyCodec(transceiver, wrtc.RTCRtpReceiver, task.codec);
  told.codec = task.codec;
  const sink = new RTCVideoSink(transceiver.receiver.track);
  sink.onframe = ({ frame }) => {
    told.frames += 1;
    const { width, height } = frame;
    const at = (x) => colourAt(frame, x, height >> 1);
    Object.assign(told, { width, height, left: at(width >> 5), right: at(width - 1 - (width >> 5)) });
  };
  return { stop: () => {} };
}

function publish(peer, task, told) {
  const source = new RTCVideoSource();
  const track = source.createTrack();
  const transceiver = peer.addTransceiver(track, { direction: "sendonly" });
  onlyCodec(transceiver, wrtc.RTCRtpSender, task.codec);
  told.codec = task.codec;
  const picture = bars(320, 180);
  const feeding = setInterval(() => source.onFrame(picture), 1000 / FPS);
  const count = async () => {
    for (const entry of (await peer.getStats()).values()) {
      if (entry.type === "outbound-rtp") told.frames = entry.framesSent ?? entry.framesEncoded;
    }
  };
  return { count, stop: () => clearInterval(feeding) };
}

function onlyCodec(transceiver, side, codec) {
  const { codecs } = side.getCapabilities("video");
  const wanted = codecs.filter((known) => known.mimeType.toUpperCase() === `VIDEO/${codec}`);
  if (wanted.length === 0) throw new Error(`unsupported: ${codec}`);
  transceiver.setCodecPreferences(wanted);
}
