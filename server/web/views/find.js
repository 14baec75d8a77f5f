// Find: a picture of a person, and then where they are in the camera's picture or in a clip.

import { analyzersOf } from "../analyzers.js";
import { el } from "../dom.js";
import { Looking } from "./looking.js";
import { mayOpenCamera, say } from "./parts.js";
import { personCard } from "./person.js";
import { sightings } from "./sightings.js";
import { Sureness } from "./sureness.js";
import { clipPictures, cutOut, lookThrough, pictureOf } from "./whole.js";

/** See router.js. */
export function mount(root, app) {
  const { t } = app;
  let person = null;
  let looking = null;
  let clip = null; // its address
  let clipFile = null;
  let whole = null; // an AbortController while a clip is looked through at once
  let pictures = null; // of that clip
  let lookouts = null; // while they are shown
  let missing = ""; // why nobody can be looked for

  const line = el("p.soft", { role: "status" });
  const place = el("div.place");
  const empty = el("p.empty");
  const badge = el("p.badge", { hidden: true });
  const button = (name, text, onclick) => el(name, { type: "button", textContent: text, onclick });
  const camera = button("button.primary", t("find.camera"), () => look("camera"));
  const file = el("input", {
    type: "file",
    accept: "video/*",
    hidden: true,
    onchange: () => file.files[0] && lookIn(file.files[0]),
  });
  const choose = button("button", t("find.clip"), () => file.click());
  const all = el("input", {
    type: "file",
    accept: "video/*",
    hidden: true,
    onchange: () => all.files[0] && lookThroughIt(all.files[0]),
  });
  const through = button("button", t("find.whole"), () => all.click());
  const done = el("progress", { "aria-label": t("find.whole_done") });
  const pause = button("button", t("find.pause"), () => looking?.togglePause());
  const stop = button("button", t("stop"), () => end());
  const seen = sightings(
    app,
    (at_s) => seek(at_s),
    shoot,
    (from_s, to_s) => cutOut(app, clipFile, from_s, to_s),
  );
  const sure = new Sureness(app, (threshold) => looking?.client.configure({ reid: { threshold } }));
  const card = personCard(app, {
    found(now) {
      person = now;
      sure.person = now;
      looking?.client.configure({ reid: { reference: now.embedding, threshold: sure.threshold } });
      seen.clear();
      show();
    },
    lost() {
      person = sure.person = null;
      end();
    },
  });

  root.append(
    el("header", {}, el("h1", { textContent: t("nav.find") }), line),
    card.element,
    el(
      "section.main",
      {},
      el("div.screen", {}, place, empty, badge),
      el("div.actions", {}, camera, choose, file, through, all, pause, stop, done),
      sure.element,
      seen.element,
      el("details.lookouts", { ontoggle: openLookouts }, el("summary", { textContent: t("lookout.title") })),
    ),
  );

  // ---- looking

  function lookIn(chosen) {
    file.value = "";
    open(chosen);
    look("clip");
  }

  function open(chosen) {
    if (clip) URL.revokeObjectURL(clip);
    clipFile = chosen;
    clip = URL.createObjectURL(chosen);
  }

  // All of it, as fast as the server can.
  async function lookThroughIt(chosen) {
    all.value = "";
    end();
    open(chosen);
    const mine = (whole = new AbortController());
    pictures = clipPictures(clip);
    done.removeAttribute("value");
    app.notice(null);
    seen.begin("clip", false);
    show();
    try {
      // A browser that can not show the clip need not tell; the server may look through it all the same.
      let length_s = 0;
      pictures.lasts.then((seconds) => {
        length_s = seconds || 0;
        if (!mine.signal.aborted) seen.lasts(seconds);
      });
      await lookThrough(app, chosen, person, sure.threshold, {
        signal: mine.signal,
        progress(part) {
          done.value = part;
          if (length_s) seen.now(part * length_s);
        },
        match: (match) => seen.take(match.timestamp, [match], sure),
      });
      app.announce(t("find.whole_over"));
    } catch (problem) {
      if (mine.signal.aborted) return;
      const own = ["whole", "problem"].map((kind) => t(`find.${kind}.${problem.code}`, problem, ""));
      app.notice(own.find(Boolean) ?? app.explain(problem), { kind: "problem" });
      if (!problem.code) console.error(problem);
    }
    if (whole !== mine) return;
    whole = null;
    show();
  }

  async function openLookouts({ currentTarget: details }) {
    lookouts?.stop();
    details.children[1]?.remove();
    lookouts = null;
    if (!details.open) return;
    const all = await import("./lookouts.js");
    if (!details.isConnected || !details.open || lookouts) return;
    const who = () => person && { embedding: person.embedding, threshold: sure.threshold };
    lookouts = all.lookouts(app, who);
    details.append(lookouts.element);
  }

  function shoot(at_s) {
    if (whole) return pictures.of(at_s);
    const canvas = place.querySelector("canvas");
    return canvas ? pictureOf(canvas, canvas.width, canvas.height) : Promise.resolve(null);
  }

  async function look(mode, from_s = 0) {
    if (mode === "camera" && !(await mayOpenCamera(app))) return;
    end();
    seen.begin(mode, mode === "clip" && from_s > 0);
    const mine = (looking = new Looking(app, person.embedding, sure, place, seen));
    mine.onchange = () => looking === mine && show();
    app.notice(null);
    show();
    try {
      await mine.begin(mode, clip, from_s);
    } catch (problem) {
      if (looking !== mine) return;
      if (problem.code === 401 && (await app.askForToken())) return look(mode, from_s);
      app.notice(app.explain(problem.code ? problem : { code: "other", message: String(problem) }), {
        kind: "problem",
      });
      end();
    }
  }

  function seek(at_s) {
    if (!clip) return;
    if (looking?.mode === "clip") looking.seek(at_s);
    else if (!looking) look("clip", at_s);
  }

  function end() {
    const last = looking;
    looking = null;
    last?.stop();
    whole?.abort();
    whole = null;
    show();
  }

  // ---- showing it

  function show() {
    if (looking?.over) return end();
    const code = looking?.code ?? (person ? "ready" : "who");
    say(line, missing || t(looking ? `state.${code}` : whole ? "find.whole_done" : `find.${code}`));
    camera.hidden = choose.hidden = through.hidden = Boolean(looking || whole);
    camera.disabled = choose.disabled = through.disabled = !person;
    stop.hidden = !looking && !whole;
    done.hidden = !whole;
    pause.hidden = looking?.mode !== "clip";
    say(pause, t(looking?.paused ? "find.play" : "find.pause"));
    badge.hidden = !looking?.boxes;
    badge.dataset.sure = sure.of(looking?.nearest);
    say(badge, looking?.boxes ? t(`find.in_view.${sure.of(looking.nearest)}`) : "");
    say(empty, t(person ? "find.empty_ready" : "find.empty_who"));
    empty.hidden = Boolean(looking?.shows) || place.childElementCount > 0;
  }

  const paste = ({ clipboardData }) => card.take([...clipboardData.files].find(isPicture));
  const drag = (event) => {
    event.preventDefault();
    root.classList.toggle("dropping", event.type === "dragover");
  };
  root.ondragover = root.ondragleave = drag;
  root.ondrop = (event) => {
    drag(event);
    const [dropped] = event.dataTransfer.files;
    if (dropped && isPicture(dropped)) card.take(dropped);
    else if (dropped?.type.startsWith("video/") && person) lookIn(dropped);
  };
  addEventListener("paste", paste);
  show();
  analyzersOf(app).then((there) => {
    if (!there || there.can.includes("reid")) return;
    missing = t("find.no_reid", { why: there.cannot.reid ?? "" });
    card.disable();
    show();
  });
  return {
    unmount() {
      removeEventListener("paste", paste);
      end();
      card.stop();
      seen.stop();
      lookouts?.stop();
      if (clip) URL.revokeObjectURL(clip);
    },
  };
}

const isPicture = ({ type }) => type.startsWith("image/");
