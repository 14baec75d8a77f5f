// Whose camera is shown: this server's, or that of another one, which a page may talk to only if it
// was opened with its origin in the address (?server=…, for the page's policy), and if that server
// allows pages of this one (CORS).

import { ask } from "./parts.js";

const KEPT = "kinecast.camera";
// Which server is shown is the same in all tabs, so a token says whose it is.
const tokenOf = (origin) => `kinecast.camera.token ${origin}`;

// What the server takes as one, too: it writes it into the page's policy.
const HOST = /^(\[[0-9a-f:.]+\]|[a-z0-9._-]+)$/;

/** The other server's address, or "". */
export const keptAddress = () => localStorage.getItem(KEPT) ?? "";

/**
 * The server whose camera is to be shown; null if the page is being opened anew for it. An address
 * that is none is forgotten, so that it does not lead there for ever.
 * @param {object} app of router.js
 */
export function cameraServer(app) {
  const kept = keptAddress();
  if (!originOf(kept)) localStorage.removeItem(KEPT);
  if (!originOf(kept)) return new CameraServer(app, "", "");
  if (new URLSearchParams(location.search).get("server") !== kept) {
    location.replace(pageFor(kept));
    return null;
  }
  return new CameraServer(app, kept, sessionStorage.getItem(tokenOf(kept)) ?? "");
}

/**
 * Show the camera of another server from now on; its token may be in the address (?token=…).
 * @param {string} text an address; "" is this server
 * @returns {boolean} whether it is an address
 */
export function connectTo(text) {
  const address = text.trim();
  const origin = address ? originOf(address) : location.origin;
  if (!origin) return false;
  const other = origin === location.origin ? "" : origin;
  localStorage.setItem(KEPT, other);
  sessionStorage.setItem(tokenOf(other), urlOf(address)?.searchParams.get("token") ?? "");
  const page = pageFor(other);
  if (page === location.pathname + location.search + location.hash) location.reload();
  else location.assign(page);
  return true;
}

/** The origin of an address as people write it, `raspberrypi:8000` say; null if it is none. */
export function originOf(address) {
  const url = urlOf(address);
  // Browsers differ in what they make of blanks and signs in a host.
  if (!url || /\s/.test(address) || !/^https?:$/.test(url.protocol) || !HOST.test(url.hostname)) return null;
  return url.origin;
}

function urlOf(address) {
  try {
    return new URL(address.includes("://") ? address : `http://${address}`);
  } catch {
    return null;
  }
}

const pageFor = (origin) => `/${origin && `?${new URLSearchParams({ server: origin })}`}#camera`;

class CameraServer {
  #app;
  #token;

  constructor(app, origin, token) {
    this.#app = app;
    this.origin = origin || location.origin;
    this.ours = !origin;
    this.#token = token;
  }

  /** Ours is nobody else's business. */
  get token() {
    return this.ours ? this.#app.token : this.#token;
  }

  /** An address without the token. */
  plain(path) {
    return this.origin + path;
  }

  /** An address for <img>, <video> and links. */
  url(path) {
    if (this.ours) return this.#app.url(path);
    return this.plain(path) + (this.#token && `?token=${encodeURIComponent(this.#token)}`);
  }

  fetch = (path, options = {}) => {
    if (this.ours) return this.#app.fetch(path, options);
    const headers = this.#token ? { Authorization: `Bearer ${this.#token}` } : {};
    return fetch(this.plain(path), { ...options, headers });
  };

  /** See `ask` of parts.js. */
  json = (path, options) => ask(this.fetch, path, options);

  explain({ code, message }) {
    const { t } = this.#app;
    const key = `camera.problem.${this.ours ? "" : "other."}${code}`;
    return (
      t(key, { message, server: this.origin, page: location.origin }, "") ||
      this.#app.explain({ code, message })
    );
  }
}
