"""Frames that are answered at once: every one of a search, and pictures of people to look for."""

import os
import threading
from pathlib import Path

import cv2
import numpy as np
import pytest

from analyzers.networks.boxes import Box, overlap
from analyzers.pose import Pose
from analyzers.reid import Reid
from analyzers.reid.appearance import Appearance
from analyzers.reid.embedding import Embedding
from tests.analyzers.reid.people import GREEN_SHIRT, RED_SHIRT, joints_px, pose_of, scene

ROOT = Path(__file__).resolve().parents[3]
DATA = Path(os.environ.get("KINECAST_DATA", ROOT.parent / "shared" / "data"))
CROPS = DATA / "reid_images" / "cuhk03"
CAMPUS = DATA / "people_videos" / "TUD-Campus.mp4"
MODELS = DATA / "models" / "openvino"

needs_data = pytest.mark.skipif(not CROPS.exists(), reason=f"{DATA} is not on this machine")

FRAME_MS = 1000 / 30


@pytest.fixture(autouse=True)
def no_weights(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))


@pytest.fixture
def reid():
    return Reid()


def looks_of(x, y, clothes, seed):
    frame = scene((x, y, clothes), light=(0.8, 0.8, 0.9), seed=seed)
    return Appearance().describe(frame, Box(x, y, x + 60, y + 195), joints_px(x, y))


@pytest.fixture(scope="module")
def anna():
    return looks_of(100, 30, RED_SHIRT, seed=9)


def show(reid, sid, time_ms, *people):
    frame = scene(*[(x, y, clothes) for _, x, y, clothes in people], seed=int(time_ms))
    pose = pose_of(*[(number, x, y) for number, x, y, _ in people])
    return reid.frame(sid, frame, time_ms, results={"pose": pose})


def near(bbox, x, y):
    return overlap(Box(*bbox), Box(x + 8, y, x + 52, y + 190)) > 0.6


def test_every_frame_is_answered_for_itself(reid, anna):
    reid.start("s", 0, options={"reference": anna.token(), "every_frame": True})
    for number in range(10):
        time_ms, x = number * FRAME_MS, 20 * number
        answer = show(reid, "s", time_ms, (1, x, 20, RED_SHIRT), (2, 250, 30, GREEN_SHIRT))
        (match,) = answer["matches"]
        assert near(match["bbox"], x, 20)
        assert answer["reid"]["looked_at_ms"] == time_ms
        # Whom only one of two frames shows is not held over to the next.
        assert show(reid, "s", time_ms + 10, (2, 250, 30, GREEN_SHIRT))["matches"] == []
    assert reid.end("s")["reid_summary"]["looks"] == 20


def test_every_frame_can_be_asked_for_and_given_up_on_the_way(reid, anna):
    reid.start("s", 0, options={"reference": anna.token()})
    assert show(reid, "s", 0, (1, 100, 20, RED_SHIRT))["matches"] == []
    reid.configure("s", {"every_frame": True})
    assert show(reid, "s", 10, (1, 100, 20, RED_SHIRT))["reid"]["looked_at_ms"] == 10
    reid.configure("s", {"every_frame": False})
    assert show(reid, "s", 20, (1, 100, 20, RED_SHIRT))["reid"]["looked_at_ms"] == 10


def test_it_waits_for_its_turn_behind_another_session_s_look(reid, anna):
    reid.start("s", 0, options={"reference": anna.token(), "every_frame": True})
    order = []
    gate = threading.Event()
    reid._thread.submit(lambda: (gate.wait(10), order.append("other")))
    threading.Timer(0.05, gate.set).start()
    assert show(reid, "s", 0, (1, 100, 20, RED_SHIRT))["matches"]
    assert order == ["other"]


def test_without_a_reference_every_frame_looks_at_nobody(reid):
    reid.start("s", 0, options={"every_frame": True})
    assert show(reid, "s", 0, (1, 100, 20, RED_SHIRT))["matches"] == []
    assert reid.end("s")["reid_summary"]["looks"] == 0


def test_enrolment_hands_out_everyone_the_largest_first(reid, anna):
    reid.start("s", 0, options={"enrol": True})
    frame = scene((20, 20, RED_SHIRT), (200, 30, GREEN_SHIRT))
    small = pose_of((2, 200, 30))
    small["people"][0]["landmarks"] = [
        {**point, "y": 0.2 + 0.7 * point["y"]} for point in small["people"][0]["landmarks"]
    ]
    both = {"has_pose": True, "people": small["people"] + pose_of((1, 20, 20))["people"]}
    people = reid.frame("s", frame, 0, results={"pose": both})["reid_people"]
    assert [sorted(person) for person in people] == [["bbox", "confidence", "embedding"]] * 2
    assert near(people[0]["bbox"], 20, 20)
    large, other = (Embedding.from_token(person["embedding"]) for person in people)
    assert large.distance(anna) < Appearance.threshold < other.distance(anna)


