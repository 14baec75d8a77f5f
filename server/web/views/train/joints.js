// The angle that shows an exercise best, from the world landmarks.

// By BlazePose's numbers, left and right: the joint stands in the middle.
// biome-ignore format: a table
const ANGLES = {
  knee: [[23, 25, 27], [24, 26, 28]],
  elbow: [[11, 13, 15], [12, 14, 16]],
  shoulder: [[23, 11, 13], [24, 12, 14]],
  hip: [[11, 23, 25], [12, 24, 26]],
};
const OF_EXERCISE = {
  squat: "knee",
  lunge: "knee",
  push_up: "elbow",
  bicep_curl: "elbow",
  shoulder_press: "elbow",
  pull_up: "elbow",
  jumping_jack: "shoulder",
  lateral_raise: "shoulder",
  deadlift: "hip",
  sit_up: "hip",
  plank: "hip",
};

/** The joint to look at: `knee`, `elbow`, `shoulder` or `hip`. */
export const jointOf = (exercise) => OF_EXERCISE[exercise] ?? "knee";

/**
 * The angles of a person's joints, left and right weighed by how well they are seen.
 * @param {{x: number, y: number, z: number, visibility: number}[]} world in metres
 * @returns {Object<string, number>} degrees by joint
 */
export function anglesOf(world) {
  const angles = {};
  for (const [joint, sides] of Object.entries(ANGLES)) {
    let [sum, weights] = [0, 0];
    for (const [a, b, c] of sides) {
      const weight = Math.max(world[a].visibility * world[b].visibility * world[c].visibility, 1e-3);
      sum += weight * angle(world[a], world[b], world[c]);
      weights += weight;
    }
    angles[joint] = sum / weights;
  }
  return angles;
}

function angle(a, b, c) {
  const [u, v] = [a, c].map((end) => [end.x - b.x, end.y - b.y, end.z - b.z]);
  const dot = u[0] * v[0] + u[1] * v[1] + u[2] * v[2];
  const cosine = dot / (Math.hypot(...u) * Math.hypot(...v) || 1);
  return (Math.acos(Math.max(-1, Math.min(1, cosine))) * 180) / Math.PI;
}
