// A plan: exercises, sets, repetitions or seconds, rests. As a link it is in the address's fragment, which
// browsers send to nobody: #plan=BASE64URL of {"name": …, "steps": [[exercise, sets, amount, rest_s], …]},
// where an amount is a number of repetitions, or seconds as "30s".

/** The server's own exercises. */
// biome-ignore format: a list
export const EXERCISES = [
  "squat", "push_up", "lunge", "bicep_curl", "shoulder_press", "jumping_jack", "sit_up", "pull_up",
  "deadlift", "lateral_raise", "plank",
];
/** Is held, and has no repetitions to count. */
export const HELD = "plank";
/** The most of each. */
export const MOST = { steps: 20, sets: 20, reps: 100, seconds: 600, rest: 600, name: 60, letters: 4000 };
const KEY = "#plan=";
const NAME = /^[a-z0-9][a-z0-9_]{0,39}$/;

const isUpTo =
  (most, least = 1) =>
  (value) =>
    Number.isInteger(value) && value >= least && value <= most;

/**
 * The plan of an address.
 * @param {string} hash
 * @returns {?{name: string, steps: {exercise: string, sets: number, reps?: number, seconds?: number,
 *   rest: number}[]}} null if there is none
 * @throws {Error} it is none that can be followed
 */
export function planIn(hash) {
  if (!hash.startsWith(KEY)) return null;
  if (hash.length > MOST.letters) throw new Error("too long");
  const letters = atob(hash.slice(KEY.length).replaceAll("-", "+").replaceAll("_", "/"));
  const bytes = Uint8Array.from(letters, (letter) => letter.codePointAt(0));
  const { name = "", steps } = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  const isPlan = typeof name === "string" && name.length <= MOST.name && Array.isArray(steps);
  if (!isPlan || !isUpTo(MOST.steps)(steps.length)) throw new Error("no plan");
  return { name, steps: steps.map(readStep) };
}

function readStep(told) {
  const [exercise, sets, amount, rest] = told;
  const isTime = typeof amount === "string" && /^\d{1,3}s$/.test(amount);
  const seconds = isTime ? Number.parseInt(amount, 10) : null;
  const step = { exercise, sets, rest, ...(seconds === null ? { reps: amount } : { seconds }) };
  const right =
    typeof exercise === "string" &&
    NAME.test(exercise) &&
    isUpTo(MOST.sets)(sets) &&
    isUpTo(MOST.rest, 0)(rest) &&
    (seconds === null ? exercise !== HELD && isUpTo(MOST.reps)(amount) : isUpTo(MOST.seconds)(seconds));
  if (!right || told.length !== 4) throw new Error("no step");
  return step;
}

/** The fragment for a plan. */
export function fragmentOf({ name, steps }) {
  const rows = steps.map(({ exercise, sets, reps, seconds, rest }) => [
    exercise,
    sets,
    reps ?? `${seconds}s`,
    rest,
  ]);
  const bytes = new TextEncoder().encode(JSON.stringify({ name, steps: rows }));
  const letters = btoa(String.fromCodePoint(...bytes));
  return KEY + letters.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}
