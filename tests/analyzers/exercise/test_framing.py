"""What is wrong with a picture is told while it is, and that it is right once it has been."""

import numpy as np
import pytest

from analyzers.exercise.framing import TEXTS, Framing
from client_test.athlete import floor, standing

from .recordings import both_lists, of_exercise

LIGHT = np.full((480, 640, 3), 120, np.uint8)
DARK = np.full((480, 640, 3), 8, np.uint8)
STANDING = of_exercise(standing.SQUAT, 25.0, 3)
FROM_IN_FRONT = of_exercise(floor.PUSH_UP, 0.0, 3, on_floor=True)
FROM_THE_SIDE = of_exercise(floor.PUSH_UP, 75.0, 3, on_floor=True)


def person(recording=STANDING):
    return both_lists(recording, 0)


def unseen(parts):
    """Somebody of whom so much is not seen: its landmarks are guesses."""
    seen = person()
    for each in seen["landmarks"]:
        if any(part in each["name"] for part in parts):
            each["visibility"] = 0.1
    return seen


def told(someone, *, frame=LIGHT, exercise="none", people=1, seconds=2.0, framing=None, begin=0.0):
    """Look at one picture for a while; return the codes at its end, and whether it is ready."""
    framing = framing or Framing()
    for time_s in np.arange(begin, begin + seconds, 0.1):
        said = framing.look(frame, someone, float(time_s), exercise=exercise, people=people)
    assert all(each["text"] == TEXTS[each["code"]] for each in said["framing"])
    return [each["code"].removeprefix("framing_") for each in said["framing"]], said["ready"]


@pytest.mark.parametrize(
    ("someone", "how", "codes"),
    [
        (person(), {}, []),
        (None, {}, ["nobody"]),
        (person(), {"frame": DARK}, ["too_dark"]),
        (None, {"frame": DARK}, ["nobody", "too_dark"]),
        (person(), {"people": 2}, ["more_people"]),
        (both_lists(STANDING.scaled(2.6, 0.0, 0.0), 0), {}, ["too_close"]),
        (both_lists(STANDING.scaled(1.0, 0.0, 0.35), 0), {}, ["feet"]),
        (both_lists(STANDING.scaled(1.0, 0.0, -0.35), 0), {}, ["head"]),
        (both_lists(STANDING.scaled(1.0, 0.0, 0.35), 0), {"exercise": "bicep_curl"}, []),
        (unseen(["ankle"]), {"exercise": "squat"}, ["feet"]),
        (unseen(["wrist"]), {}, ["hands"]),
        (unseen(["wrist"]), {"exercise": "squat"}, []),
        (unseen(["left_wrist", "left_ankle"]), {}, []),
        (person(FROM_IN_FRONT), {"exercise": "push_up"}, ["turn"]),
        (person(FROM_THE_SIDE), {"exercise": "push_up"}, []),
        (person(), {"exercise": "squat"}, []),
    ],
)
def test_what_is_wrong_is_told(someone, how, codes):
    assert told(someone, **how) == (codes, not codes)


def test_it_is_told_when_it_lasts_and_is_mended_when_that_lasts():
    framing = Framing()
    assert told(person(), seconds=0.9, framing=framing) == ([], False)
    assert told(person(), seconds=0.5, framing=framing, begin=0.9) == ([], True)
    assert told(None, seconds=0.4, framing=framing, begin=1.4) == ([], False)
    assert told(None, seconds=0.5, framing=framing, begin=1.8) == (["nobody"], False)
    assert told(person(), seconds=0.2, framing=framing, begin=2.3) == (["nobody"], False)
    assert told(person(), seconds=0.3, framing=framing, begin=2.5) == ([], False)
    assert told(person(), seconds=1.2, framing=framing, begin=2.8) == ([], True)
