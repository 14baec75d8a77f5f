// The camera: its live picture by WebRTC or else as MJPEG, stills, recordings; of this server, or of
// another one.

import { el } from "../dom.js";
import { clock } from "../format.js";
import { problemOf } from "../problems.js";
import { watch } from "../whep.js";
import { cameraServer, connectTo, keptAddress } from "./camera_server.js";
import { keyed, missToken, repeat, say } from "./parts.js";
import { recordingRow } from "./recordings.js";

const EVERY_MS = 2000;
// Recordings: not with this token, or not on that server.
const FOR_GOOD = [403, 404, 405];

/** See router.js. */
export function mount(root, app) {
  const { t } = app;
  const server = cameraServer(app);
  if (!server) return { unmount() {} };
  const state = {
    status: null,
    recordings: null,
    analyzed: null,
    undrawn: null,
    live: null,
    started: false,
    still: "",
  };

  // ---- what is to be seen

  const video = el("video", {
    muted: true,
    autoplay: true,
    playsInline: true,
    hidden: true,
    "aria-label": t("camera.live"),
  });
  const image = el("img", { hidden: true, alt: t("camera.live"), onerror: loseImage });
  const badge = el("p.badge", { hidden: true });
  const empty = el("p.empty");
  const line = el("p.soft");
  const button = (name, text, onclick) => el(name, { type: "button", textContent: text, onclick });
  const start = button("button.primary", t("camera.start"), () => run(start, startCamera));
  const stop = button("button", t("camera.stop"), () => run(stop, stopCamera));
  const capture = button("button", t("camera.capture"), () => run(capture, captureFrame));
  const record = button("button.record", t("camera.record"), () => run(record, toggleRecording));
  const analyze = el("input", {
    type: "checkbox",
    role: "switch",
    onchange: () => run(analyze, switchAnalysis),
  });
  const still = el("section.card.still", { hidden: true });
  const list = el("ul");
  const none = el("p.soft.small");
  const recorded = el(
    "section.card.recordings",
    {},
    el("h2", { textContent: t("camera.recordings") }),
    none,
    list,
  );
  const address = el("input", {
    id: "server",
    inputMode: "url",
    value: keptAddress(),
    placeholder: location.origin,
    autocomplete: "url",
    spellcheck: false,
  });
  const refused = el("p.small.bad", { role: "alert" });
  const form = el(
    "form.server",
    { onsubmit: connect },
    el("label", { htmlFor: "server", textContent: t("camera.server") }),
    address,
    el("button", { textContent: t("camera.connect") }),
    !server.ours &&
      el("button.quiet", { type: "button", textContent: t("camera.back"), onclick: () => connectTo("") }),
    el("p.soft.small", { textContent: t("camera.server_hint") }),
    refused,
  );

  root.append(
    el(
      "section.main",
      {},
      el("header", {}, el("h1", { textContent: t("nav.camera") }), line),
      el("div.screen", {}, video, image, empty, badge),
      el(
        "div.actions",
        {},
        start,
        stop,
        capture,
        record,
        server.ours && el("label.switch", {}, analyze, el("span", { textContent: t("camera.analyze") })),
      ),
    ),
    el("aside", { "aria-label": t("camera.aside") }, still, recorded),
    form,
  );

  // ---- what is going on: asked for again and again

  const asking = repeat(async () => {
    const [status, recordings, sessions] = await Promise.all([
      server.json("/camera/status").catch((problem) => ({ problem })),
      FOR_GOOD.includes(state.recordings?.code)
        ? state.recordings
        : server.json("/recordings").catch((problem) => problem),
      server.ours ? server.json("/sessions").catch(() => null) : null,
    ]);
    if (status.problem?.code === 401 && server.ours) {
      asking.stop();
      missToken(app, status.problem);
    }
    const before = stateOf(state.status);
    state.status = status;
    state.recordings = recordings.recordings ?? recordings;
    state.analyzed = sessions?.sessions.find(({ name }) => name === "camera") ?? null;
    follow();
    show();
    // The numbers in the line change all the time: not everybody wants to hear them.
    if (before && before !== stateOf(status)) app.announce(line.textContent);
  }, EVERY_MS);

  const stateOf = (status) => status && (status.problem?.code ?? status.state ?? String(status.running));

  // The picture goes by what the camera does, whoever started or stopped it.
  function follow() {
    const { live, status, analyzed } = state;
    if (status.problem) return;
    const over = live?.annotated && !analyzed;
    if (live && (!isRunning() || live.annotated !== isToBeAnnotated())) leave({ over });
    if (!state.live && isRunning()) look();
  }

  const isToBeAnnotated = () => Boolean(state.analyzed) && state.analyzed.id !== state.undrawn;

  function isRunning() {
    // An older server has no `state`, and may not even tell whether it runs.
    const { state: now, running = state.started } = state.status ?? {};
    return now ? ["running", "starting", "failed"].includes(now) : Boolean(running);
  }

  function look() {
    const annotated = isToBeAnnotated();
    const mine = (state.live = { annotated, code: "connecting", by: "webrtc", was: false });
    const path = `/whep/camera${annotated ? "/annotated" : ""}`;
    mine.watching = watch(
      server.plain(path),
      () => server.token,
      (now) => {
        if (state.live !== mine) return;
        mine.code = now.code;
        mine.was ||= now.code === "live";
        if (now.code === "live") video.hidden = false;
        else if (now.code === "refused" || (now.code === "reconnecting" && !mine.was)) fallBack(mine);
        else if (now.code === "reconnecting") asking.now();
        show();
      },
    );
    video.srcObject = mine.watching.stream;
  }

  function fallBack(mine) {
    if (mine.annotated) {
      state.undrawn = state.analyzed?.id;
      return leave({ over: true });
    }
    mine.watching.stop();
    mine.by = "mjpeg";
    video.hidden = true;
    image.hidden = false;
    image.onload = () => {
      mine.code = "live";
      show();
    };
    // So that the other server learns which page asks.
    image.crossOrigin = "anonymous";
    image.src = server.url("/stream.mjpg");
  }

  function loseImage() {
    if (image.hidden) return;
    leave();
    asking.now();
  }

  function leave(how) {
    state.live?.watching.stop(how);
    state.live = null;
    video.srcObject = null;
    video.hidden = image.hidden = true;
    image.removeAttribute("src");
  }

  // ---- what the buttons do

  async function run(control, job) {
    control.disabled = true;
    app.notice(null);
    try {
      await job();
    } catch (problem) {
      app.notice(server.explain(problem), { kind: "problem" });
    }
    control.disabled = false;
    asking.now();
  }

  async function startCamera() {
    await server.json("/camera/start", { method: "POST" });
    state.started = true;
  }

  async function stopCamera() {
    await server.json("/camera/stop", { method: "POST" });
    state.started = false;
    leave();
  }

  async function captureFrame() {
    const response = await server.fetch("/frame");
    if (!response.ok) throw await problemOf(response);
    URL.revokeObjectURL(state.still);
    state.still = URL.createObjectURL(await response.blob());
    const name = `frame-${new Date().toISOString().slice(0, 19).replaceAll(":", "-")}.jpg`;
    const picture = el("img", { src: state.still, alt: t("camera.still") });
    const link = el("a.button", { href: state.still, download: name, textContent: t("download") });
    still.replaceChildren(el("h2", { textContent: t("camera.still") }), picture, link);
    still.hidden = false;
    app.announce(t("camera.captured"));
  }

  async function toggleRecording() {
    const running = currentRecording();
    if (running) return server.json(`/recordings/${running.name}`, { method: "DELETE" });
    const source = state.live?.annotated ? "camera/annotated" : "camera";
    return server.json("/recordings", { method: "POST", body: JSON.stringify({ source }) });
  }

  async function switchAnalysis() {
    const { checked } = analyze;
    try {
      if (checked)
        await server.json("/sessions", { method: "POST", body: JSON.stringify({ source: "camera" }) });
      else if (state.analyzed) {
        await server.json(`/sessions/${state.analyzed.id}`, { method: "DELETE" });
        state.analyzed = null;
        follow();
      }
    } catch (problem) {
      analyze.checked = !checked;
      throw problem;
    }
  }

  function connect(event) {
    event.preventDefault();
    refused.textContent = connectTo(address.value) ? "" : t("camera.bad_address");
  }

  // ---- showing it

  const currentRecording = () =>
    Array.isArray(state.recordings) &&
    state.recordings.find((one) => one.state === "recording" && one.source.startsWith("camera"));

  function show() {
    const { status, live } = state;
    const runs = isRunning();
    const enabled = Boolean(status) && !status.problem && status.enabled !== false;
    say(line, statusLine());
    line.classList.toggle("bad", Boolean(status?.problem || status?.error));
    say(
      empty,
      live?.code === "connecting"
        ? t("state.connecting")
        : runs
          ? ""
          : t(enabled ? "camera.off" : "camera.none"),
    );
    empty.hidden = live?.code === "live" || live?.was;
    badge.hidden = !live || live.code === "connecting";
    const how = live?.code === "live" ? live.by : "reconnecting";
    badge.className = `badge ${how}`;
    say(badge, t(`camera.by.${how}`));

    start.hidden = runs;
    stop.hidden = !runs;
    start.disabled = !enabled;
    capture.disabled = !(status?.running ?? runs);
    const recording = currentRecording();
    record.hidden = !Array.isArray(state.recordings);
    record.disabled = !enabled;
    record.classList.toggle("on", Boolean(recording));
    say(record, recording ? t("camera.recording", { time: clock(recording.seconds) }) : t("camera.record"));
    analyze.disabled = !enabled;
    if (document.activeElement !== analyze) analyze.checked = Boolean(state.analyzed);

    const recordings = Array.isArray(state.recordings) ? state.recordings.toReversed() : [];
    // One explanation is enough.
    recorded.hidden = Boolean(status?.problem);
    none.hidden = recordings.length > 0;
    if (state.recordings)
      say(none, state.recordings.code ? server.explain(state.recordings) : t("camera.no_recordings"));
    keyed(
      list,
      recordings,
      ({ name }) => name,
      (one) => recordingRow(one, { app, server, run }),
    );
  }

  function statusLine() {
    const { status } = state;
    if (!status) return t("camera.asking");
    if (status.problem) return server.explain(status.problem);
    if (status.state === "failed") return t("camera.failed", status);
    if (status.enabled === false || status.state === "unavailable")
      return t("camera.unavailable", { error: status.error });
    if (!isRunning()) return t("state.refused");
    if (status.state === "starting") return t("camera.starting");
    const said = [t("camera.runs", { backend: status.backend })];
    if (status.width) said.push(`${status.width} × ${status.height}`);
    if (status.fps) said.push(t("state.live.few", { fps: Math.round(status.fps) }));
    if (status.viewers) said.push(t("camera.viewers", { n: status.viewers }));
    return said.join(" · ");
  }

  show();
  return {
    unmount() {
      asking.stop();
      leave();
      URL.revokeObjectURL(state.still);
    },
  };
}
