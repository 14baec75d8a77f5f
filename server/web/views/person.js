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
 * @param {{found: (embedding: string) => void}} events `found`: the server knows what they look like
 * @returns {{element: Element, take: (file: ?Blob) => void, disable: () => void, stop: () => void}}
 */
export function personCard(app, { found }) {
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
  const image = el("img", { hidden: true, alt: t("find.person_picture") });
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
    el("div.drop", {}, hint, image, video, count),
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

  async function take(file) {
    if (!file) return;
    const mine = ++turn;
    say(wrong, "");
    say(said, t("find.reading"));
    try {
      const picture = await shrink(file);
      if (mine !== turn) return;
      showPicture(picture);
      const body = JSON.stringify({ image: await asDataUrl(picture) });
      const answer = await ask(app.fetch, "/upload-embedding", { method: "POST", body });
      if (mine !== turn) return;
      say(said, t("find.known", { n: answer.people }));
      found(answer.embedding);
    } catch (problem) {
      if (mine !== turn) return;
      say(said, "");
      say(wrong, t(`find.problem.${problem.code}`, problem, "") || app.explain(problem));
    }
  }

  function showPicture(picture) {
    URL.revokeObjectURL(address);
    image.src = address = URL.createObjectURL(picture);
    image.hidden = false;
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
      take(picture);
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
    image.hidden = Boolean(camera) || !address;
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
  return grab(bitmap, Math.round(bitmap.width * scale), Math.round(bitmap.height * scale));
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
