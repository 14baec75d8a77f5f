// What a training was like, and its files to take away.

import { jointIn } from "./repetitions.js";
import { mean } from "./sets.js";

// A fault in fewer of the repetitions is a slip, and no advice.
const OFTEN = 0.25;
const PARTS = ["depth", "alignment", "symmetry", "tempo", "steadiness"];

/**
 * Sum up a training, whatever of it the server still knows.
 * @param {object} final of kinecast.js
 * @param {{now: Object<string, number>, before: Object<string, number>}} book of kinecast.js
 * @param {{list: object[]}} [sets] what was held in them, and not in between
 * @returns {{exercises: object[], repetitions: object[]}} exercises in their order
 */
export function summarize(final, { now, before }, sets) {
  const repetitions = final.repetitions ?? [];
  const told = final.exercise_summary?.exercises ?? {};
  // What was held before a set does not count; who trains has seen what did.
  const shown = (name) =>
    sets?.list.reduce((sum, each) => sum + (each.exercise === name ? each.held_s : 0), 0) ?? Infinity;
  const held = (name) => Math.min(told[name]?.held_s ?? 0, shown(name));
  const counts = { ...before };
  for (const [name, count] of Object.entries(now)) counts[name] = (before[name] ?? 0) + count;
  const names = [...new Set([...Object.keys(counts), ...Object.keys(told)])].filter(
    (name) => counts[name] > 0 || held(name) > 0,
  );
  const exercises = names.map((exercise) => {
    const done = repetitions.filter((each) => each.exercise === exercise);
    const [fault, times] = mostFrequent(done.flatMap((each) => each.faults));
    const held_s = held(exercise);
    const scores = done.map((each) => each.score);
    return {
      exercise,
      reps: counts[exercise] ?? 0,
      held_s,
      mean_score: held_s ? told[exercise].mean_score : mean(scores),
      best_score: held_s ? told[exercise].best_score : scores.length ? Math.max(...scores) : null,
      most_frequent_fault: (held_s ? told[exercise].most_frequent_fault : fault) ?? null,
      often: held_s > 0 || times > OFTEN * done.length,
    };
  });
  return { exercises, repetitions };
}

/**
 * The same without a final result: what was told on the way.
 * @param {{book: object, sets: object}} training the book of kinecast.js, sets as `Sets` or its JSON
 */
export function summaryOfBook({ book, sets }) {
  const held = {};
  for (const { exercise, held_s, scores } of sets.list) {
    if (held_s) held[exercise] = { held_s: (held[exercise]?.held_s ?? 0) + held_s, mean_score: mean(scores) };
  }
  for (const each of Object.values(held)) each.best_score = each.mean_score;
  const repetitions = [...book.earlier, ...book.done];
  return summarize({ repetitions, exercise_summary: { exercises: held } }, book);
}

/** All that is known, as JSON. */
export const asJson = (summary, session) =>
  JSON.stringify(
    { session: session?.id ?? null, ended_at: new Date().toISOString(), units: UNITS, ...summary },
    null,
    2,
  );

const UNITS = {
  ...Object.fromEntries(["start_ms", "turn_ms", "end_ms"].map((key) => [key, "ms since the first frame"])),
  tempo_s: "s",
  held_s: "s",
  score: "points of 100",
  range_deg: "degrees: least and largest angle",
  range_of_motion: "docs/page.md: degrees, or parts of a length of the body",
};

// Whose range of motion is an angle; that of the others is in parts of a length of the body.
const IN_DEGREES = ["push_up", "deadlift", "sit_up", "lateral_raise"];

// A column of the CSV file: its name with its unit, and what a repetition has in it. docs/page.md tells
// of each. Scores are points of 100.
const COLUMNS = {
  number: (_, index) => index + 1,
  exercise: (each) => each.exercise,
  start_s: (each) => seconds(each.start_ms),
  turn_s: (each) => seconds(each.turn_ms),
  end_s: (each) => seconds(each.end_ms),
  range_of_motion_deg: (each) => (IN_DEGREES.includes(each.exercise) ? each.range_of_motion : ""),
  range_of_motion_ratio: (each) => (IN_DEGREES.includes(each.exercise) ? "" : each.range_of_motion),
  joint: (each) => jointIn(each) ?? "",
  ...Object.fromEntries(
    ["left", "right"].flatMap((side) =>
      ["least", "largest"].map((end, at) => [
        `${side}_${end}_deg`,
        (each) => each.range_deg?.[`${side}_${jointIn(each)}`]?.[at] ?? "",
      ]),
    ),
  ),
  down_s: (each) => each.tempo_s.down,
  hold_s: (each) => each.tempo_s.hold,
  up_s: (each) => each.tempo_s.up,
  score_points: (each) => each.score,
  ...Object.fromEntries(PARTS.map((part) => [`${part}_points`, (each) => each.score_parts[part]])),
  fault_codes: (each) => each.faults.join(" "),
};

const seconds = (ms) => ms / 1000;

/** The repetitions as CSV (RFC 4180), one a line, with a header. */
export function asCsv({ repetitions }) {
  const rows = repetitions.map((each, index) => Object.values(COLUMNS).map((value) => value(each, index)));
  return [Object.keys(COLUMNS), ...rows].map((row) => `${row.join(",")}\r\n`).join("");
}

function mostFrequent(codes) {
  const times = {};
  for (const code of codes) times[code] = (times[code] ?? 0) + 1;
  return Object.entries(times).sort(([, a], [, b]) => b - a)[0] ?? [null, 0];
}
