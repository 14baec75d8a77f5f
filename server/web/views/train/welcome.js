// Before a training: one button, and two ways without a camera.

import { el, loadStyle, svg } from "../../dom.js";
import { keepName, keptName } from "./name.js";

/**
 * @param {object} app of router.js
 * @param {object} wanted of wanted.js, changed in place
 * @param {(source: object, lesson?: object) => void} begin with a source as train.js has it; to teach, with
 *   what is wanted instead
 */
export function welcome(app, wanted, begin) {
  const { t } = app;
  const choices = el(
    "details.choose",
    { ontoggle: fill, open: location.hash.startsWith("#plan=") || Object.keys(wanted).length > 0 },
    el("summary", { textContent: t("train.choose") }),
  );

  // Few need it, and it is not loaded before.
  async function fill() {
    if (!choices.open || choices.children.length > 1) return;
    try {
      const needed = [import("./choose.js"), app.more("beside"), loadStyle("beside")];
      const [{ choose }] = await Promise.all(needed);
      const teach = (name) => begin({ kind: "camera" }, { teach: name });
      if (choices.children.length === 1) choices.append(choose(app, wanted, teach));
    } catch {
      app.notice(t("view.failed"), { kind: "problem" });
    }
  }

  const play = (file) => file && begin({ kind: "file", address: URL.createObjectURL(file) });
  const input = el("input.hidden", {
    type: "file",
    accept: "video/*",
    tabIndex: -1,
    "aria-hidden": "true",
    onchange: () => play(input.files[0]),
  });
  const element = el(
    "section.welcome",
    {},
    el(
      "div.welcome-text",
      {},
      el("h1", { textContent: t("train.title") }),
      el("p.soft.lead", { textContent: t("train.text") }),
      el("button.primary.large", { textContent: t("train.start"), onclick: () => begin({ kind: "camera" }) }),
      el(
        "p.actions",
        {},
        el("button.quiet", { textContent: t("train.sample"), onclick: () => begin({ kind: "sample" }) }),
        el("button.quiet", { textContent: t("train.file"), onclick: () => input.click() }),
        input,
      ),
      choices,
      el("p.soft.small", { textContent: t("train.hint") }),
      el(
        "p.named",
        {},
        el("label.small", { htmlFor: "name", textContent: t("train.name") }),
        el("input", {
          id: "name",
          value: keptName(),
          maxLength: 60,
          autocomplete: "nickname",
          oninput: ({ target }) => keepName(target.value),
          "aria-describedby": "name-hint",
        }),
        el("span.soft.small", { id: "name-hint", textContent: t("train.name_hint") }),
      ),
    ),
    figure(),
  );
  element.addEventListener("dragover", (event) => {
    event.preventDefault();
    element.classList.add("dropping");
  });
  element.addEventListener("dragleave", () => element.classList.remove("dropping"));
  element.addEventListener("drop", (event) => {
    event.preventDefault();
    element.classList.remove("dropping");
    play([...event.dataTransfer.files].find(({ type }) => type.startsWith("video/")));
  });
  return element;
}

// Somebody who squats, from the side: as they stand, and at the lowest point.
const STANDING = [
  [200, 74],
  [198, 112],
  [204, 160],
  [210, 206],
  [196, 206],
  [202, 284],
  [196, 360],
  [226, 362],
];
const SQUATTING = [
  [222, 154],
  [206, 192],
  [252, 206],
  [300, 202],
  [162, 276],
  [240, 290],
  [196, 360],
  [226, 362],
];
const LIMBS = [
  [1, 2],
  [2, 3],
  [1, 4],
  [4, 5],
  [5, 6],
  [6, 7],
];

function figure() {
  const body = (name, points) =>
    svg(
      `g.${name}`,
      {},
      svg("path", { d: LIMBS.map(([from, to]) => `M${points[from]} L${points[to]}`).join("") }),
      ...points.map(([cx, cy], at) => svg(at ? "circle" : "circle.head", { cx, cy, r: at ? 6 : 21 })),
    );
  return svg(
    "svg.welcome-figure",
    { viewBox: "90 40 270 336", "aria-hidden": "true" },
    svg("path.floor", { d: "M110 372 H340" }),
    body("standing", STANDING),
    body("squatting", SQUATTING),
  );
}
