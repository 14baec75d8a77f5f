"""What single poses are taken for, on labelled landmarks of five exercises, each up and down.

The rows of exercise_landmarks/kalatz_exercise_recognition_train.csv (centimetres from the hips; no
visibility, so all count as seen) stand for both lists of landmarks. "Told" is what the picture is
taken for without a name, "named" is with the row's own exercise. The network for single pictures
was trained on these rows too.
"""

import argparse
import csv
import sys
from collections import Counter, defaultdict
from pathlib import Path

if not __package__:  # Run as a file, Python looks for modules beside it.
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

from analyzers.exercise.still import of_still
from bench.harness.report import BadInput, Report, add_data, parser_for, run

TABLE = Path("exercise_landmarks", "kalatz_exercise_recognition_train.csv")
NAMES = {
    "jump": "jumping_jack",
    "pull": "pull_up",
    "push": "push_up",
    "situ": "sit_up",
    "squa": "squat",
}
LANDMARKS = 33
# So that a body of 1.7 m takes up a part of the frame, as in a picture.
FRAME_M = 4.0


def bench(asked: argparse.Namespace, report: Report) -> None:
    """Everything that the command line asks for."""
    path = asked.data / TABLE
    if not path.is_file():
        raise BadInput(f"there is no {path}; name a folder that has it with --data")
    told: dict[str, Counter[str]] = defaultdict(Counter)
    named: Counter[str] = Counter()
    with path.open(newline="") as file:
        rows = csv.reader(file)
        next(rows)
        for _, label, *numbers in rows:
            metres = [float(number) / 100.0 for number in numbers]
            world = [(*metres[3 * n : 3 * n + 3], 1.0) for n in range(LANDMARKS)]
            flat = [
                (x / FRAME_M + 0.5, y / FRAME_M + 0.5, z / FRAME_M, seen) for x, y, z, seen in world
            ]
            told[label][of_still(flat, world, 1.0)["exercise"]] += 1
            name = NAMES[label[:4]]
            named[label] += of_still(flat, world, 1.0, name)["exercise"] == name
    table = report.table("Stills", "label", "poses", "told", "none", "another", "named")
    for label, counts in sorted(told.items()):
        own, none = counts[NAMES[label[:4]]], counts["none"]
        table.add(label, counts.total(), own, none, counts.total() - own - none, named[label])


def main() -> int:
    parser = parser_for(__doc__)
    add_data(parser, "landmarks")
    return run("Stills", parser.parse_args(), bench)


if __name__ == "__main__":
    sys.exit(main())
