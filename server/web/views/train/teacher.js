// Leads through a lesson: an exercise is shown three times, and learned. What it has is what coach.js has.

import { el } from "../../dom.js";
import { say } from "../parts.js";
import { nameOf } from "./goal.js";

export class Teacher {
  now = {};
  overlay;
  bar = null;

  #app;
  #voice;
  #name;
  #on;
  #seen = 0;

  /** As Coach has it; `on.over` takes the definition. */
  constructor(app, voice, { teach }, on) {
    [this.#app, this.#voice, this.#name, this.#on] = [app, voice, teach, on];
  }

  begin() {
    return false;
  }

  draw() {
    const { t } = this.#app;
    this.overlay = el(
      "div.coach",
      {},
      el("p.coach-line", {
        textContent: t("teach.show", { what: nameOf(t, this.#name), n: 0, of: 3 }),
      }),
    );
  }

  take({ exercise_learning: lesson, exercise_learned: learned }) {
    if (learned) return this.#on.over(learned);
    if (!lesson) return;
    const { t } = this.#app;
    const { seen, wanted, hint } = lesson;
    const progress = t("teach.show", { what: nameOf(t, this.#name), n: seen, of: wanted });
    say(this.overlay.firstChild, hint ? `${progress} ${t(`hint.${hint.code}`, {}, hint.text)}` : progress);
    if (seen > this.#seen) {
      this.#voice.count(seen);
      this.#app.announce(progress);
    }
    this.#seen = seen;
  }

  leave() {}
}
