// A page of the exercise scoring API: the camera's pictures as base64 in JSON, thirty a second.
const server = new URLSearchParams(location.search).get("server");
const ws = new WebSocket(`${server}/api/ai/realtime`);

ws.onmessage = (event) => {
  const data = JSON.parse(event.data);
  if (data.type === "welcome") console.log("welcome", data.target_latency_ms);
  if (data.type === "error") console.error(data.message);
  if (data.type === "analysis") {
    const { score, exercise, total_latency_ms: latency } = data;
    console.log("analysis", score, exercise, latency, data.feedback.join(", "));
  }
};
ws.onclose = (event) => console.log("closed", event.code, event.reason);

const video = document.getElementById("video");
const canvas = document.getElementById("canvas");
const pen = canvas.getContext("2d");
video.srcObject = await navigator.mediaDevices.getUserMedia({ video: { width: 640, height: 480 } });

function captureAndSend() {
  pen.drawImage(video, 0, 0, canvas.width, canvas.height);
  canvas.toBlob(
    (blob) => {
      const reader = new FileReader();
      reader.onload = () => {
        const frame_data = reader.result.split(",")[1];
        ws.send(JSON.stringify({ frame_data, timestamp: Date.now() }));
      };
      reader.readAsDataURL(blob);
    },
    "image/jpeg",
    0.8,
  );
  setTimeout(captureAndSend, 33);
}

if (ws.readyState === WebSocket.CONNECTING) ws.addEventListener("open", captureAndSend);
else captureAndSend();
