// The picture of the person to look for: dropped, pasted, chosen or taken.

import { openCamera, release } from "../capture.js";
import { el } from "../dom.js";
import { ask, mayOpenCamera, say } from "./parts.js";

// People are found in less; a phone's whole picture would take seconds to send.
const MOST_PIXELS_WIDE = 1600;
const QUALITY = 0.9;
const COUNTDOWN = 3;

/**
 * @param {object} app of router.js
 * @param {{found: (person: object) => void, lost: () => void}} events `found`: the server knows what they
 *   look like: `embedding`, `model`, `fallback`, `detector`, `threshold` as it says, whether the picture was
 *   `taken` here, and its `width` and `height` before it was made smaller; `lost`: it has to be chosen anew
 * @returns {{element: Element, take: (file: ?Blob) => void, disable: () => void, stop: () => void}}
 */
export function personCard(app, { found, lost }) {
  const { t } = app;
  let turn = 0;
  let camera = null;
  let address = "";

  const video = el("video", {
    muted: true,
    autoplay: true,
    playsInline: true,
    hidden: true,
    "aria-label": t("find.preview"),
  });
  const image = el("img", { alt: t("find.person_picture") });
  const people = el("ul.people", { "aria-label": t("find.people") });
  const shown = el("div.picture", { hidden: true }, image, people);
  const hint = el("p.empty", { textContent: t("find.drop") });
  const count = el("p.count", { hidden: true });
  const said = el("p.small", { role: "status" });
  const wrong = el("p.small.bad", { role: "alert" });
  const input = el("input", { type: "file", accept: "image/*", hidden: true, onchange: takeFile });
  const button = (name, text, onclick) => el(name, { type: "button", textContent: text, onclick });
  const choose = button("button", t("find.choose"), () => input.click());
  const open = button("button", t("find.take"), openPreview);
  const shoot = button("button.primary", t("find.shoot"), countDown);
  const cancel = button("button.quiet", t("cancel"), closePreview);

  const element = el(
    "section.card.person",
    {},
    el("h2", { textContent: t("find.person") }),
    el("div.drop", {}, hint, shown, video, count),
    said,
    wrong,
    el("div.actions", {}, choose, open, shoot, cancel, input),
    el("p.soft.small", { textContent: t("find.privacy") }),
  );

  function takeFile() {
    take(input.files[0]);
    // The same file again is a change then.
    input.value = "";
  }

  async function take(file, taken = false) {
    if (!file) return;
    const mine = ++turn;
    say(wrong, "");
    say(said, t("find.reading"));
    try {
      const { picture, ...size } = await shrink(file);
      if (mine !== turn) return;
      showPicture(picture);
      people.replaceChildren();
      const body = JSON.stringify({ image: await asDataUrl(picture) });
      const answer = await ask(app.fetch, "/upload-embedding", { method: "POST", body });
      if (mine !== turn) return;
      offer(answer, { ...size, taken });
    } catch (problem) {
      if (mine !== turn) return;
      say(said, "");
      say(wrong, t(`find.problem.${problem.code}`, problem, "") || app.explain(problem));
    }
  }

  // One is whom is looked for; of several, somebody chooses.
  function offer({ persons, width, height, ...how }, picture) {
    say(said, t("find.known", { n: persons.length }));
    const look = ({ embedding }) => found({ ...how, ...picture, embedding });
    if (persons.length === 1) return look(persons[0]);
    lost();
    const percent = (part, whole) => `${(100 * part) / whole}%`;
    const buttons = persons.map((person, at) => {
      const [x0, y0, x1, y1] = person.bbox;
      const one = el("button", {
        type: "button",
        "aria-pressed": "false",
        "aria-label": t("find.person_n", { n: at + 1, all: persons.length }),
        onclick() {
          for (const each of buttons) each.setAttribute("aria-pressed", String(each === one));
          say(said, t("find.chosen", { n: at + 1 }));
          look(person);
        },
      });
      Object.assign(one.style, {
        left: percent(x0, width),
        top: percent(y0, height),
        width: percent(x1 - x0, width),
        height: percent(y1 - y0, height),
      });
      return one;
    });
    people.replaceChildren(...buttons.map((one) => el("li", {}, one)));
  }

  function showPicture(picture) {
    URL.revokeObjectURL(address);
    image.src = address = URL.createObjectURL(picture);
    shown.hidden = false;
    hint.hidden = true;
  }

  // ---- with the camera

  async function openPreview() {
    if (!(await mayOpenCamera(app))) return;
    say(wrong, "");
    open.disabled = true;
    try {
      camera = await openCamera({ width: { ideal: 1280 } });
      video.srcObject = camera;
    } catch (problem) {
      say(wrong, app.explain(problem));
    }
    open.disabled = false;
    showPreview();
    shoot.focus();
  }

  function countDown() {
    shoot.disabled = true;
    const mine = camera;
    let left = COUNTDOWN;
    const step = async () => {
      if (camera !== mine) return;
      count.textContent = left;
      count.hidden = left === 0;
      if (left) {
        app.announce(String(left--), { now: true });
        setTimeout(step, 1000);
        return;
      }
      const picture = await grab(video, video.videoWidth, video.videoHeight);
      closePreview();
      take(picture, true);
    };
    step();
  }

  function closePreview() {
    release(camera);
    camera = video.srcObject = null;
    count.hidden = true;
    shoot.disabled = false;
    showPreview();
  }

  function showPreview() {
    video.hidden = shoot.hidden = cancel.hidden = !camera;
    choose.hidden = open.hidden = Boolean(camera);
    shown.hidden = Boolean(camera) || !address;
    hint.hidden = Boolean(camera || address);
  }

  showPreview();
  return {
    element,
    take,
    /** Nobody can be looked for. */
    disable: () => (choose.disabled = open.disabled = true),
    stop() {
      turn += 1;
      release(camera);
      camera = null;
      URL.revokeObjectURL(address);
    },
  };
}

// As a JPEG that is not larger than need be, turned as it is to be seen.
async function shrink(file) {
  const bitmap = await createImageBitmap(file).catch(() => {
    throw { code: "bad_picture" };
  });
  const scale = Math.min(1, MOST_PIXELS_WIDE / Math.max(bitmap.width, bitmap.height));
  const { width, height } = bitmap;
  const picture = await grab(bitmap, Math.round(width * scale), Math.round(height * scale));
  return { picture, width, height };
}

function grab(source, width, height) {
  const canvas = Object.assign(document.createElement("canvas"), { width, height });
  canvas.getContext("2d").drawImage(source, 0, 0, width, height);
  return new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", QUALITY));
}

function asDataUrl(blob) {
  return new Promise((resolve) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result);
    reader.readAsDataURL(blob);
  });
}
