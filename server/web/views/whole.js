// A clip looked through at once, by the server: as fast as it can, not as it plays.

import { saveAs } from "../dom.js";
import { problemOf } from "../problems.js";

/**
 * @param {object} app of router.js
 * @param {File} clip
 * @param {{embedding: string}} person
 * @param {number} threshold
 * @param {{signal: AbortSignal, progress: (part: number) => void, match: (match: object) => void}} on
 *   `match` as POST /find tells of one
 * @throws {{code: number|string, message: string}} what `app.explain` has words for
 */
export async function lookThrough(app, clip, { embedding }, threshold, { signal, ...on }) {
  const body = new FormData();
  body.append("person", JSON.stringify({ embedding }));
  body.append("threshold", threshold);
  // Last: the server reads what it is to look for first.
  body.append("file", clip);
  const headers = { Accept: "text/event-stream" };
  const lost = (why) => {
    // The browser says what became of the connection to nobody else.
    if (!signal.aborted) console.warn(why);
    throw { code: "unreachable" };
  };
  const response = await app.fetch("/find", { method: "POST", body, headers, signal }).catch(lost);
  if (!response.ok) throw await problemOf(response);
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (;;) {
    const { value, done } = await reader.read().catch(lost);
    if (done) lost("the answer has no end");
    const events = (text + value).split("\n\n");
    text = events.pop();
    for (const event of events) {
      const [, name, data] = event.match(/^event: (.*)\ndata: (.*)$/);
      const told = JSON.parse(data);
      if (name === "progress") on.progress(told.progress);
      if (name === "match") on.match(told);
      if (name === "error") throw { code: "other", message: told.detail };
      if (name === "result") {
        for (const match of told.matches) on.match(match);
        return;
      }
    }
  }
}

// Before and after a sighting.
const AROUND_S = 1;

/**
 * Have a part of a clip downloaded; the server cuts it, and encodes nothing anew.
 * @param {object} app of router.js
 * @param {File} clip
 * @param {number} from_s of the clip
 * @param {number} to_s
 */
export async function cutOut(app, clip, from_s, to_s) {
  const body = new FormData();
  body.append("from", Math.max(0, from_s - AROUND_S));
  body.append("to", to_s + AROUND_S);
  body.append("file", clip);
  app.notice(null);
  try {
    const response = await app.fetch("/clip", { method: "POST", body }).catch(() => {
      throw { code: "unreachable" };
    });
    if (!response.ok) throw await problemOf(response);
    const [, name] = response.headers.get("Content-Disposition").match(/"(.*)"/);
    saveAs(name, await response.blob());
  } catch (problem) {
    const told = problem.code === 422 ? { ...problem, code: "other" } : problem;
    app.notice(app.explain(told), { kind: "problem" });
  }
}

/** Small pictures of a clip, one after the other. @param {string} address of the clip */
export function clipPictures(address) {
  const video = document.createElement("video");
  // Safari on a phone loads a picture only where it may play within the page, and is asked for one.
  Object.assign(video, { src: `${address}#t=0.001`, muted: true, playsInline: true, preload: "auto" });
  const ready = new Promise((resolve) => {
    video.onloadeddata = () => resolve(true);
    video.onerror = () => resolve(false);
  });
  let last = ready;
  async function take(at_s) {
    if (!(await ready)) return null;
    const shown = new Promise((resolve) => {
      video.onseeked = resolve;
    });
    video.currentTime = at_s;
    await shown;
    return pictureOf(video, video.videoWidth, video.videoHeight);
  }
  return {
    lasts: ready.then(() => video.duration),
    of(at_s) {
      last = last.then(() => take(at_s));
      return last;
    },
  };
}

/** The address of a small picture of what an element shows. @returns {Promise<?string>} */
export function pictureOf(element, width, height) {
  if (!width) return Promise.resolve(null);
  const canvas = Object.assign(document.createElement("canvas"), {
    width: 96,
    height: Math.round((96 * height) / width),
  });
  canvas.getContext("2d").drawImage(element, 0, 0, canvas.width, canvas.height);
  return new Promise((resolve) => {
    canvas.toBlob((blob) => resolve(blob && URL.createObjectURL(blob)), "image/jpeg");
  });
}
