"""Writes server/web/views/train/poses.js: how the sample's athlete does the exercises.

.venv/bin/python -m tools.write_demonstrations
"""

import json
from pathlib import Path

import numpy as np

from client_test.athlete import floor, standing
from client_test.athlete.exercise import Exercise
from client_test.athlete.geometry import radians, vector
from client_test.athlete.people import MAN_IN_BLUE
from client_test.athlete.skeleton import Place, solve

TARGET = Path(__file__).resolve().parent.parent / "server/web/views/train/poses.js"
# BlazePose's numbers: the nose, shoulders, elbows, wrists, hips, knees, ankles, toes.
JOINTS = (0, 11, 12, 13, 14, 15, 16, 23, 24, 25, 26, 27, 28, 31, 32)
# From the start to the turn.
PHASES = (0.0, 0.125, 0.25, 0.375, 0.5)
# What a picture is high and wide, and where its floor is.
FRAME_M, FLOOR = 2.4, 0.95
STEPS = 1000
# Each as it is seen best: turned to their left by so many degrees; one that changes sides twice.
EXERCISES: dict[str, tuple[Exercise, float, int]] = {
    "squat": (standing.SQUAT, 50.0, 1),
    "jumping_jack": (standing.JUMPING_JACK, 0.0, 1),
    "bicep_curl": (standing.BICEP_CURL, 40.0, 1),
    "shoulder_press": (standing.OVERHEAD_PRESS, 20.0, 1),
    "lunge": (standing.LUNGE, 60.0, 2),
    "push_up": (floor.PUSH_UP, 80.0, 1),
    "sit_up": (floor.SIT_UP, 80.0, 1),
}
HEAD = """// How exercises are done: the sample's athlete. Made by tools/write_demonstrations.py.
//
// By exercise `[out_s, hold_s, back_s, poses…]`, where `poses` are those of one repetition from its
// start to its turn, a text each: x and y of 15 joints in thousandths of the picture, three digits
// each.
// biome-ignore format: made by a program
export const POSES = """


def poses_of(exercise: Exercise, yaw_deg: float, times: int) -> list[list[str]]:
    """Return the poses of so many repetitions, each from its start to its turn."""
    place = Place(vector(0.0, 0.0, 0.0), radians(yaw_deg))
    points = np.array(
        [
            [
                solve(MAN_IN_BLUE, exercise.pose(MAN_IN_BLUE, phase, number), place).landmarks()
                for phase in PHASES
            ]
            for number in range(times)
        ]
    )[:, :, JOINTS]
    x = points[..., 0] - (points[..., 0].max() + points[..., 0].min()) / 2.0
    flat = np.stack([0.5 + x / FRAME_M, FLOOR - points[..., 1] / FRAME_M], axis=-1)
    steps = np.clip(np.round(flat * STEPS), 0, STEPS - 1).astype(int)
    return [["".join(f"{each:03}" for each in pose.ravel()) for pose in one] for one in steps]


def text() -> str:
    """Return the whole file."""
    table: dict[str, list[object]] = {}
    for name, (exercise, yaw_deg, times) in EXERCISES.items():
        tempo = exercise.tempo
        poses = poses_of(exercise, yaw_deg, times)
        table[name] = [tempo.out_s, tempo.hold_s, tempo.back_s, *poses]
    # A plank is how a push-up begins.
    table["plank"] = [1, 1, 1, poses_of(*EXERCISES["push_up"])[0][:1]]
    rows = [f"  {name}: {json.dumps(row, separators=(',', ':'))}," for name, row in table.items()]
    return HEAD + "{\n" + "\n".join(rows) + "\n};\n"


if __name__ == "__main__":
    TARGET.write_text(text())
