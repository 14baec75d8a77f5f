// One recording in the camera's list.

import { el } from "../dom.js";
import { clock, megabytes, moment } from "../format.js";
import { confirm, say } from "./parts.js";

/**
 * @param {object} recording as GET /recordings has it
 * @param {{app: object, server: object, run: Function}} view `run` does what a button asks for
 * @returns {{element: Element, update: (recording: object) => void}}
 */
export function recordingRow({ name }, { app, server, run }) {
  const { t, language } = app;
  const path = `/recordings/${encodeURIComponent(name)}`;
  const facts = el("p.soft.small.figures");
  const error = el("p.small.bad");
  const place = el("div");
  const button = (text, onclick) =>
    el("button.quiet", { type: "button", textContent: text, "aria-label": `${text}: ${name}`, onclick });
  const play = button(t("camera.play"), toggle);
  const stop = button(t("camera.stop_recording"), () =>
    run(stop, () => server.json(path, { method: "DELETE" })),
  );
  const remove = button(t("camera.remove"), () => run(remove, ask));
  const link = el("a.button.quiet", {
    href: server.url(path),
    download: `${name}.mp4`,
    textContent: t("download"),
    "aria-label": `${t("download")}: ${name}`,
  });
  play.setAttribute("aria-expanded", "false");

  function toggle() {
    const shown = !place.firstChild;
    play.setAttribute("aria-expanded", String(shown));
    place.replaceChildren(
      ...(shown
        ? [
            el("video", {
              src: server.url(path),
              controls: true,
              autoplay: true,
              playsInline: true,
              "aria-label": name,
            }),
          ]
        : []),
    );
  }

  async function ask() {
    if (await confirm(app, t("camera.remove_ask", { name }), t("camera.remove")))
      await server.json(`${path}?file=1`, { method: "DELETE" });
  }

  return {
    element: el(
      "li",
      {},
      el("h3", { textContent: name }),
      facts,
      error,
      el("p.actions", {}, stop, play, link, remove),
      place,
    ),
    update(now) {
      const running = now.state === "recording";
      say(
        facts,
        [
          running ? t("camera.runs_now") : moment(now.started_at, language),
          clock(now.seconds),
          megabytes(now.bytes, language),
        ].join(" · "),
      );
      say(error, now.error ?? "");
      stop.hidden = !running;
      play.hidden = link.hidden = remove.hidden = running;
    },
  };
}
