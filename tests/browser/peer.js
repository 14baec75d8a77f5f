// What a web page does to be a Kinecast client. The tests put it into pages of the server's own
// origin, call connect() and look at what it collected.
"use strict";

const client = {
  states: [], // connection states, in their order
  candidates: [], // candidates sent, the empty one last
  session: null, // what the answer says of it
  results: [],
  notices: [], // messages on the data channel that are no results
};
window.client = client;

const sources = {
  camera: ({ audio }) => navigator.mediaDevices.getUserMedia({ video: { width: 640, height: 480 }, audio }),

  // Needs no permission.
  canvas: () => {
    const canvas = Object.assign(document.createElement("canvas"), { width: 320, height: 240 });
    const pen = canvas.getContext("2d");
    let step = 0;
    setInterval(() => {
      pen.fillStyle = "rgb(200 60 30)";
      pen.fillRect(0, 0, 320, 240);
      pen.fillStyle = "white";
      pen.fillRect((step += 4) % 300, 0, 20, 20);
    }, 1000 / 30);
    return canvas.captureStream(30);
  },
};

const doors = {
  // The offer at once, candidates as they are found.
  websocket: async (peer, options) => {
    const socket = new WebSocket(`${location.origin.replace("http", "ws")}/signaling`);
    const send = (type, data) => socket.send(JSON.stringify({ type, data }));
    await new Promise((resolve, reject) => {
      socket.onopen = resolve;
      socket.onerror = () => reject(new Error("no WebSocket"));
    });
    const answered = next(socket, "answer");
    let taken = 0;
    const allTaken = next(socket, "success", () => {
      taken += 1;
      return client.candidates.at(-1) === "" && taken === client.candidates.length;
    });
    peer.onicecandidate = ({ candidate }) => {
      const data = candidate ? candidate.toJSON() : { candidate: "" };
      if (options.disguise) data.candidate = disguise(data.candidate);
      client.candidates.push(data.candidate);
      send("ice-candidate", data);
    };
    await peer.setLocalDescription();
    send("offer", offerOf(peer, options));
    // When the server is far, its answer arrives after the last candidate was sent.
    if (options.far) await allTaken;
    return answered;
  },

  // The offer when all candidates are in it.
  http: async (peer, options) => {
    const complete = new Promise((resolve) => {
      peer.onicegatheringstatechange = () => peer.iceGatheringState === "complete" && resolve();
    });
    await peer.setLocalDescription();
    await complete;
    const offer = offerOf(peer, options);
    client.candidates = offer.sdp.match(/candidate:.*/g);
    const response = await fetch("/offer", { method: "POST", body: JSON.stringify(offer) });
    const answer = await response.json();
    if (!response.ok) throw new Error(answer.message);
    return answer;
  },
};

// The data of the socket's next message of this type.
function next(socket, wanted, condition = () => true) {
  return new Promise((resolve, reject) => {
    socket.addEventListener("message", (event) => {
      const { type, data } = JSON.parse(event.data);
      if (type === wanted && condition()) resolve(data);
      if (type === "error") reject(new Error(data.message));
    });
  });
}

function offerOf(peer, { analyzers, resume, ...options }) {
  const { type, sdp } = peer.localDescription;
  return { type, sdp: options.disguise ? disguise(sdp) : sdp, analyzers, resume };
}

// What Chromium and Safari do to the host candidates of a page that may not use the camera
// (draft-ietf-mmusic-mdns-ice-candidates): names of one use stand for the addresses.
function disguise(text) {
  return text
    .replace(/(candidate:\S+ \d+ \S+ \d+ )\S+/g, (_, before) => `${before}${crypto.randomUUID()}.local`)
    .replace(/^c=IN IP[46] .*$/gm, "c=IN IP4 0.0.0.0");
}

function preferOnly(codec, transceiver) {
  const { codecs } = RTCRtpSender.getCapabilities("video");
  transceiver.setCodecPreferences(codecs.filter((c) => c.mimeType === `video/${codec}`));
}

window.connect = async ({ door = "websocket", source = "camera", codec, ...options } = {}) => {
  const peer = (client.peer = new RTCPeerConnection());
  peer.onconnectionstatechange = () => client.states.push(peer.connectionState);
  const stream = await sources[source](options);
  for (const track of stream.getTracks()) peer.addTrack(track, stream);
  if (codec) preferOnly(codec, peer.getTransceivers()[0]);
  client.channel = peer.createDataChannel("data");
  client.channel.onmessage = (event) => {
    const message = JSON.parse(event.data);
    (message.type ? client.notices : client.results).push(message);
  };
  const { type, sdp, session } = await doors[door](peer, options);
  client.session = session;
  await peer.setRemoteDescription({ type, sdp });
};
