// What kinecast.js gives, for TypeScript. Nothing loads this.
// Keys of results: docs/protocol.md.

/** A session, and what it is resumed by. */
export interface Session {
  id: string;
  resume: string;
}

/** HTTP statuses and `code`s of the client's own. */
export type ProblemCode = number | "unreachable" | "no_media" | "unsupported" | "analyzer";

/** What `start` is rejected with, and what a state says is wrong. */
export interface Problem extends Error {
  code: ProblemCode;
}

export type State =
  | { code: "new" | "connecting" | "ended" }
  | { code: "live"; session: Session }
  | { code: "reconnecting"; in_s: number; problem: Problem }
  | { code: "restarting"; type: "analyzers_restarted"; analyzers: string[]; message: string }
  | { code: "refused"; problem: Problem };

export interface Settings {
  /** Bearer token, where the server asks for one. */
  token?: string;
  /** Names of those to run; all that the server has, unless told. */
  analyzers?: string[];
  /** For each analyzer, by name, what it should know. */
  options?: AnalyzerOptions;
  /** Publish the video under this name. */
  name?: string;
  /** How the browser encodes. */
  encoding?: RTCRtpEncodingParameters & { scalabilityMode?: string };
}

export type AnalyzerOptions = Record<string, Record<string, unknown>>;

export interface Landmark {
  index: number;
  name: string;
  x: number;
  y: number;
  z: number;
  visibility: number;
}

export interface Person {
  id: number;
  track_id: number;
  box: [number, number, number, number];
  bbox: [number, number, number, number];
  landmarks: Landmark[];
  world_landmarks: Landmark[];
  exercise?: { name: string; reps: number; phase: string; warnings: Hint[]; score?: number };
}

/** Something to do better, or that is wrong with the picture. */
export interface Hint {
  code: string;
  text: string;
  joint?: string;
  degrees?: number;
}

export interface Repetition {
  exercise?: string;
  start_ms: number;
  turn_ms: number;
  end_ms: number;
  score?: number | null;
  tempo_s?: { down: number; hold: number; up: number };
  range_deg?: Record<string, [number, number]>;
  range_of_motion?: number;
  faults?: string[];
  [key: string]: unknown;
}

/** Of the person in front, and of each where several are measured. Not a medical device. */
export interface Vitals {
  heart_rate_bpm: number | null;
  /** 0..1. */
  confidence: number;
  /** Why there is no rate, and what to do. */
  reason: Hint | null;
  respiration_per_min: number | null;
  /** The pulse's last seconds, -1..1, if the option `signal` is true. */
  signal?: number[];
  people?: (Omit<Vitals, "people"> & { id: number })[];
}

export interface FrameOfResult {
  number: number;
  /** Milliseconds since the session's first frame. */
  pts: number;
  width: number;
  height: number;
  /** Milliseconds since the epoch, by the server's clock. */
  received_at: number;
}

export interface Timing {
  queue_ms: number;
  /** By analyzer, milliseconds. */
  analyzers: Record<string, number>;
  held?: Record<string, number>;
  every_frame?: Record<string, { lag_ms: number; dropped: number }>;
}

/** What stands in each result; analyzers of one's own add their keys. */
export interface ResultKeys {
  final: boolean;
  timestamp: number;
  timing: Timing;
  dropped: number;
  has_pose?: boolean;
  track_id?: number | null;
  landmarks?: Landmark[];
  world_landmarks?: Landmark[];
  people?: Person[];
  exercise?: string;
  reps?: number;
  phase?: "rest" | "down" | "up" | "hold";
  held_s?: number;
  score?: number | null;
  score_parts?: Record<string, number> | null;
  repetition?: Repetition | null;
  feedback?: Hint[];
  warnings?: Hint[];
  framing?: Hint[];
  ready?: boolean;
  /** With the option `still`: whether it is told of a picture by itself. */
  still?: boolean;
  vitals?: Vitals;
  [key: string]: unknown;
}

/** Of one frame. */
export interface Result extends ResultKeys {
  final: false;
  frame: FrameOfResult;
  /** Since the server had the frame; NaN at first. */
  latency_ms: number;
}

/** Of the whole session. */
export interface FinalResult extends ResultKeys {
  final: true;
  /** Null if no frame came. */
  frame: FrameOfResult | null;
  /** Those of workers and sessions before, too. */
  repetitions: Repetition[];
}

/** Counts by exercise, and repetitions as told: this session's, and earlier ones. */
export interface Book {
  now: Record<string, number>;
  before: Record<string, number>;
  done: Repetition[];
  earlier: Repetition[];
}

/** `detail` of each event, by its type. */
export interface KinecastEvents {
  state: State;
  /** As sent, in their order. */
  result: Result;
  /** Once each; `count` goes on whatever happens to the session. */
  repetition: { exercise: string; count: number; repetition: Repetition | null };
  /** The session goes on. */
  problem: { code: ProblemCode; type?: string; analyzer?: string; message?: string; [key: string]: unknown };
  /** The last result; null if none came. */
  final: FinalResult | null;
}

/**
 * A session that reconnects by itself and goes on where it was. It is an EventTarget; that is not said here, since one
 * takes events by any name.
 */
export class Kinecast {
  /** @param url the server's origin */
  constructor(url: string, settings?: Settings);

  url: string;
  settings: Settings;
  /** The last one. */
  state: State;
  /** Null before the first connection; may be set before `start`, to resume. */
  session: Session | null;
  /** May be set before `start`, with `session`. */
  book: Book;
  /** What is sent, from `start` on. */
  stream?: MediaStream;
  peer: RTCPeerConnection | null;
  /** Infinity before it is known. */
  round_trip_ms: number;
  /** The server's clock less `performance.now()`; NaN before it is known. */
  clock_offset_ms: number;

  /** Send a stream's video until its track ends; null if stopped before it was. May be called again after a refusal. */
  start(stream: MediaStream): Promise<Session | null>;
  /** Change analyzers' options. */
  configure(options: AnalyzerOptions): void;
  /** End it; null if no final result came. */
  stop(): Promise<FinalResult | null>;

  addEventListener<T extends keyof KinecastEvents>(
    type: T,
    listener: ((event: CustomEvent<KinecastEvents[T]>) => void) | null,
    options?: boolean | AddEventListenerOptions,
  ): void;
  removeEventListener<T extends keyof KinecastEvents>(
    type: T,
    listener: ((event: CustomEvent<KinecastEvents[T]>) => void) | null,
    options?: boolean | EventListenerOptions,
  ): void;
  dispatchEvent(event: Event): boolean;
}
