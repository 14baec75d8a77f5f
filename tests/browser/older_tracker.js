// A page of the person search API: a picture of someone goes up, then the camera's frames, one a
// second, while the server is asked to watch a camera of its own.
"use strict";

const server = new URLSearchParams(location.search).get("server");
const http = server.replace("ws", "http");
const said = [];
let socket = null;
let timer = null;

async function camera() {
  const video = document.getElementById("video");
  video.srcObject = await navigator.mediaDevices.getUserMedia({ video: true });
  await video.play();
  return video;
}

function asBase64(video) {
  const canvas = document.createElement("canvas");
  canvas.width = video.videoWidth;
  canvas.height = video.videoHeight;
  canvas.getContext("2d").drawImage(video, 0, 0);
  return canvas.toDataURL("image/jpeg", 0.8).split(",")[1];
}

async function upload(image) {
  const response = await fetch(`${http}/upload-embedding`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ image }),
  });
  return { status: response.status, answer: await response.json() };
}

// What the older page makes of a message.
function handle(data) {
  if (data.type === "matches") {
    const { width, height, frame_number, processing_time } = data.frame_info;
    const boxes = data.matches.map(({ bbox: [x1, y1, x2, y2], distance }) => ({
      box: [x1 / width, y1 / height, x2 / width, y2 / height],
      label: distance.toFixed(3),
    }));
    said.push({ matches: boxes, frame: frame_number, took: processing_time || "unknown" });
  } else if (data.type === "status") {
    said.push({ status: data.status, message: data.message });
  } else {
    said.push({ other: data.type, message: data.message });
  }
}

window.track = async () => {
  const video = await camera();
  const { status, answer } = await upload(asBase64(video));
  if (status !== 200) throw new Error(JSON.stringify(answer));
  const person_embed = answer.embedding;
  socket = new WebSocket(`${server}/video-stream/webcam_session_${Date.now()}`);
  socket.onmessage = (event) => handle(JSON.parse(event.data));
  await new Promise((resolve, reject) => {
    socket.onopen = resolve;
    socket.onerror = reject;
  });
  const start = { type: "start_tracking", person_embed, video_source: 0, fps_limit: 5 };
  socket.send(JSON.stringify(start));
  timer = setInterval(() => {
    const frame = asBase64(video);
    socket.send(JSON.stringify({ type: "single_frame", frame, person_embed }));
  }, 500);
  return answer;
};

window.stop = () => {
  clearInterval(timer);
  socket.send(JSON.stringify({ type: "ping" }));
  socket.send(JSON.stringify({ type: "stop_tracking" }));
};