def test_each_picture_is_embedded_for_itself(reid):
    reid.start("s", 0, options={"enrol": True})
    tokens = []
    for _ in range(2):
        for clothes in (RED_SHIRT, GREEN_SHIRT):
            (person,) = show(reid, "s", 0, (1, 100, 20, clothes))["reid_people"]
            tokens.append(person["embedding"])
    assert tokens[:2] == tokens[2:]
    assert tokens[0] != tokens[1]


def test_nobody_is_an_empty_list_and_no_key_without_enrolment(reid):
    reid.start("s", 0, options={"enrol": True})
    assert show(reid, "s", 0)["reid_people"] == []
    reid.configure("s", {"enrol": False})
    assert "reid_people" not in show(reid, "s", 10)


@pytest.mark.parametrize("key", ["every_frame", "enrol"])
@pytest.mark.parametrize("value", [1, "yes", None])
def test_a_wrong_switch_is_refused_and_changes_nothing(reid, anna, key, value):
    reid.start("s", 0)
    with pytest.raises(ValueError, match=f"{key} is {value!r}; it must be true or false"):
        reid.configure("s", {"reference": anna.token(), key: value})
    assert not show(reid, "s", 0)["reid"]["has_reference"]


def tight_crops(count):
    paths = sorted(CROPS.glob("*.jpg"))[:: 1000 // count]
    return [cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB) for path in paths]


@needs_data
@pytest.mark.parametrize(
    ("detector", "least"), [("person-detection-retail-0013", 0.95), (None, 0.85)]
)
def test_tight_crops_of_people_can_be_enrolled(detector, least):
    """With the detector alone; and with pose alone, where there is no detector."""
    pytest.importorskip("openvino", reason="OpenVINO is not installed")
    reid = Reid("appearance-1", str(MODELS / f"{detector}.xml") if detector else None)
    pose = None if detector else Pose("openvino")
    reid.start("s", 0, options={"enrol": True})
    if pose:
        pose.start("s", 0, options={"still": True})
    enrolled = []
    crops = tight_crops(60)
    for crop in crops:
        results = {"pose": pose.frame("s", crop, 0)} if pose else {}
        people = reid.frame("s", crop, 0, results=results)["reid_people"]
        height, width = crop.shape[:2]
        enrolled.append(bool(people))
        for person in people:
            x0, y0, x1, y1 = person["bbox"]
            assert 0 <= x0 < x1 <= width
            assert 0 <= y0 < y1 <= height
    assert np.mean(enrolled) >= least


@needs_data
def test_whom_the_detector_sees_counts_where_pose_sees_nobody_and_the_other_way_round():
    pytest.importorskip("openvino", reason="OpenVINO is not installed")
    capture = cv2.VideoCapture(str(CAMPUS))
    frame = cv2.cvtColor(capture.read()[1], cv2.COLOR_BGR2RGB)
    capture.release()
    reid = Reid("appearance-1", str(MODELS / "person-detection-retail-0013.xml"))
    reid.start("s", 0, options={"enrol": True})
    nobody = {"has_pose": False, "landmarks": [], "people": []}
    alone = reid.frame("s", frame, 0, results={"pose": nobody})["reid_people"]
    assert len(alone) >= 3
    # Pose sees one of them, whom it is not to count twice, and someone where the detector is blind.
    height, width = frame.shape[:2]
    x0, y0, x1, y1 = alone[0]["bbox"]
    known = [
        {"x": (x0 + (x1 - x0) * a) / width, "y": (y0 + (y1 - y0) * b) / height, "visibility": 1.0}
        for a, b in np.random.default_rng(1).uniform(0.05, 0.95, (33, 2))
    ]
    unseen = [
        {"x": (20 + 80 * a) / width, "y": (5 + 120 * b) / height, "visibility": 1.0}
        for a, b in np.random.default_rng(2).uniform(0, 1, (33, 2))
    ]
    people = [{"id": 1, "landmarks": known}, {"id": 2, "landmarks": unseen}]
    said = {"has_pose": True, "people": people}
    both = reid.frame("s", frame, 40, results={"pose": said})["reid_people"]
    assert len(both) == len(alone) + 1
    assert any(overlap(Box(*person["bbox"]), Box(20, 5, 100, 125)) > 0.5 for person in both)
