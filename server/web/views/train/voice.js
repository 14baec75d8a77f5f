// What is said aloud, for whoever is too far away to read: the count, the one thing to do better, the
// seconds of a hold, praise now and then. Off until it is asked for; the texts are those on the screen.

// Who is told all the time does not listen.
const CUE_EVERY_MS = 8000;
const SAME_CUE_EVERY_MS = 16_000;
const SECONDS_EVERY = 10;
const PRAISE_EVERY = 5;

export class Voice {
  /** Whether anything is said. */
  on = false;

  #app;
  #cue = { text: "", at_ms: -Infinity };
  #held_s = 0;
  #saying = ""; // "cue" while one is said

  /** @param {object} app of router.js */
  constructor(app) {
    this.#app = app;
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
    words.onend = words.onerror = () => {
      if (this.#saying === kind) this.#saying = "";
    };
    this.#saying = kind === "cue" ? "cue" : this.#saying;
    speechSynthesis.speak(words);
  }
}
