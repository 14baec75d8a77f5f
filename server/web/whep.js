// Watches by WHEP (draft-ietf-wish-whep), and goes on by itself when the connection is lost.

import { problemOf } from "./problems.js";

const PAUSES_S = [0.5, 1, 2, 4, 8, 15]; // before each next attempt; the last one stays
const WITHIN_MS = 15_000; // for the first picture's way
const LOST_AFTER_MS = 3000; // ICE says `disconnected` for a moment of bad radio, too
const FOR_GOOD = [400, 401, 403, 404, 405, 406, 415, 422, "unsupported"];
const LINK = /<([^>]+)>;\s*rel="ice-server"(?:;\s*username="([^"]*)";\s*credential="([^"]*)")?/g;

/**
 * Watch.
 * @param {string} url of the WHEP endpoint
 * @param {() => string} token asked for each attempt; "" for none
 * @param {(state: {code: string, in_s?: number, problem?: object}) => void} onstate `connecting`,
 *   `live`, `reconnecting` (`in_s`, `problem`), or, for good, `refused` (`problem`: `{code, message}`)
 * @returns {{stream: MediaStream, stop: (how?: {over: boolean}) => void}} one stream for all
 *   attempts: its track is exchanged. `stop` leaves; if what is watched is `over`, the server need
 *   not be told. Nothing is said after it.
 */
export function watch(url, token, onstate = () => {}) {
  const stream = new MediaStream();
  let attempt = null;
  let timer;
  let tries = 0;

  async function begin() {
    onstate({ code: "connecting" });
    const mine = (attempt = new Attempt(url, token(), stream));
    try {
      await mine.connected;
      if (mine !== attempt) return;
      tries = 0;
      onstate({ code: "live" });
      await mine.lost;
    } catch (problem) {
      mine.leave(false);
      if (mine === attempt) pause(problem);
    }
  }

  function pause(problem) {
    if (FOR_GOOD.includes(problem.code)) return onstate({ code: "refused", problem });
    const in_s = PAUSES_S[Math.min(tries++, PAUSES_S.length - 1)];
    onstate({ code: "reconnecting", in_s, problem });
    timer = setTimeout(begin, in_s * 1000);
  }

  begin();
  return {
    stream,
    stop({ over = false } = {}) {
      const last = attempt;
      attempt = null;
      clearTimeout(timer);
      last?.leave(!over);
    },
  };
}

/** One connection. `connected` and `lost` reject with `{code, message}`. */
class Attempt {
  #url;
  #headers;
  #peer;
  #resource = null; // {href, etag}, once answered
  #left = false;
  #waiting = []; // candidates that there is nobody to tell yet
  #lose;

  constructor(url, token, stream) {
    this.#url = url;
    this.#headers = token ? { Authorization: `Bearer ${token}` } : {};
    this.lost = new Promise((_, reject) => (this.#lose = (code, message) => reject({ code, message })));
    // It is listened to only after `connected`.
    this.lost.catch(() => {});
    this.connected = Promise.race([this.#connect(stream), this.lost]);
    setTimeout(() => this.#peer?.connectionState === "connected" || this.#lose("no_media"), WITHIN_MS);
  }

  async leave(tell) {
    if (this.#left) return;
    this.#left = true;
    const { href } = this.#resource ?? {};
    // First this: who hangs up first is not known any more.
    if (tell && href) await this.#ask(href, { method: "DELETE", keepalive: true }).catch(() => {});
    this.#peer?.close();
  }

  async #connect(stream) {
    if (!globalThis.RTCPeerConnection) throw { code: "unsupported" };
    const described = await this.#ask(this.#url, { method: "OPTIONS" });
    if (this.#left) throw { code: "stopped" };
    const peer = (this.#peer = new RTCPeerConnection({ iceServers: iceServers(described) }));
    peer.addTransceiver("video", { direction: "recvonly" });
    peer.ontrack = ({ track }) => {
      for (const old of stream.getTracks()) stream.removeTrack(old);
      stream.addTrack(track);
    };
    peer.onicecandidate = ({ candidate }) => {
      if (candidate?.candidate) this.#waiting.push(`a=${candidate.candidate}`);
      this.#trickle();
    };
    const connected = new Promise((resolve) => {
      let patience;
      peer.onconnectionstatechange = () => {
        const state = peer.connectionState;
        clearTimeout(patience);
        if (state === "connected") resolve();
        else if (state === "failed") this.#lose(this.#resource ? "no_media" : "unreachable");
        else if (state === "closed") this.#lose("unreachable");
        else if (state === "disconnected")
          patience = setTimeout(() => this.#lose("unreachable"), LOST_AFTER_MS);
      };
    });
    await peer.setLocalDescription();
    await this.#offer();
    await connected;
  }

  async #offer() {
    const body = this.#peer.localDescription.sdp;
    const headers = { "Content-Type": "application/sdp" };
    const answer = await this.#ask(this.#url, { method: "POST", headers, body });
    this.#waiting = this.#waiting.filter((line) => !body.includes(line));
    const href = new URL(answer.headers.get("Location"), answer.url).href;
    this.#resource = { href, etag: answer.headers.get("ETag") };
    if (this.#left) {
      this.#left = false;
      return this.leave(true);
    }
    await this.#peer.setRemoteDescription({ type: "answer", sdp: await answer.text() });
    await this.#trickle();
  }

  // RFC 8840: the user name and the section, then the candidates.
  async #trickle() {
    if (!this.#resource || this.#left || !this.#waiting.length) return;
    const { sdp } = this.#peer.localDescription;
    const named = ["ice-ufrag", "ice-pwd"].map((name) =>
      sdp.match(new RegExp(`^a=${name}:.*`, "m"))[0].trim(),
    );
    const lines = [...named, "m=video 9 UDP/TLS/RTP/SAVPF 0", "a=mid:0", ...this.#waiting.splice(0), ""];
    const { href, etag } = this.#resource;
    // One that is lost here costs a way that may not be needed.
    await this.#ask(href, {
      method: "PATCH",
      headers: { "Content-Type": "application/trickle-ice-sdpfrag", "If-Match": etag },
      body: lines.join("\r\n"),
    }).catch(() => {});
  }

  async #ask(url, options) {
    const headers = { ...this.#headers, ...options.headers };
    const response = await fetch(url, { ...options, headers }).catch(() => {
      throw { code: "unreachable" };
    });
    if (!response.ok) throw await problemOf(response);
    return response;
  }
}

function iceServers(response) {
  return Array.from(
    (response.headers.get("Link") ?? "").matchAll(LINK),
    ([, urls, username, credential]) => ({
      urls,
      ...(username === undefined ? {} : { username, credential }),
    }),
  );
}
