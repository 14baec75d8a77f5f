// Where the video comes from: the camera, or a file that is played.

/** A problem with a `code` that problems.js has words for. */
export const problem = (code) => Object.assign(new Error(code), { code });

const CODES = {
  NotAllowedError: "camera_refused",
  SecurityError: "camera_refused",
  NotFoundError: "no_camera",
  OverconstrainedError: "no_camera",
};

/**
 * Open the camera.
 * @param {MediaTrackConstraints} video
 * @returns {Promise<MediaStream>} rejected with the code `insecure`, `camera_refused`, `no_camera`
 *   or `camera_busy`
 */
export async function openCamera(video) {
  if (!isSecureContext || !navigator.mediaDevices) throw problem("insecure");
  try {
    return await navigator.mediaDevices.getUserMedia({ video });
  } catch (error) {
    throw problem(CODES[error.name] ?? "camera_busy");
  }
}

/**
 * Play a video and give its pictures as a stream, whose track ends with it.
 * @param {string} address of the video, a blob's too
 * @param {number} from_s where to begin
 * @returns {Promise<MediaStream>} rejected with the code `bad_file` or `unsupported`
 */
export async function playFile(address, from_s = 0) {
  const video = Object.assign(document.createElement("video"), { muted: true, playsInline: true });
  const capture = video.captureStream ?? video.mozCaptureStream;
  if (!capture) throw problem("unsupported");
  video.src = address;
  try {
    await new Promise((resolve, reject) => ([video.onloadeddata, video.onerror] = [resolve, reject]));
    if (from_s) video.currentTime = from_s;
    const stream = capture.call(video);
    await video.play();
    // Firefox adds the tracks when it plays.
    const [track] = stream.getVideoTracks();
    if (!track) throw problem("bad_file");
    // A track that a page stops says nothing; whoever sends it has to know.
    video.onended = () => {
      track.stop();
      track.dispatchEvent(new Event("ended"));
    };
    stream.video = video;
    return stream;
  } catch {
    throw problem("bad_file");
  }
}

/** Let go of the camera, or of the file. */
export function release(stream) {
  stream?.video?.pause();
  stream?.getTracks().forEach((track) => track.stop());
}
