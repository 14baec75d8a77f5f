// The page's shell: texts, the token, and `app`, what views have of it (router.js says what a view is):
//
//     t(key, values, fallback)   the text of a key of texts/LANGUAGE.js
//     more(part)                 loads the texts of texts/PART; a promise
//     language                   "en" or "de", for Intl
//     token                      the bearer token, or ""
//     url(path)                  the address with ?token=, for <img>, <video>, EventSource
//     socketUrl(path)            the same for a WebSocket
//     fetch(path, options)       fetch with the token in its header; a 401 asks for another one
//     client(settings)           a Kinecast (kinecast.js) for this server, with the token
//     announce(text, {now})      said by screen readers; `now` interrupts
//     notice(text, {kind, action: [label, function]})   one line below the header: kind "problem"
//                                or "info"; null takes it away
//     badge(text, meaning)       at the view's tab, while it is not looked at; "" takes it away
//     cameraInUse()              whether another view has the camera open
//     explain(problem)           the text for a problem {code, message, in_s…}: see problems.js
//     askForToken()              a promise of whether there is a new one
//
// What is not in the texts file is no text of ours. Colours, spaces and sizes are app.css's tokens.

import { keepLanguage, languages, loadPart, loadTexts, preferredLanguage } from "./i18n.js";
import { Kinecast } from "./kinecast.js";
import { explain } from "./problems.js";
import { Router } from "./router.js";

const VIEWS = ["train", "find", "camera", "sessions", "history"];
const TOKEN = "kinecast.token";
const $ = (selector) => document.querySelector(selector);

const app = {
  t: String,
  language: "en",

  more: (part) => loadPart(part, app.language),

  get token() {
    return sessionStorage.getItem(TOKEN) ?? "";
  },

  url(path) {
    const url = new URL(path, location.origin);
    if (app.token) url.searchParams.set("token", app.token);
    return url.href;
  },

  socketUrl: (path) => app.url(path).replace(/^http/, "ws"),

  async fetch(path, options = {}) {
    const send = () => {
      const headers = new Headers(options.headers);
      if (app.token) headers.set("Authorization", `Bearer ${app.token}`);
      return fetch(path, { ...options, headers });
    };
    const response = await send();
    return response.status === 401 && (await app.askForToken()) ? send() : response;
  },

  cameraInUse: () => router.cameraInUse,

  client: (settings = {}) => new Kinecast(location.origin, { ...settings, token: app.token }),

  announce(text, { now = false } = {}) {
    const region = $(now ? "#assertive" : "#polite");
    // The same text again is news only to a region that has changed.
    region.textContent = region.textContent === text ? `${text}\u00a0` : text;
  },

  notice(text, { kind = "info", action = null } = {}) {
    const line = $("#notice");
    line.hidden = !text;
    line.className = `notice ${kind}`;
    line.textContent = text ?? "";
    if (!text || !action) return;
    const button = document.createElement("button");
    [button.textContent, button.onclick] = action;
    line.append(button);
  },

  explain: (problem) => explain(app.t, problem),

  askForToken() {
    asking ??= new Promise((resolve) => {
      const dialog = $("#ask");
      const input = dialog.querySelector("input");
      input.value = "";
      dialog.returnValue = "";
      dialog.querySelector("[type=button]").onclick = () => dialog.close();
      dialog.onclose = () => {
        asking = null;
        const token = dialog.returnValue === "ok" ? input.value.trim() : "";
        if (token) sessionStorage.setItem(TOKEN, token);
        resolve(Boolean(token));
      };
      dialog.showModal();
    });
    return asking;
  },
};
let asking = null;

// ---- views

const router = new Router(app, document.querySelector("main"));
let linked = null;

async function show() {
  takeToken();
  // A link with #plan=… is for Train.
  const view = location.hash.startsWith("#plan=") ? "#train" : location.hash;
  const name = VIEWS.find((each) => view === `#${each}`);
  // Other fragments, #main of the skip link say, are places in the view.
  if (name || !router.shown) await router.open(name ?? VIEWS[0]);
  tellOfLink();
}

// A link with #token=… is how somebody is let in; the token does not stay in the address. Anybody can
// send such a link, so whose it is, is said, and one that is there already is not replaced in silence:
// the video would go to whoever sent it.
function takeToken() {
  const found = location.hash.match(/[#&]token=([^&]+)/);
  if (!found) return;
  const token = decodeURIComponent(found[1]);
  if (!app.token) sessionStorage.setItem(TOKEN, token);
  linked =
    app.token === token
      ? ["token.arrived", "token.leave", token, ""]
      : ["token.other", "token.switch", token, token];
  const rest = location.hash.replace(found[0], "").replace(/^#?&?/, "#");
  history.replaceState(null, "", rest === "#" ? location.pathname : rest);
}

function tellOfLink() {
  if (!linked) return;
  const [text, button, token, next] = linked;
  linked = null;
  const change = () => {
    sessionStorage.setItem(TOKEN, next);
    location.reload();
  };
  const who = subjectOf(token);
  app.notice(app.t(text, { who }), { action: [app.t(button, { who }), change] });
}

// A JSON Web Token's second part says whose it is (RFC 7519); only the server can tell if that is true.
function subjectOf(token) {
  try {
    return String(JSON.parse(atob(token.split(".")[1].replace(/-/g, "+").replace(/_/g, "/"))).sub);
  } catch {
    return "?";
  }
}

// ---- language

async function speak(language) {
  app.language = document.documentElement.lang = language;
  app.t = await loadTexts(language);
  for (const element of document.querySelectorAll("[data-text]")) {
    element.textContent = app.t(element.dataset.text);
  }
  $(".tabs").setAttribute("aria-label", app.t($(".tabs").dataset.label));
}

function offerLanguages() {
  const select = $(".language select");
  for (const [code, name] of Object.entries(languages)) {
    select.append(new Option(name, code, false, code === app.language));
  }
  select.onchange = async () => {
    keepLanguage(select.value);
    await speak(select.value);
    await router.speak();
  };
}

// What is kept of people is said in every view.
async function tellOfHistory() {
  const { history } = await fetch("/health").then((told) => told.json());
  for (const element of document.querySelectorAll(".of-history")) element.hidden = !history;
}

takeToken();
await speak(preferredLanguage());
tellOfHistory().catch(() => {});
offerLanguages();
addEventListener("hashchange", show);
addEventListener("pagehide", () => router.suspend());
// Kept whole by the browser while it was away, its views have ended all the same.
addEventListener("pageshow", ({ persisted }) => persisted && location.reload());
await router.resume(VIEWS);
await show();
