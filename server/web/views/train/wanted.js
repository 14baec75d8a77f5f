// What somebody wants to train: chosen on the page, or in a link that a coach made.

// What was chosen, for this browser: {exercise, people}.
const KEPT = "kinecast.wanted";

/**
 * @param {string} hash of the address: `#plan=…`
 * @returns {{exercise?: string, people?: number, plan?: object}} `exercise`: the only one to look for
 */
export function wantedFrom(hash) {
  void hash;
  return JSON.parse(sessionStorage.getItem(KEPT) ?? "{}");
}

/** The analyzers' options for it. */
export function optionsOf({ exercise, custom, people = 1 }) {
  const options = { exercise: { name: exercise ?? null } };
  if (custom?.length) options.exercise.custom = custom;
  if (people > 1) options.pose = { num_poses: people };
  return options;
}
