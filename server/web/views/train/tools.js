// Over the picture: how the exercise is done, a mirror, the whole screen.

import { el, svg } from "../../dom.js";
import { Demonstration } from "./demonstration.js";
import { nameOf } from "./goal.js";

const ICONS = {
  show: "M12 4.500v0M12 8v6M7 10l5-2 5 2M12 14l-3 6M12 14l3 6",
  mirror: "M12 3v18M8 7l-5 5 5 5zM16 7l5 5-5 5z",
  full: "M4 9V4h5M15 4h5v5M20 15v5h-5M9 20H4v-5",
};

/**
 * @param {object} app of router.js
 * @param {Element} live what fills the screen
 * @param {() => boolean} mirror changes sides @returns whether it is a mirror now
 * @param {boolean} mirrored whether it is
 */
export function makeTools(app, live, mirrored, mirror) {
  const { t } = app;
  const demonstration = new Demonstration();
  let shows = true;
  const button = (icon, pressed, press) => {
    const element = el(
      "button.tool",
      { "aria-label": t(`tool.${icon}`), title: t(`tool.${icon}`), "aria-pressed": pressed },
      svg("svg", { viewBox: "0 0 24 24", "aria-hidden": "true" }, svg("path", { d: ICONS[icon] })),
    );
    element.onclick = () => press(element);
    return element;
  };
  const toggle = button("show", true, (element) => {
    shows = !shows;
    element.ariaPressed = String(shows);
  });
  const full = button("full", false, () => {
    if (document.fullscreenElement) document.exitFullscreen();
    else live.requestFullscreen().catch(() => {});
  });
  const changed = () => (full.ariaPressed = String(document.fullscreenElement === live));
  document.addEventListener("fullscreenchange", changed);
  const element = el(
    "div.tools",
    {},
    el(
      "div.tool-row",
      {},
      toggle,
      button("mirror", mirrored, (pressed) => (pressed.ariaPressed = String(mirror()))),
      document.fullscreenEnabled && full,
    ),
    demonstration.element,
  );
  live.querySelector(".stage").append(element);
  return {
    /** What is done now, or is to be done. @param {?string} exercise */
    take(exercise) {
      demonstration.show(shows ? exercise : null, t("tool.how", { what: nameOf(t, exercise ?? "none") }));
    },
    stop() {
      demonstration.stop();
      document.removeEventListener("fullscreenchange", changed);
      element.remove();
    },
  };
}
