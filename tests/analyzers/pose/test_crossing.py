"""Two rendered people who walk past each other, found by the real networks, with exact truth."""

import itertools

import numpy as np
import pytest

from analyzers.pose import Pose
from client_test.athlete import standing
from client_test.athlete.clip import Clip, Shot, View
from client_test.athlete.people import MAN_IN_GREEN, WOMAN_IN_RED
from client_test.athlete.performance import Performance, Set

pytest.importorskip("openvino", reason="OpenVINO is not installed")

FRAMES = 32
WIDTH, HEIGHT = 320, 240
# A body is half as tall as the picture.
NEAR_PX = 8
FRAME_MS = 1000 / 15
VIEW = View((0.0, 1.2, 4.6), (0.0, 1.0, 0.0))


def moment(number):
    """The man walks to the right in front, the woman to the left behind him."""
    x = -1.1 + 2.2 * number / (FRAMES - 1)
    stand = (Set(standing.STAND, 1),)
    shot = Shot(
        (
            Performance(MAN_IN_GREEN, stand, (x, 0.35), 60.0),
            Performance(WOMAN_IN_RED, stand, (-x, -0.35), -60.0),
        ),
        VIEW,
    )
    return Clip("crossing", "two people walk past each other", (shot,), width=WIDTH, height=HEIGHT)


@pytest.fixture(scope="module")
def crossing():
    """Frames, and where both are in each: (frames, 2, 33, 2) pixels."""
    clips = [moment(number) for number in range(FRAMES)]
    frames = [np.asarray(clip.picture(0).rgb) for clip in clips]
    truth = [
        [clip.frame(0).camera.project(m.skeleton.landmarks()) for m in clip.frame(0).moments]
        for clip in clips
    ]
    return frames, np.array(truth)


@pytest.fixture(scope="module")
def pose():
    """The analyzer; each test has a session of its own."""
    return Pose("openvino")


def whose(person, truth):
    """0 for the man, 1 for the woman, None where the landmarks are neither's."""
    points = np.array([(p["x"] * WIDTH, p["y"] * HEIGHT) for p in person["landmarks"]])
    away = np.linalg.norm(points - truth, axis=2).mean(axis=1)
    return int(away.argmin()) if away.min() < NEAR_PX else None


@pytest.mark.parametrize("num_poses", [2, 8])
@pytest.mark.parametrize("every", [1, 3])
def test_both_keep_their_numbers(pose, crossing, num_poses, every):
    frames, truth = crossing
    pose.start("s", 0, options={"num_poses": num_poses})
    seen = []
    for number in range(0, FRAMES, every):
        result = pose.frame("s", frames[number], number * FRAME_MS)
        seen += [
            (number, who, person["track_id"])
            for person in result["people"]
            if (who := whose(person, truth[number])) is not None
        ]
    pose.end("s")
    history = [sorted({track for _, who, track in seen if who == one}) for one in (0, 1)]
    # Each is seen before and after, under one number of their own.
    assert sorted(itertools.chain(*history)) == [1, 2]
    for one in (0, 1):
        when = [number for number, who, _ in seen if who == one]
        assert min(when) < FRAMES / 4
        assert max(when) > FRAMES * 3 / 4


def test_somebody_else_in_the_same_place_gets_another_number(pose, crossing):
    frames, _ = crossing
    empty = np.full_like(frames[0], 200)
    # What both have left of the picture: he alone, then nobody, then she alone, where he was.
    man, woman = frames[2].copy(), frames[-3].copy()
    man[:, WIDTH // 2 :], woman[:, WIDTH // 2 :] = 200, 200
    pose.start("s", 0)
    shown = [man] * 10 + [empty] * 20 + [woman] * 10 + [empty] * 10 + [man] * 5
    numbers = [pose.frame("s", frame, n * FRAME_MS)["track_id"] for n, frame in enumerate(shown)]
    pose.end("s")
    runs = [number for number, _ in itertools.groupby(numbers)]
    # He is away for less than three seconds: he is known again.
    assert runs == [1, None, 2, None, 1]
