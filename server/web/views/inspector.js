// All that a result says, whatever analyzer it is of: folded, with timing and errors.

import { el } from "../dom.js";
import { number } from "../format.js";
import { keyed, say, sayEach } from "./parts.js";

// People read no faster.
const EVERY_MS = 250;
// Of longer lists and texts the beginning.
const MOST_ITEMS = 100;
const MOST_LETTERS = 400;

/**
 * @param {object} app of router.js
 * @returns {{element: HTMLDetailsElement, take: (result: object) => void, fail: (problem: object) => void}}
 *   `take` a result as the server sends it, `fail` its `analyzer_error`
 */
export function inspector(app) {
  const { t, language } = app;
  const tree = el("ul.tree.small");
  const timing = el("p.soft.small.figures");
  const errors = el("ul.small.bad");
  const failed = new Set();
  let last = null;
  let timer = 0;

  const element = el(
    "details.inspector",
    { ontoggle: show },
    el("summary", { textContent: t("inspector") }),
    timing,
    errors,
    tree,
  );

  function show() {
    timer = 0;
    if (!element.open || !last) return;
    branch(tree, last);
    say(timing, timingText(last.timing));
  }

  function timingText({ queue_ms, analyzers, held = {} }) {
    const ms = (value) => `${number(value, language, 1)} ms`;
    return [
      t("inspector.queue", { ms: ms(queue_ms) }),
      ...Object.entries(analyzers).map(([name, took]) => `${name} ${ms(took)}`),
      ...Object.entries(held).map(([name, frame]) => t("inspector.held", { name, frame })),
    ].join(" · ");
  }

  return {
    element,
    take(result) {
      last = result;
      if (!element.open || timer) return;
      timer = setTimeout(show, EVERY_MS);
    },
    fail({ analyzer, phase, message }) {
      failed.add(`${analyzer}, ${phase}: ${message}`);
      sayEach(errors, [...failed]);
    },
  };
}

const isBranch = (value) => typeof value === "object" && value !== null;

function branch(list, value) {
  const entries = Object.entries(value).slice(0, MOST_ITEMS);
  const items = entries.map(([name, each]) => ({ name, value: each }));
  // What was a number and is a list has another element.
  keyed(list, items, (item) => `${item.name} ${isBranch(item.value)}`, makeItem);
}

function makeItem(item) {
  return isBranch(item.value) ? makeBranch(item) : makeLeaf(item);
}

function makeLeaf(item) {
  const text = el("span.figures");
  return {
    element: el("li", {}, el("b", { textContent: item.name }), " ", text),
    update: ({ value }) => say(text, String(JSON.stringify(value)).slice(0, MOST_LETTERS)),
  };
}

function makeBranch(item) {
  const size = el("span.soft.figures");
  const list = el("ul");
  let value = item.value;
  const show = () => details.open && branch(list, value);
  const details = el(
    "details",
    { ontoggle: show },
    el("summary", {}, el("b", { textContent: item.name }), " ", size),
    list,
  );
  return {
    element: el("li", {}, details),
    update(now) {
      value = now.value;
      const count = Object.keys(value).length;
      say(size, Array.isArray(value) ? `[${count}]` : `{${count}}`);
      show();
    },
  };
}
