// When somebody was seen: a strip of time, and the same as a list.

import { el, saveAs } from "../dom.js";
import { clock, number } from "../format.js";
import { keyed, say } from "./parts.js";

// Whoever was out of sight for less was there all the time.
const GAP_S = 1;
// The strip of a live picture is at least so long.
const SHORTEST_S = 30;

/**
 * @param {object} app of router.js
 * @param {(at_s: number) => void} seek somebody wants to see what was there at a time of the clip
 * @param {(at_s: number) => Promise<?string>} shoot the address of a small picture of that time
 * @param {(from_s: number, to_s: number) => Promise<void>} cut have that part of the clip downloaded
 */
export function sightings(app, seek, shoot, cut) {
  const { t, language } = app;
  let spans = []; // {from_s, to_s, distance, told}, by time
  let [live, length_s, now_s, began_ms] = [true, SHORTEST_S, 0, 0];

  const strip = el("div.strip", {
    "aria-hidden": "true",
    onclick: ({ clientX }) => live || seek(length_s * fraction(clientX)),
  });
  const barList = el("div.bars");
  const head = el("i.head");
  const ends = el(
    "p.ends.soft.small.figures",
    { "aria-hidden": "true" },
    el("span", { textContent: "0:00" }),
    el("span"),
  );
  const list = el("ol", { "aria-label": t("find.timeline") });
  const none = el("p.soft.small");
  let sure = null; // of sureness.js
  const files = el("p.actions", { hidden: true }, ...["csv", "json"].map(file));
  strip.append(barList, head);
  const element = el(
    "section.sightings",
    { hidden: true },
    el("h2", { textContent: t("find.timeline") }),
    strip,
    ends,
    none,
    list,
    files,
  );

  function fraction(clientX) {
    const { left, width } = strip.getBoundingClientRect();
    return Math.min(1, Math.max(0, (clientX - left) / width));
  }

  function add(at_s, distance) {
    const near = spans.find(({ from_s, to_s }) => at_s >= from_s - GAP_S && at_s <= to_s + GAP_S);
    if (!near) {
      const span = { key: `${at_s}`, from_s: at_s, to_s: at_s, distance };
      spans.push(span);
      shoot(at_s).then((picture) => {
        if (!spans.includes(span)) return picture && URL.revokeObjectURL(picture);
        span.picture = picture;
        show();
      });
      spans.sort((one, other) => one.from_s - other.from_s);
      app.announce(t("find.seen", { time: label({ from_s: at_s, to_s: at_s }) }));
      return;
    }
    near.from_s = Math.min(near.from_s, at_s);
    near.to_s = Math.max(near.to_s, at_s);
    near.distance = Math.min(near.distance, distance);
    const next = spans[spans.indexOf(near) + 1];
    if (!next || next.from_s > near.to_s + GAP_S) return;
    [near.to_s, near.distance] = [Math.max(near.to_s, next.to_s), Math.min(near.distance, next.distance)];
    if (next.picture) URL.revokeObjectURL(next.picture);
    spans.splice(spans.indexOf(next), 1);
  }

  function label({ from_s, to_s }) {
    const [from, to] = [from_s, to_s].map(live ? timeOfDay : clock);
    return from === to ? from : `${from} – ${to}`;
  }

  function timeOfDay(at_s) {
    return new Date(began_ms + at_s * 1000).toLocaleTimeString(language);
  }

  let waiting = false;
  function show() {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => {
      waiting = false;
      // Some browsers do not say how long a clip is.
      length_s = Math.max(live ? SHORTEST_S : length_s, now_s, spans.at(-1)?.to_s ?? 0);
      head.style.left = `${Math.min(100, (100 * now_s) / length_s)}%`;
      say(ends.lastChild, clock(length_s));
      say(none, spans.length ? "" : t("find.not_seen"));
      files.hidden = !spans.length;
      bars(barList, spans, length_s);
      keyed(list, spans, ({ key }) => key, row);
    });
  }

  function row(span) {
    const time = live
      ? el("span.figures")
      : el("button.figures", { type: "button", onclick: () => seek(span.from_s) });
    const distance = el("span.soft.small.figures");
    const picture = el("img", { alt: "", hidden: true });
    const clip = el("button.quiet", { type: "button", textContent: t("find.cut"), onclick: save });
    async function save() {
      clip.disabled = true;
      await cut(span.from_s, span.to_s);
      clip.disabled = false;
    }
    return {
      element: el("li", {}, picture, time, distance, !live && clip),
      update(now) {
        picture.hidden = !now.picture;
        if (now.picture && picture.src !== now.picture) picture.src = now.picture;
        say(time, label(now));
        clip.setAttribute("aria-label", `${t("find.cut")}: ${label(now)}`);
        const word = t(`find.sure.${sure.of(now.distance)}`);
        say(distance, t("find.nearest", { sure: word, distance: number(now.distance, language, 2) }));
      },
    };
  }

  // What was seen, to take away: times are seconds of the clip, or of the day where it is live.
  function file(form) {
    const rows = () =>
      spans.map(({ from_s, to_s, distance }) => ({
        from: live ? new Date(began_ms + from_s * 1000).toISOString() : from_s,
        to: live ? new Date(began_ms + to_s * 1000).toISOString() : to_s,
        distance,
        sure: sure.of(distance),
      }));
    const texts = {
      json: () => JSON.stringify(rows(), null, 2),
      csv: () => ["from,to,distance,sure", ...rows().map((row) => Object.values(row).join(","))].join("\r\n"),
    };
    const save = () => saveAs(`kinecast-sightings.${form}`, new Blob([texts[form]()]));
    const textContent = `${t("download")}: ${form.toUpperCase()}`;
    return el("button.small", { type: "button", textContent, onclick: save });
  }

  function clear() {
    for (const { picture } of spans) if (picture) URL.revokeObjectURL(picture);
    spans = [];
    show();
  }

  return {
    element,
    clear,
    stop() {
      clear();
      waiting = true;
    },
    /** Somebody is looked for in a clip or in the camera's picture; `go_on` keeps what was seen. */
    begin(mode, go_on) {
      element.hidden = false;
      element.classList.toggle("clip", mode === "clip");
      if (go_on) return;
      clear();
      keyed(list, [], String, null);
      [live, length_s, now_s, began_ms] = [mode !== "clip", SHORTEST_S, 0, Date.now()];
    },
    /** The clip's length. */
    lasts(seconds) {
      length_s = Number.isFinite(seconds) ? seconds : SHORTEST_S;
      show();
    },
    /** Where the clip is. */
    now(at_s) {
      now_s = at_s;
      show();
    },
    /** Who was seen, nearest first, and sureness.js. */
    take(at_s, [nearest], how) {
      sure = how;
      if (live) now_s = at_s;
      if (nearest) add(at_s, nearest.distance);
      show();
    },
  };
}

/**
 * Bring bars on a strip of time in line with spans.
 * @param {Element} list
 * @param {{key: string, from_s: number, to_s: number}[]} spans from the strip's beginning
 * @param {number} length_s of the strip
 */
export function bars(list, spans, length_s) {
  const bar = () => {
    const element = el("i");
    const update = ({ from_s, to_s, length_s: all_s }) => {
      const share = (seconds) => `${Math.min(100, (100 * seconds) / all_s)}%`;
      element.style.left = share(from_s);
      element.style.width = share(Math.max(to_s - from_s, all_s / 200));
    };
    return { element, update };
  };
  const items = spans.map((span) => ({ ...span, length_s }));
  keyed(list, items, ({ key }) => key, bar);
}
