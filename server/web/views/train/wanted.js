// What somebody wants to train.

const OWN = "kinecast.exercises";
// Landmarks are as good from a picture of this width; what is shown here is the camera's own.
const SENT_WIDTH = 640;
// Encoders save first on what a pulse is seen in: more than some browsers take for it by themselves.
const VITALS_BITS = 2_500_000;

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

/**
 * How the camera is sent.
 * @param {string[]} offered names of the server's analyzers
 * @param {MediaTrackSettings} camera
 */
export function encodingOf(offered, { width = 0, height = 0 }) {
  const scaleResolutionDownBy = Math.max(1, Math.max(width, height) / SENT_WIDTH);
  const more = offered.includes("vitals") && { maxBitrate: VITALS_BITS };
  return { maxFramerate: 30, scaleResolutionDownBy, ...more };
}
