// What is said aloud, for whoever is too far away to read: the count, the one thing to do better, the
// seconds of a hold, praise now and then. Off until it is asked for; the texts are those on the screen.

// Who is told all the time does not listen.
const CUE_EVERY_MS = 8000;
const SAME_CUE_EVERY_MS = 16_000;
const SECONDS_EVERY = 10;
const PRAISE_EVERY = 5;
const KEPT = "kinecast.voice";

export class Voice {
  /** How fast, and by which of the browser's voices; empty for its own choice. */
  chosen = { rate: 1, name: "" };

  #app;
  #on = false;
  #cue = { text: "", at_ms: -Infinity };
  #held_s = 0;
  #saying = ""; // "cue" while one is said

  /** @param {object} app of router.js */
  constructor(app) {
    this.#app = app;
    try {
      Object.assign(this.chosen, JSON.parse(localStorage.getItem(KEPT)));
    } catch {} // nothing is kept, or nothing can be
  }

  /** Whether anything is said. */
  get on() {
    return this.#on;
  }

  set on(on) {
    this.#on = on;
    if (!on && Voice.can) speechSynthesis.cancel();
  }

  /** Those that speak the page's language. @returns {SpeechSynthesisVoice[]} */
  get voices() {
    return speechSynthesis.getVoices().filter(({ lang }) => lang.startsWith(this.#app.language));
  }

  /** @param {{rate?: number, name?: string}} chosen */
  choose(chosen) {
    Object.assign(this.chosen, chosen);
    try {
      localStorage.setItem(KEPT, JSON.stringify(this.chosen));
    } catch {} // as long as the page is open, then
  }

  /** Whether this browser can speak. */
  static get can() {
    return "speechSynthesis" in globalThis;
  }

  /** A repetition was counted. @param {string} [praise] what was good about it */
  count(number, praise) {
    const praised = praise && number % PRAISE_EVERY === 0;
    this.#say("count", praised ? `${number}. ${praise}.` : String(number));
  }

  /** A cue is to be seen. */
  cue(text, now_ms) {
    const { text: last, at_ms } = this.#cue;
    if (!this.on || now_ms - at_ms < (text === last ? SAME_CUE_EVERY_MS : CUE_EVERY_MS)) return;
    this.#cue = { text, at_ms: now_ms };
    this.#say("cue", text);
  }

  /** What comes next, whatever was said last. */
  tell(text) {
    this.#say("cue", text);
  }

  /** A hold has lasted so long. */
  hold(seconds) {
    const due = Math.floor(seconds / SECONDS_EVERY) * SECONDS_EVERY;
    // Another hold begins at 0 again.
    if (due > this.#held_s) this.#say("hold", this.#app.t("spoken.seconds", { n: due }));
    this.#held_s = due;
  }

  #say(kind, text) {
    if (!this.on || !Voice.can) return;
    // A number that is late is wrong; a sentence is heard to its end.
    if (this.#saying !== "cue") speechSynthesis.cancel();
    const words = new SpeechSynthesisUtterance(text);
    words.lang = this.#app.language;
    words.rate = Number(this.chosen.rate) || 1;
    words.voice = this.voices.find(({ name }) => name === this.chosen.name) ?? null;
    words.onend = words.onerror = () => {
      if (this.#saying === kind) this.#saying = "";
    };
    this.#saying = kind === "cue" ? "cue" : this.#saying;
    speechSynthesis.speak(words);
  }
}
