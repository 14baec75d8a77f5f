// Figures of trainings by week and exercise.

const DAY_MS = 86_400_000;

/** What can be drawn: of a set its value and what that weighs; `sum`: a week has the sum, not the mean. */
export const FIGURES = {
  reps: { sum: true, of: ({ reps }) => [reps || null, 1] },
  held: { sum: true, of: ({ held_s }) => [held_s, 1] },
  range: { sum: false, of: ({ range_deg, reps }) => [range_deg, reps] },
  score: { sum: false, of: ({ score, reps }) => [score, Math.max(reps, 1)] },
};

/** The Monday before a moment, at midnight here, ms since the epoch. */
export function weekOf(ms) {
  const day = new Date(ms);
  day.setHours(0, 0, 0, 0);
  day.setDate(day.getDate() - ((day.getDay() + 6) % 7));
  return day.getTime();
}

/**
 * @param {object[]} trainings as GET /athletes/{id}/trainings has them
 * @param {string} exercise its name, or "" for all
 * @param {string} figure one of FIGURES
 * @returns {{week: number, value: ?number}[]} every week from the first to the last; null without one
 */
export function byWeek(trainings, exercise, figure) {
  const { sum, of } = FIGURES[figure];
  const weeks = new Map();
  for (const { began_at, sets } of trainings) {
    for (const set of sets) {
      if (exercise && set.exercise !== exercise) continue;
      const [value, weight] = of(set);
      if (value === null || !weight) continue;
      const week = weekOf(began_at);
      const [total, weights] = weeks.get(week) ?? [0, 0];
      weeks.set(week, [total + value * weight, weights + weight]);
    }
  }
  const found = [...weeks.keys()].sort((one, other) => one - other);
  const all = [];
  // Half a day more: a week in which clocks change is an hour longer or shorter.
  for (let week = found[0]; week <= found.at(-1); week = weekOf(week + 7.5 * DAY_MS)) {
    const [total, weights] = weeks.get(week) ?? [];
    const value = sum ? (total ?? 0) : weights ? total / weights : null;
    all.push({ week, value });
  }
  return all;
}

/** The exercises of trainings, the most frequent first. */
export function exercisesOf(trainings) {
  const times = new Map();
  for (const { sets } of trainings)
    for (const { exercise } of sets) times.set(exercise, (times.get(exercise) ?? 0) + 1);
  return [...times.entries()].sort(([, one], [, other]) => other - one).map(([name]) => name);
}

/** A round number that is not less, and four steps up to it. */
export function scaleFor(largest) {
  const rough = Math.max(largest, 1) / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map((each) => each * power).find((each) => each >= rough);
  return [0, 1, 2, 3, 4].map((each) => each * step);
}
