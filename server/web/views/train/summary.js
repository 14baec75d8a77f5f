// What a training was like, and its files to take away.

import { mean } from "./sets.js";

// A fault in fewer of the repetitions is a slip, and no advice.
const OFTEN = 0.25;
const PARTS = ["depth", "alignment", "symmetry", "tempo", "steadiness"];

/**
 * Sum up a training, whatever of it the server still knows.
 * @param {object} final of kinecast.js
 * @param {{now: Object<string, number>, before: Object<string, number>}} book of kinecast.js
 * @returns {{exercises: object[], repetitions: object[]}} exercises in their order
 */
export function summarize(final, { now, before }) {
  const repetitions = final.repetitions ?? [];
  const told = final.exercise_summary?.exercises ?? {};
  const counts = { ...before };
  for (const [name, count] of Object.entries(now)) counts[name] = (before[name] ?? 0) + count;
  const names = [...new Set([...Object.keys(counts), ...Object.keys(told)])];
  const exercises = names.map((exercise) => {
    const done = repetitions.filter((each) => each.exercise === exercise);
    const [fault, times] = mostFrequent(done.flatMap((each) => each.faults));
    const held_s = told[exercise]?.held_s ?? 0;
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
  JSON.stringify({ session: session?.id ?? null, ended_at: new Date().toISOString(), ...summary }, null, 2);

/** The repetitions as CSV (RFC 4180), one a line. */
export function asCsv({ repetitions }) {
  const head = [
    "number",
    "exercise",
    "start_s",
    "turn_s",
    "end_s",
    "range_of_motion",
    "down_s",
    "hold_s",
    "up_s",
    "score",
    ...PARTS,
    "faults",
  ];
  const rows = repetitions.map((each, index) => [
    index + 1,
    each.exercise,
    each.start_ms / 1000,
    each.turn_ms / 1000,
    each.end_ms / 1000,
    each.range_of_motion,
    each.tempo_s.down,
    each.tempo_s.hold,
    each.tempo_s.up,
    each.score,
    ...PARTS.map((part) => each.score_parts[part]),
    each.faults.join(" "),
  ]);
  return [head, ...rows].map((row) => `${row.join(",")}\r\n`).join("");
}

function mostFrequent(codes) {
  const times = {};
  for (const code of codes) times[code] = (times[code] ?? 0) + 1;
  return Object.entries(times).sort(([, a], [, b]) => b - a)[0] ?? [null, 0];
}
