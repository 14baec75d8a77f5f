// A quiet card with the pulse, in the rests of a training: never a number without how sure it is.
// Loaded only where the server has vitals, with texts of its own.

import { colourOf, el, loadStyle } from "../../dom.js";
import { say } from "../parts.js";

const TEXTS = {
  en: {
    title: "Pulse",
    rate: "{bpm} a minute",
    sure: "{percent} % sure",
    breath: "{n} breaths a minute",
    note: "Not a medical device.",
  },
  de: {
    title: "Puls",
    rate: "{bpm} pro Minute",
    sure: "{percent} % sicher",
    breath: "{n} Atemzüge pro Minute",
    note: "Kein Medizinprodukt.",
    no_face: "In die Kamera schauen",
    too_small: "Näher kommen",
    turned_away: "Das Gesicht zur Kamera drehen",
    hold_still: "Still halten",
    more_light: "Mehr Licht aufs Gesicht",
    less_light: "Weniger Licht aufs Gesicht",
    too_few_frames: "Das Video hat zu wenige Bilder: mindestens 15 pro Sekunde",
    light_flickers: "Das Licht flackert: Tageslicht ist besser",
    measuring: "Messung läuft: so bleiben",
    too_compressed: "Das Video ist zu stark komprimiert: mindestens 1 Mb/s",
    no_pulse: "Kein Puls zu sehen: mehr Licht, näher heran und still halten",
  },
};
const WIDTH = 240;
const HEIGHT = 48;

/**
 * @param {object} app of router.js
 * @param {Element} element the training's, to whose end the card is added
 * @returns {(result: object) => void} to be given every result
 */
export function pulseCard(app, element) {
  const texts = TEXTS[app.language] ?? TEXTS.en;
  const rate = el("b.figures");
  const more = el("p.soft.small.figures");
  const canvas = el("canvas", { width: WIDTH, height: HEIGHT, role: "presentation" });
  const card = el(
    "section.pulse.card",
    { "aria-label": texts.title, hidden: true },
    el("p", {}, el("span.soft", { textContent: `${texts.title} ` }), rate),
    canvas,
    more,
    el("p.soft.small", { textContent: texts.note }),
  );
  loadStyle("beside");
  element.append(card);
  let drawn = "";

  return ({ vitals, phase = "rest" }) => {
    if (!vitals) return;
    // Who exercises is told of that.
    card.hidden = phase !== "rest";
    if (card.hidden) return;
    const { heart_rate_bpm, confidence, reason, respiration_per_min, signal = [] } = vitals;
    const said = [];
    if (heart_rate_bpm === null) {
      say(rate, "–");
      said.push(texts[reason?.code] ?? reason?.text ?? "");
    } else {
      say(rate, texts.rate.replace("{bpm}", Math.round(heart_rate_bpm)));
      said.push(texts.sure.replace("{percent}", Math.round(100 * confidence)));
    }
    if (respiration_per_min !== null) said.push(texts.breath.replace("{n}", Math.round(respiration_per_min)));
    say(more, said.join(" · "));
    // What no number stands on is not drawn as if it were a pulse.
    const shown = heart_rate_bpm === null ? [] : signal;
    const key = shown.join();
    if (key !== drawn) draw(canvas, shown);
    drawn = key;
  };
}

function draw(canvas, signal) {
  const pen = canvas.getContext("2d");
  pen.clearRect(0, 0, WIDTH, HEIGHT);
  pen.strokeStyle = colourOf("accent");
  pen.lineWidth = 2;
  pen.beginPath();
  signal.forEach((value, at) => {
    pen.lineTo((at / (signal.length - 1)) * WIDTH, HEIGHT / 2 - value * (HEIGHT / 2 - 2));
  });
  pen.stroke();
}
