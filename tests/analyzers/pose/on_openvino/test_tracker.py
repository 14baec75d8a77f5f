"""People are followed through real frames: who comes, goes, and comes back."""

import os
from pathlib import Path

import av
import numpy as np
import pytest

from analyzers.pose.on_openvino.engine import OpenvinoEngine
from analyzers.pose.on_openvino.landmark_network import LandmarkNetwork
from analyzers.pose.on_openvino.region import Region
from analyzers.pose.on_openvino.search import Newcomer, Search

pytest.importorskip("openvino", reason="OpenVINO is not installed")

ROOT = Path(__file__).resolve().parents[4]
DATA = Path(os.environ.get("KINECAST_DATA", ROOT.parent / "shared" / "data"))
DETECTOR = DATA / "models" / "openvino" / "person-detection-retail-0013.xml"
needs_data = pytest.mark.skipif(not DETECTOR.exists(), reason=f"{DETECTOR} is not on this machine")

FPS = 30
BLACK = np.zeros((480, 640, 3), np.uint8)


@pytest.fixture(scope="module")
def engine():
    return OpenvinoEngine()


@pytest.fixture
def calls(monkeypatch):
    """Count what is computed."""
    counts = {"find": 0, "look": 0}
    for owner, name in ((Search, "find"), (LandmarkNetwork, "look")):
        original = getattr(owner, name)

        def counting(self, *args, _original=original, _name=name):
            counts[_name] += 1
            return _original(self, *args)

        monkeypatch.setattr(owner, name, counting)
    return counts


def follow(tracker, frames, begin_s=0.0):
    return [
        tracker.detect(frame, 1000 * (begin_s + number / FPS))
        for number, frame in enumerate(frames)
    ]


def middles(people):
    return sorted(person.landmarks[:, 0].mean() for person in people)


def test_one_person_costs_one_search_and_one_look_a_frame(engine, calls, clip):
    seen = follow(engine.open(1), clip[:40])
    assert [len(people) for people in seen] == [1] * 40
    assert calls == {"find": 1, "look": 40}


def test_the_search_stops_when_as_many_are_followed_as_wanted(engine, calls, two_people):
    seen = follow(engine.open(2), two_people[:30])
    assert [len(people) for people in seen] == [2] * 30
    assert calls["find"] == 1


def test_while_fewer_are_followed_it_looks_for_more_every_fifth_frame(engine, calls, two_people):
    follow(engine.open(3), two_people[:31])
    assert calls["find"] == 1 + 6


