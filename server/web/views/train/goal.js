// A step of a plan in words.

/** An exercise's name; one of somebody's own has no text but that. */
export const nameOf = (t, exercise) => t(`exercise.${exercise}`, {}, exercise.replaceAll("_", " "));

/** @param {{exercise: string, reps?: number, seconds?: number}} step `10 × Squat`, `30 s · Plank` */
export const goalText = (t, { exercise, reps, seconds }) =>
  `${reps ? `${reps} ×` : `${seconds} s ·`} ${nameOf(t, exercise)}`;
