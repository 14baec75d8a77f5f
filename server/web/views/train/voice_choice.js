// How fast it is spoken, and by whom. Loaded with the first word.

import { el } from "../../dom.js";

const RATES = { slow: 0.8, usual: 1, fast: 1.3 };

/**
 * @param {object} app of router.js
 * @param {object} voice of voice.js
 * @returns {Element}
 */
export function voiceChoice({ t }, voice) {
  const option = (value, textContent, chosen) =>
    el("option", { value, textContent, selected: String(value) === String(chosen) });
  const rate = el(
    "select",
    { "aria-label": t("voice.rate"), onchange: () => voice.choose({ rate: Number(rate.value) }) },
    ...Object.entries(RATES).map(([name, value]) => option(value, t(`voice.${name}`), voice.chosen.rate)),
  );
  const who = el("select", {
    "aria-label": t("voice.name"),
    onchange: () => voice.choose({ name: who.value }),
  });
  const list = () => {
    const names = voice.voices.map(({ name }) => name);
    who.hidden = names.length < 2;
    who.replaceChildren(
      option("", t("voice.any"), voice.chosen.name),
      ...names.map((name) => option(name, name, voice.chosen.name)),
    );
  };
  list();
  // Browsers learn of their voices late.
  speechSynthesis.onvoiceschanged = list;
  return el("span.voice", {}, rate, who);
}
