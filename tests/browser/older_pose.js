// A page of the pose API: the camera's pictures as JPEG, ten a second.
"use strict";

const server = new URLSearchParams(location.search).get("server");
const ws = new WebSocket(`${server}/ws`);

ws.onmessage = (event) => {
  const data = JSON.parse(event.data);
  console.log("pose", data);
};

async function startAndSend() {
  const stream = await navigator.mediaDevices.getUserMedia({ video: true });
  const video = document.createElement("video");
  video.autoplay = true;
  video.srcObject = stream;
  await new Promise((resolve) => (video.onloadedmetadata = resolve));
  const canvas = document.createElement("canvas");
  const pen = canvas.getContext("2d");
  canvas.width = video.videoWidth;
  canvas.height = video.videoHeight;
  setInterval(() => {
    pen.drawImage(video, 0, 0, canvas.width, canvas.height);
    canvas.toBlob(async (blob) => blob && ws.send(await blob.arrayBuffer()), "image/jpeg", 0.8);
  }, 100);
}

startAndSend().catch(console.error);

// One picture in a form, as a page that uploads a file does.
window.post = async (picture) => {
  const form = new FormData();
  form.append("image", picture, "picture.png");
  const response = await fetch(`${server.replace("ws", "http")}/pose`, { method: "POST", body: form });
  return { status: response.status, answer: await response.json() };
};
