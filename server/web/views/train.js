// Train: the camera or a file goes out; the skeleton, the count and the score come back.

import { openCamera, playFile, release } from "../capture.js";
import { colourOf } from "../dom.js";
import { drawSkeleton } from "../skeleton.js";
import { Stage } from "../stage.js";
import { Chart } from "./train/chart.js";
import { anglesOf, jointOf } from "./train/joints.js";
import { panel } from "./train/panel.js";
import { Sets } from "./train/sets.js";
import { summarize } from "./train/summary.js";
import { summaryView } from "./train/summary_view.js";
import { welcome } from "./train/welcome.js";

const CAMERA = {
  facingMode: "user",
  width: { ideal: 1280 },
  height: { ideal: 720 },
  frameRate: { ideal: 30 },
};
// Landmarks are as good from a picture of this width; what is shown here is the camera's own.
const SENT_WIDTH = 640;
const ANALYZERS = ["pose", "exercise"];

export function mount(root, app) {
  let leave = () => {};
  const begin = async (open) => {
    app.notice(null);
    try {
      const stream = await open();
      leave();
      leave = train(
        root,
        app,
        stream,
        (summary, session) => {
          leave();
          const view = summaryView(app, summary, session, idle);
          root.replaceChildren(view);
          view.querySelector("h1").focus();
        },
        idle,
      );
    } catch (error) {
      if (!error.code) console.error(error);
      app.notice(app.explain(error), { kind: "problem" });
    }
  };
  const idle = () => {
    leave();
    leave = () => {};
    root.replaceChildren(
      welcome(app, {
        camera: () => begin(() => openCamera(CAMERA)),
        file: (address) => begin(() => playFile(address)),
      }),
    );
  };
  idle();
  return () => leave();
}

/**
 * One training, from a stream to its summary.
 * @returns {() => void} leaves it
 */
function train(root, app, stream, onSummary, onRefused) {
  const { t } = app;
  const [track] = stream.getVideoTracks();
  track.contentHint = "motion";
  const sets = new Sets();
  const counts = {};
  const told = [];
  const view = panel(app, () => client.stop());
  root.replaceChildren(view.element);
  const accent = colourOf("on-video");
  const stage = new Stage(view.canvas, (pen, shown) => drawSkeleton(pen, shown, accent));
  stage.mirrored = !stream.video && track.getSettings().facingMode !== "environment";
  const chart = new Chart(view.chart);
  const { width = 0, height = 0 } = track.getSettings();
  const client = app.client({
    analyzers: ANALYZERS,
    encoding: { maxFramerate: 30, scaleResolutionDownBy: Math.max(1, Math.max(width, height) / SENT_WIDTH) },
  });
  let left = false;
  let awake = null;

  client.addEventListener("state", ({ detail }) => {
    if (left) return;
    if (detail.code === "live") stage.reset();
    view.state(detail);
    if (detail.code === "refused") refused(detail.problem);
  });
  client.addEventListener("problem", ({ detail }) => app.notice(app.explain(detail), { kind: "problem" }));
  client.addEventListener("result", ({ detail: result }) => {
    stage.take(result, result.frame.received_at - client.clock_offset_ms);
    if (result.phase === "hold") sets.hold(result.exercise, result.held_s, result.score);
    const angles = result.world_landmarks?.length ? anglesOf(result.world_landmarks) : null;
    const joint = jointOf(sets.current?.exercise);
    if (angles) chart.add(result.frame.pts, angles);
    chart.joint = joint;
    view.angle(joint, angles?.[joint]);
    view.result(result, sets, stage.latency_ms);
    chart.draw();
  });
  client.addEventListener("repetition", ({ detail }) => {
    sets.count(detail, performance.now());
    counts[detail.exercise] = detail.count;
    if (detail.repetition) {
      told.push(detail.repetition);
      chart.mark(detail.repetition, sets.current.count);
    }
    if (!left) view.counted(sets);
  });
  const finish = (final) => {
    // Without the final result there is still what was told on the way.
    if (!left) onSummary(summarize(final ?? { repetitions: told }, counts), client.session);
  };
  client.addEventListener("final", ({ detail }) => finish(detail));

  const refused = async (problem) => {
    if (problem.code === 401 && (await app.askForToken()) && !left) {
      client.settings.token = app.token;
      client.start(stream).catch(() => {});
      return;
    }
    app.notice(app.explain(problem), { kind: "problem" });
    if (client.session) finish(null);
    else onRefused();
  };

  const leave = () => {
    left = true;
    client.stop();
    stage.stop();
    chart.stop();
    release(stream);
    awake?.release();
  };

  stage.play(stream).catch(() => {});
  client.start(stream).catch(() => {});
  navigator.wakeLock?.request("screen").then(
    (lock) => (left ? lock.release() : (awake = lock)),
    () => {},
  );
  app.announce(t("train.begun"));
  return leave;
}
