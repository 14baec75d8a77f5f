// What somebody wants to train.

const OWN = "kinecast.exercises";

/** Exercises of one's own, in this browser. */
export function ownExercises() {
  try {
    return JSON.parse(localStorage.getItem(OWN)).filter((each) => each?.name);
  } catch {
    // There are none, or what was kept is damaged.
    return [];
  }
}

/** Keep them. */
export function keepOwn(list) {
  localStorage.setItem(OWN, JSON.stringify(list));
}

/**
 * The analyzers' options for it.
 * @param {{exercise?: string, people?: number, plan?: object, teach?: string}} wanted `exercise`: the only
 *   one to look for; `people`: how many train; `teach`: the name of one that is to be shown
 */
export function optionsOf({ exercise, people = 1, teach }) {
  const options = { exercise: { name: exercise ?? null } };
  const custom = ownExercises();
  if (custom.length) options.exercise.custom = custom;
  if (teach) options.exercise.learn = { name: teach, repetitions: 3 };
  if (people > 1) options.pose = { num_poses: people };
  return options;
}
