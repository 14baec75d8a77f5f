// What is beside the picture of a training, and not needed to begin it: tools, a demonstration, several people.

import { cards, drawPeople } from "./several.js";
import { makeTools } from "./tools.js";

export class Beside {
  /** Draws everybody, in place of drawSkeleton. */
  paint = drawPeople;

  #tools;
  #cards = null;

  /**
   * @param {object} app of router.js
   * @param {Element} live of panel.js
   * @param {object} stage of stage.js
   * @param {object} ring of ring.js
   * @param {number} people how many train
   */
  constructor(app, live, stage, ring, people) {
    const mirror = () => (ring.mirrored = stage.mirrored = !stage.mirrored);
    this.#tools = makeTools(app, live, stage.mirrored, mirror);
    if (people < 2) return;
    this.#cards = cards(app);
    live.querySelector(".sets-box").prepend(this.#cards.element);
  }

  /** A result. @param {?string} [next] what is to be done, or was done last, while nothing is recognised */
  take({ exercise = "none", people = [] }, next) {
    const known = exercise !== "none" && exercise !== "unknown";
    this.#tools.take(known ? exercise : (next ?? null));
    this.#cards?.take(people);
  }

  stop() {
    this.#tools.stop();
    this.#cards?.element.remove();
  }
}
