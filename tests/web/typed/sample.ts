// Uses all that kinecast.d.ts declares; `make web-check` has TypeScript look at it, and esbuild bundle it.

import {
  type AnalyzerOptions,
  type Book,
  type FinalResult,
  type FrameOfResult,
  type Hint,
  Kinecast,
  type KinecastEvents,
  type Landmark,
  type Person,
  type Problem,
  type ProblemCode,
  type Repetition,
  type Result,
  type ResultKeys,
  type Session,
  type Settings,
  type State,
  type Timing,
  type Vitals,
} from "../../../server/web/kinecast.js";

const options: AnalyzerOptions = { pose: { num_poses: 2 }, exercise: { name: "squat" } };
const settings: Settings = {
  token: "…",
  analyzers: ["pose", "exercise"],
  options,
  name: "hall",
  encoding: { maxFramerate: 30, maxBitrate: 1_000_000, scaleResolutionDownBy: 1, scalabilityMode: "L1T2" },
};

export async function train(stream: MediaStream, before?: { session: Session; book: Book }): Promise<string[]> {
  const told: string[] = [];
  const kinecast = new Kinecast("http://localhost:8083", settings);
  if (before) {
    kinecast.session = before.session;
    kinecast.book = before.book;
  }
  const onResult = ({ detail }: CustomEvent<Result>) => told.push(...seen(detail));
  kinecast.addEventListener("result", onResult);
  kinecast.addEventListener("state", ({ detail }) => told.push(stateOf(detail)), { passive: true });
  kinecast.addEventListener("repetition", ({ detail: { exercise, count, repetition } }) => {
    told.push(exercise, count.toFixed(), ...(repetition ? how(repetition) : []));
  });
  kinecast.addEventListener("problem", ({ detail }: CustomEvent<KinecastEvents["problem"]>) => {
    const code: ProblemCode = detail.code;
    told.push(String(code), detail.analyzer ?? "", detail.type ?? "", detail.message ?? "", String(detail["phase"]));
  });
  kinecast.addEventListener("final", ({ detail }) => told.push(...(detail ? last(detail) : ["none"])));
  try {
    const session: Session | null = await kinecast.start(stream);
    told.push(session?.id ?? "", session?.resume ?? "");
  } catch (error) {
    const { code, message } = error as Problem;
    if (code === 401) kinecast.settings.token = message;
  }
  kinecast.configure(options);
  const rtt: number = kinecast.round_trip_ms + kinecast.clock_offset_ms;
  told.push(kinecast.url, rtt.toFixed(), kinecast.state.code, kinecast.peer?.connectionState ?? "");
  told.push(kinecast.stream?.id ?? "", ...Object.keys(kinecast.book.now), ...Object.keys(kinecast.book.before));
  kinecast.removeEventListener("result", onResult);
  const final: FinalResult | null = await kinecast.stop();
  return [...told, ...(final ? final.repetitions.flatMap(how) : [])];
}

function stateOf(state: State): string {
  switch (state.code) {
    case "live":
      return state.session.id;
    case "reconnecting":
      return `${state.in_s} ${state.problem.code}`;
    case "restarting":
      return `${state.type} ${state.analyzers.join()} ${state.message}`;
    case "refused":
      return state.problem.message;
    default:
      return state.code;
  }
}

function seen(result: Result): string[] {
  const { number, pts, width, height, received_at }: FrameOfResult = result.frame;
  const figures = [number, pts, width, height, received_at, result.latency_ms, result.timestamp, result.dropped];
  const own: unknown = result["brightness"];
  const isFrame: false = result.final;
  return [...figures.map(String), String(own), String(isFrame), ...keys(result), ...(result.people ?? []).flatMap(of)];
}

function keys({ timing, ...result }: ResultKeys): string[] {
  const { queue_ms, analyzers, held = {}, every_frame = {} }: Timing = timing;
  const late = Object.entries(every_frame).map(([name, { lag_ms, dropped }]) => `${name} ${lag_ms} ${dropped}`);
  const hints: Hint[] = [...(result.feedback ?? []), ...(result.warnings ?? []), ...(result.framing ?? [])];
  return [
    ...[queue_ms, result.reps, result.held_s, result.score, result.track_id].map(String),
    ...[result.exercise, result.phase, result.has_pose, result.ready, result.still].map(String),
    ...Object.keys({ ...analyzers, ...held, ...result.score_parts }),
    ...late,
    ...hints.map(({ code, text, joint, degrees }) => `${code} ${text} ${joint} ${degrees}`),
    ...[...(result.landmarks ?? []), ...(result.world_landmarks ?? [])].map(point),
    ...(result.repetition ? how(result.repetition) : []),
    ...(result.vitals ? pulse(result.vitals) : []),
  ];
}

function pulse({ heart_rate_bpm, confidence, reason, respiration_per_min, signal = [], people = [] }: Vitals): string[] {
  const figures = [heart_rate_bpm, confidence, respiration_per_min, ...signal];
  return [...figures.map(String), reason?.text ?? "", ...people.flatMap(({ id, ...one }) => [String(id), ...pulse(one)])];
}

const point = ({ index, name, x, y, z, visibility }: Landmark) => `${index} ${name} ${x + y + z} ${visibility}`;

function of({ id, track_id, box: [x0], bbox: [left], landmarks, world_landmarks, exercise }: Person): string[] {
  const doing = exercise ? [exercise.name, exercise.reps, exercise.phase, exercise.score, exercise.warnings.length] : [];
  return [...[id, track_id, x0, left, ...doing].map(String), ...landmarks.map(point), ...world_landmarks.map(point)];
}

function how(repetition: Repetition): string[] {
  const { start_ms, turn_ms, end_ms, score, range_of_motion, exercise, faults = [] } = repetition;
  const { down, hold, up } = repetition.tempo_s ?? { down: 0, hold: 0, up: 0 };
  const [least, most] = repetition.range_deg?.["left_knee"] ?? [0, 180];
  const figures = [start_ms, turn_ms, end_ms, score, range_of_motion, down, hold, up, least, most];
  return [exercise ?? "", ...figures.map(String), ...faults, String(repetition["side"])];
}

function last({ repetitions, frame, final, ...more }: FinalResult): string[] {
  const whole: true = final;
  return [String(whole), String(frame?.number), ...repetitions.flatMap(how), String(more["exercise_summary"])];
}

// What is wrong is found.
// @ts-expect-error: no such event
new Kinecast("").addEventListener("results", () => {});
// @ts-expect-error: a list of names
new Kinecast("", { analyzers: "pose" });
// @ts-expect-error: a stream, not a track
new Kinecast("").start(new MediaStreamTrack());
// @ts-expect-error: there may be no session yet
new Kinecast("").session.id;
