// A browser as WHIP or WHEP client. What to do stands in the address; what was done is told by
// POST /report several times a second, and the answer says what is next: "", "stop" or "leave".
"use strict";

const asked = Object.fromEntries(new URLSearchParams(location.search));
const told = { version: navigator.userAgent, state: "new", frames: 0 };
const peer = new RTCPeerConnection();
let resource = null;
let gone = false;

peer.onconnectionstatechange = () => (told.state = peer.connectionState);

function onlyCodec(transceiver, side) {
  const { codecs } = side.getCapabilities("video");
  const wanted = codecs.filter((c) => c.mimeType.toUpperCase() === `VIDEO/${asked.codec}`);
  if (wanted.length === 0) throw new Error(`unsupported: ${asked.codec}`);
  transceiver.setCodecPreferences(wanted);
}

// ---- watching

function watch() {
  const video = Object.assign(document.createElement("video"), { muted: true, autoplay: true });
  document.body.append(video);
  const transceiver = peer.addTransceiver("video", { direction: "recvonly" });
  onlyCodec(transceiver, RTCRtpReceiver);
  peer.ontrack = ({ track }) => (video.srcObject = new MediaStream([track]));
  return async () => {
    const inbound = await statistic("inbound-rtp");
    told.frames = inbound?.framesDecoded ?? 0;
    told.shown = video.getVideoPlaybackQuality().totalVideoFrames;
    told.packets = inbound?.packetsReceived ?? 0;
    if (told.frames > 0 && video.videoWidth > 0) look(video);
  };
}

function look(video) {
  const canvas = document.createElement("canvas");
  const { videoWidth: width, videoHeight: height } = video;
  Object.assign(canvas, { width, height });
  const pen = canvas.getContext("2d");
  pen.drawImage(video, 0, 0);
  const at = (x) => [...pen.getImageData(x, height >> 1, 1, 1).data.slice(0, 3)];
  Object.assign(told, { width, height, left: at(width >> 5), right: at(width - 1 - (width >> 5)) });
}

// ---- publishing

async function publish() {
  // The browser's own pretended camera; a width narrows down which of its modes.
  const stream = await navigator.mediaDevices.getUserMedia({ video: { width: 320 } });
  const transceiver = peer.addTransceiver(stream.getTracks()[0], {
    direction: "sendonly",
    streams: [stream],
  });
  onlyCodec(transceiver, RTCRtpSender);
  // Without a track Firefox would go on with a black picture each second.
  stop = () => {
    const parameters = transceiver.sender.getParameters();
    for (const encoding of parameters.encodings) encoding.active = false;
    return transceiver.sender.setParameters(parameters);
  };
  return async () => {
    const outbound = await statistic("outbound-rtp");
    told.frames = outbound?.framesSent ?? told.frames;
    told.packets = outbound?.packetsSent ?? told.packets;
  };
}

let stop = async () => {};

// ---- both

async function statistic(type) {
  for (const entry of (await peer.getStats()).values()) {
    if (entry.type === type && entry.kind === "video") {
      const codec = (await peer.getStats()).get(entry.codecId);
      if (codec) told.codec = codec.mimeType.split("/")[1];
      return entry;
    }
  }
  return null;
}

async function connect() {
  await peer.setLocalDescription();
  if (asked.trickle) return connectTrickling();
  await until(() => peer.iceGatheringState === "complete", "icegatheringstatechange");
  return answered(peer.localDescription.sdp);
}

// The offer before there is any candidate; those that were found go after it.
async function connectTrickling() {
  const found = [];
  peer.onicecandidate = ({ candidate }) => candidate?.candidate && found.push(candidate);
  const bare = peer.localDescription.sdp.replace(/^a=candidate:.*\r\n/gm, "");
  await answered(bare);
  await until(() => peer.iceGatheringState === "complete", "icegatheringstatechange");
  const { sdpMid, usernameFragment } = found[0];
  await resource.trickle(
    sdpMid,
    usernameFragment,
    found.map((c) => c.candidate),
  );
  told.trickled = found.length;
}

async function answered(sdp) {
  const got = await exchange(asked.url, asked.token, sdp);
  resource = got.resource;
  told.session = resource.session;
  await peer.setRemoteDescription({ type: "answer", sdp: got.answer });
}

function until(condition, event) {
  return new Promise((resolve) => {
    const check = () => condition() && resolve();
    peer.addEventListener(event, check);
    check();
  });
}

async function report() {
  const answer = await fetch("/report", { method: "POST", body: JSON.stringify(told) });
  return answer.text();
}

async function run() {
  const count = await (asked.role === "watch" ? watch() : publish());
  await connect();
  while (!gone) {
    await count();
    const word = await report();
    if (word === "stop") {
      await stop();
      await count();
      told.stopped = true;
    }
    if (word === "leave") {
      gone = true;
      await resource.delete();
      peer.close();
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  told.done = true;
  await report();
}

run().catch(async (error) => {
  told.error = String(error.message ?? error);
  await report();
});
