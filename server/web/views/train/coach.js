// What leads through a training: is the picture right; three, two, one; the set. With a plan the rest, and
// the next set. Nobody is kept from starting.

import { el, svg } from "../../dom.js";
import { say } from "../parts.js";
import { goalText } from "./goal.js";

const COUNTED_S = 3;
const TICK_MS = 100;

export class Coach {
  /** `{phase, at, set}`: "framing", "countdown", "set" or "rest"; which step of the plan, which of its sets. */
  now = { phase: "framing", at: 0, set: 1 };
  /** Over the picture, and in the panel. */
  overlay;
  bar;

  #app;
  #on;
  #steps;
  #voice;
  #until_ms = 0;
  #timer = 0;
  #shown = null; // seconds
  #anyway = false;
  #hint = "";

  /**
   * @param {object} app of router.js
   * @param {object} voice of voice.js
   * @param {{plan?: object}} wanted of wanted.js
   * @param {{pause: () => void, go: (step: ?object) => void, over: () => void}} on what happens: nothing
   *   counts, a set begins, the plan is done
   */
  constructor(app, voice, { plan }, on) {
    [this.#app, this.#voice, this.#steps, this.#on] = [app, voice, plan?.steps ?? [], on];
  }

  // Of a hold the seconds count that it was held, of all else those that went by.
  get #isTimed() {
    return Boolean(this.step?.seconds && this.step.exercise !== "plank");
  }

  /** The step of the plan, or null. */
  get step() {
    return this.#steps[this.now.at] ?? null;
  }

  /** Begin, or go on. @param {boolean} looks whether at the picture first @returns {boolean} the same */
  begin(looks) {
    this.#timer = setInterval(() => this.#tick(), TICK_MS);
    const { phase } = this.now;
    // A rest that the page was reloaded in is over when the picture is right, whatever it is of.
    const waits = phase === "rest" || (looks && phase !== "set");
    this.#enter(waits ? "framing" : "set", !waits && this.#isTimed ? this.step.seconds : 0);
    return waits;
  }

  /** Its elements, in the language of now. */
  draw() {
    const { t } = this.#app;
    const press = () => this.#press();
    this.overlay = el(
      "div.coach",
      {},
      silhouette(),
      el("b.coach-number.figures", { "aria-hidden": "true" }),
      el("p.coach-line"),
      el("button.coach-go", { onclick: press }),
    );
    this.bar = el(
      "div.goal",
      { hidden: !this.step },
      el("p.small"),
      el("button.quiet", { textContent: t("plan.next"), onclick: () => this.#done() }),
    );
    this.#show();
  }

  /** A result, and the set that goes on, if something of it was counted. */
  take({ exercise, framing, ready }, current) {
    const { phase } = this.now;
    if (phase === "set") return this.#look(current);
    if (phase === "rest" || this.#anyway) return;
    // A server of before has nothing to say of the picture. One that is slow has not looked at it yet.
    if (!framing) return exercise && this.#go();
    const [wrong] = framing;
    const hint = wrong ? this.#app.t(`hint.${wrong.code}`, {}, wrong.text) : "";
    if (wrong) this.#voice.cue(hint, performance.now());
    if (wrong && phase === "countdown") this.#enter("framing");
    if (hint !== this.#hint) {
      this.#hint = hint;
      if (hint) this.#app.announce(hint);
      this.#show();
    }
    if (ready && this.now.phase === "framing") this.#enter("countdown", COUNTED_S);
  }

  /** No more. */
  leave() {
    clearInterval(this.#timer);
  }

  #look(current) {
    const { step } = this;
    if (!step || !current || this.#isTimed) return;
    if (step.reps ? current.count >= step.reps : current.held_s >= step.seconds) this.#done();
  }

  #press() {
    this.#anyway = true;
    if (this.now.phase === "framing") this.#enter("countdown", COUNTED_S);
    else this.#go();
  }

  // A set is over, however: a rest, the next set, or the end.
  #done() {
    const { step, now } = this;
    if (now.phase !== "set") return this.#go();
    if (!step) return;
    const isLast = now.set >= step.sets;
    if (isLast && now.at + 1 >= this.#steps.length) {
      // Until the server has ended the session, results and time go on.
      this.#steps = [];
      return this.#on.over();
    }
    Object.assign(now, isLast ? { at: now.at + 1, set: 1 } : { set: now.set + 1 });
    this.#on.pause();
    const rest_s = Math.max(step.rest, COUNTED_S);
    this.#enter("rest", rest_s);
    const told = `${this.#app.t("plan.rest", { s: rest_s })} ${this.#next()}`;
    this.#app.announce(told);
    this.#voice.tell(told);
  }

  #go() {
    this.#enter("set", this.#isTimed ? this.step.seconds : 0);
    this.#anyway = false;
    this.#on.go(this.step);
    this.#app.announce(this.#app.t("coach.go"));
  }

  #enter(phase, seconds = 0) {
    this.now.phase = phase;
    this.#until_ms = Date.now() + seconds * 1000;
    this.#shown = seconds || null;
    if (phase === "countdown") this.#count();
    this.#show();
  }

  #tick() {
    const isSet = this.now.phase === "set";
    if (this.now.phase === "framing" || (isSet && !this.#isTimed)) return;
    const left_s = Math.ceil((this.#until_ms - Date.now()) / 1000);
    if (left_s <= 0) return isSet ? this.#done() : this.#go();
    if (left_s === this.#shown) return;
    this.#shown = left_s;
    if (left_s <= COUNTED_S) this.#count();
    this.#show();
  }

  #count() {
    this.#voice.count(this.#shown);
    this.#app.announce(String(this.#shown));
  }

  #next() {
    return this.#app.t("plan.then", { what: goalText(this.#app.t, this.step) });
  }

  #show() {
    const { overlay, bar } = this;
    if (!overlay) return;
    const { t } = this.#app;
    const { phase, set } = this.now;
    const [, number, line, button] = overlay.children;
    overlay.hidden = phase === "set";
    overlay.dataset.phase = phase;
    say(number, String(this.#shown ?? ""));
    say(line, phase === "rest" ? this.#next() : phase === "framing" ? this.#hint || t("coach.frame") : "");
    line.hidden = !line.textContent;
    say(button, t(phase === "framing" ? "coach.anyway" : "coach.now"));
    if (!this.step) return;
    const values = { n: set, of: this.step.sets, what: goalText(t, this.step) };
    const left = this.#isTimed && phase === "set" ? ` · ${t("plan.left", { s: this.#shown })}` : "";
    say(bar.firstChild, t("plan.set", values) + left);
  }
}

// Somebody who stands, to stand in.
function silhouette() {
  return svg(
    "svg.silhouette",
    { viewBox: "0 0 100 200", "aria-hidden": "true" },
    svg("circle", { cx: 50, cy: 18, r: 11 }),
    svg("path", {
      d: "M34 38h32q8 0 10 9l8 48-8 3-11-38v38l6 88H57l-7-72-7 72H29l6-88V60L24 98l-8-3 8-48q2-9 10-9z",
    }),
  );
}