def test_a_second_person_who_enters_is_found_within_a_third_of_a_second(engine, two_people):
    alone = [np.hstack([frame[:, :320], frame[:, 320:] // 255]) for frame in two_people]
    seen = follow(engine.open(2), alone[:10] + two_people[10:22])
    assert [len(people) for people in seen[:10]] == [1] * 10
    assert len(seen[-1]) == 2
    left, right = middles(seen[-1])
    assert left < 0.5 < right


def test_someone_who_leaves_is_dropped_and_the_other_stays(engine, two_people):
    alone = [np.hstack([frame[:, :320], frame[:, 320:] // 255]) for frame in two_people]
    seen = follow(engine.open(2), two_people[:10] + alone[10:20])
    assert [len(people) for people in seen[:10]] == [2] * 10
    assert len(seen[-1]) == 1
    assert middles(seen[-1])[0] < 0.5


def test_each_of_several_is_smoothed(engine, two_people):
    """Standing still under camera noise, landmarks tremble less than those seen afresh."""
    random = np.random.default_rng(3)
    noisy = [
        (two_people[0] + random.normal(0, 8, two_people[0].shape)).clip(0, 255).astype(np.uint8)
        for _ in range(25)
    ]
    followed = follow(engine.open(2), noisy)
    fresh = [engine.open(2).detect(frame, 0) for frame in noisy]
    for person in range(2):
        smooth, raw = (
            np.array([people[person].landmarks[11:, :2] for people in run[5:]])
            for run in (followed, fresh)
        )
        steps = [np.abs(np.diff(positions, axis=0)).mean() for positions in (smooth, raw)]
        assert steps[0] < 0.6 * steps[1]


def test_an_empty_scene_that_stands_still_is_searched_five_times_a_second(engine, calls):
    follow(engine.open(1), [BLACK] * (FPS * 5))
    # Each frame of the first second, then every sixth.
    assert calls == {"find": pytest.approx(FPS + 4 * 5, abs=1), "look": 0}


@pytest.mark.parametrize("after", range(6))
def test_someone_who_appears_in_an_empty_scene_is_seen_within_200_ms(engine, clip, after):
    empty = [BLACK] * (FPS * 2 + after)
    seen = follow(engine.open(1), empty + clip[:6])
    assert not any(seen[: len(empty)])
    assert any(seen[len(empty) :])


def test_a_video_that_changes_its_size_keeps_its_person(engine, calls, clip):
    halved = [np.ascontiguousarray(frame[::2, ::2]) for frame in clip[10:20]]
    seen = follow(engine.open(1), clip[:10] + halved)
    assert [len(people) for people in seen] == [1] * 20
    assert calls["find"] == 1
    step = np.abs(seen[10][0].landmarks - seen[9][0].landmarks)[:, :2]
    assert step.max() < 0.05


def test_a_phone_that_is_turned_loses_nobody(engine, clip):
    turned = [np.ascontiguousarray(np.rot90(frame)) for frame in clip[10:20]]
    seen = follow(engine.open(1), clip[:10] + turned)
    assert [len(people) for people in seen] == [1] * 20


@pytest.mark.parametrize("side", [64, 2160])
def test_tiny_and_huge_frames_are_searched(engine, clip, truth_px, side):
    import cv2

    size = (side * 640 // 480, side)
    frames = [cv2.resize(frame, size, interpolation=cv2.INTER_AREA) for frame in clip[:5]]
    seen = follow(engine.open(1), frames)
    assert [len(people) for people in seen] == [1] * 5
    error = np.abs(seen[-1][0].landmarks[:, :2] - truth_px[4] / (640, 480))
    assert np.median(error) < 0.02


def test_a_grey_picture_shows_the_same(engine, clip):
    grey = [np.repeat(frame.mean(axis=2, keepdims=True).astype(np.uint8), 3, 2) for frame in clip]
    coloured, plain = (follow(engine.open(1), frames[:10])[-1][0] for frames in (clip, grey))
    assert np.median(np.abs(coloured.landmarks - plain.landmarks)[:, :2]) < 0.01


@needs_data
def test_most_pedestrians_who_cross_each_other_are_followed():
    engine = OpenvinoEngine(detector=str(DETECTOR))
    with av.open(str(DATA / "people_videos" / "TUD-Campus.mp4")) as container:
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    tracker = engine.open(8)
    counts = [len(tracker.detect(frame, 40 * n)) for n, frame in enumerate(frames)]
    # 359 people in 71 frames, by the ground truth; bench/pose.py says how many are right.
    assert max(counts) <= 8
    assert np.mean(counts[5:]) > 3


@needs_data
@pytest.mark.parametrize("name", ["mrpose_plank_b", "prime_pushup", "prime_situps"])
def test_people_who_lie_are_followed_among_several(name):
    engine = OpenvinoEngine(detector=str(DETECTOR))
    tracker = engine.open(8)
    with av.open(str(DATA / "exercise_videos" / f"{name}.mp4")) as container:
        seen = [
            tracker.detect(frame.to_ndarray(format="rgb24"), 33 * number)
            for number, frame in zip(range(60), container.decode(video=0), strict=False)
        ]
    assert np.mean([len(people) >= 1 for people in seen]) > 0.95
    assert np.mean([len(people) for people in seen]) < 1.2


def test_two_newcomers_on_one_person_are_one(engine, monkeypatch, clip):
    find = Search.find

    def twice(self, rgb, followed, time_ms):
        (newcomer,) = find(self, rgb, followed, time_ms)
        region = newcomer.region
        beside = Newcomer(Region(region.x + 12, region.y + 8, region.size, region.angle))
        return [newcomer, beside]

    monkeypatch.setattr(Search, "find", twice)
    assert len(engine.open(3).detect(clip[0], 0)) == 1


def test_of_two_tracks_that_meet_on_one_person_the_older_stays(engine, two_people, clip):
    tracker = engine.open(2)
    assert len(tracker.detect(two_people[0], 0)) == 2
    older = tracker._tracks[0]
    # Both now look at the same person.
    tracker._tracks[1].sight = tracker._tracks[0].sight
    tracker.detect(two_people[1], 33)
    assert tracker._tracks[0] is older
    assert sum(track.sight.region.x < 320 for track in tracker._tracks) == 1


def test_a_change_of_size_keeps_the_smoothing(engine, clip):
    halved = [np.ascontiguousarray(frame[::2, ::2]) for frame in clip]
    changed = follow(engine.open(1), clip[:30] + halved[30:32])
    unchanged = follow(engine.open(1), clip[:32])
    # Visibility is smoothed over tens of frames: started afresh it would jump.
    difference = np.abs(changed[30][0].landmarks - unchanged[30][0].landmarks)
    assert difference[:, 3].max() < 0.02
    assert np.median(difference[:, :2]) < 0.01


@needs_data
def test_someone_who_lies_down_beside_another_is_found():
    engine = OpenvinoEngine(detector=str(DETECTOR))
    with av.open(str(DATA / "exercise_videos" / "prime_situps.mp4")) as container:
        lying = [
            frame.to_ndarray(format="rgb24", width=640, height=360)
            for frame, _ in zip(container.decode(video=0), range(30), strict=False)
        ]
    with av.open(str(ROOT / "sample-video.mp4")) as container:
        standing = [
            frame.to_ndarray(format="rgb24")[:360, 200:440]
            for frame, _ in zip(container.decode(video=0), range(60), strict=False)
        ]
    empty = np.full_like(lying[0], 128)
    frames = [np.hstack([frame, empty]) for frame in standing[:30]]
    frames += [np.hstack(pair) for pair in zip(standing[30:], lying, strict=True)]
    seen = follow(engine.open(4), [np.ascontiguousarray(frame) for frame in frames])
    assert len(seen[29]) == 1
    assert len(seen[-1]) == 2
