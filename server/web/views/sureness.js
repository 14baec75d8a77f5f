// How sure it is that somebody is who is looked for: in words that measurements support, and how alike
// people have to be to be shown. The measurements are in docs/accuracy.md.

import { el } from "../dom.js";
import { number } from "../format.js";
import { say } from "./parts.js";

// From one camera to another people differ more than within one camera's pictures. Up to `same` 75 to 98
// of 100 matches were right in the measured videos, up to the network's own threshold 32 to 72.
const MEASURED = { "person-reidentification-retail-0288": { same: 0.5 } };
const FETCH = ["person-detection-retail-0013", "person-reidentification-retail-0288"]
  .map((name) => `kinecast models fetch ${name}`)
  .join(" && ");

export class Sureness {
  /** The largest distance of a match; undefined leaves it to the server. @type {number|undefined} */
  threshold;

  #t;
  #language;
  #changed;
  #person = null;
  #chosen = false; // somebody has set whether it is the same camera
  #slider;
  #output = el("output.figures");
  #effect = el("p.soft.small");
  #caveat = el("p.caveat");
  #same;
  #sameLabel;

  /**
   * @param {object} app of router.js
   * @param {(threshold: number) => void} changed somebody wants another threshold
   */
  constructor({ t, language }, changed) {
    [this.#t, this.#language, this.#changed] = [t, language, changed];
    this.#slider = el("input", {
      type: "range",
      id: "threshold",
      step: 0.01,
      oninput: () => this.#set(Number(this.#slider.value)),
    });
    this.#same = el("input", { type: "checkbox", role: "switch", onchange: () => this.#choose() });
    this.#sameLabel = el("label.switch", {}, this.#same, el("span", { textContent: t("find.same_camera") }));
    this.element = el(
      "section.card.sure",
      { hidden: true },
      this.#caveat,
      el(
        "p.alike",
        {},
        el("label", { htmlFor: "threshold", textContent: t("find.alike") }),
        this.#slider,
        this.#output,
      ),
      this.#effect,
      this.#sameLabel,
    );
  }

  /** Who is looked for, as `found` of person.js tells of them; null for nobody. */
  set person(person) {
    this.#person = person;
    this.element.hidden = !person;
    if (!person) return;
    const { fallback, threshold } = person;
    this.#slider.min = 0.1;
    this.#slider.max = fallback ? 0.5 : 0.8;
    this.#sameLabel.hidden = !this.#measured;
    this.#caveat.hidden = !this.#caveatText(person);
    this.#caveat.replaceChildren(this.#caveatText(person), " ", el("code", { textContent: FETCH }));
    this.#chosen = this.#same.checked = false;
    this.#show(threshold);
  }

  /** Somebody looks in the camera's picture or in a clip, of this size. */
  lookIn(mode, width, height) {
    const person = this.#person;
    if (this.#chosen || !this.#measured) return;
    // A picture that was taken here, or one that is as large as the clip's: one of its own, most likely.
    const same = mode === "camera" ? person.taken : person.width === width && person.height === height;
    this.#same.checked = same;
    this.#show(same ? this.#measured.same : person.threshold);
  }

  /** A word for a distance: `likely`, `possible`, or `colours` if it goes by these alone. */
  of(distance) {
    if (this.#person?.fallback) return "colours";
    return distance <= this.#measured?.same ? "likely" : "possible";
  }

  get #measured() {
    return MEASURED[this.#person?.model];
  }

  #caveatText({ fallback, detector }) {
    if (fallback) return this.#t("find.by_colour");
    return detector === "pose" ? this.#t("find.no_detector") : "";
  }

  #choose() {
    this.#chosen = true;
    this.#set(this.#same.checked ? this.#measured.same : this.#person.threshold);
  }

  #set(threshold) {
    this.#chosen = true;
    this.#show(threshold);
    this.#changed(threshold);
  }

  #show(threshold) {
    this.threshold = threshold;
    this.#slider.value = threshold;
    say(this.#output, number(threshold, this.#language, 2));
    say(this.#effect, this.#t(`find.alike.${this.of(threshold)}${this.#measured ? ".measured" : ""}`));
  }
}
