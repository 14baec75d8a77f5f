"""The analyzer: what it answers frame by frame, and that no frame waits for it."""

import threading

import numpy as np
import pytest

from analyzers.base_model import BaseModel
from analyzers.chain import arrange
from analyzers.encode import encode
from analyzers.networks.boxes import Box, overlap
from analyzers.reid import Reid
from analyzers.reid.appearance import Appearance
from analyzers.reid.embedding import Embedding
from analyzers.reid.sightings import posed_people
from tests.analyzers.reid.people import (
    GREEN_SHIRT,
    HEIGHT,
    RED_SHIRT,
    WIDTH,
    joints_px,
    pose_of,
    scene,
)

FRAME_MS = 1000 / 30


@pytest.fixture(autouse=True)
def no_weights(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))


@pytest.fixture
def reid():
    return Reid()


@pytest.fixture(scope="module")
def anna():
    """Someone in a red shirt, from another picture."""
    frame = scene((100, 30, RED_SHIRT), light=(0.8, 0.8, 0.9), seed=9)
    return Appearance().describe(frame, Box(100, 30, 160, 225), joints_px(100, 30))


def look_over(reid):
    """Wait until everything that is to be looked at has been."""
    reid._thread.submit(lambda: None).result(timeout=60)


def show(reid, sid, time_ms, *people, wait=True):
    """Show a frame of people, each (number, x, y, clothes); returns the answer."""
    frame = scene(*[(x, y, clothes) for _, x, y, clothes in people], seed=int(time_ms))
    frame.setflags(write=False)
    pose = pose_of(*[(number, x, y) for number, x, y, _ in people])
    answer = reid.frame(sid, frame, time_ms, results={"pose": pose})
    if wait:
        look_over(reid)
    return answer


def near(bbox, x, y):
    """Whether a box is that of someone drawn at x, y."""
    return overlap(Box(*bbox), Box(x + 8, y, x + 52, y + 190)) > 0.6


def test_the_reference_is_found_among_two(reid, anna):
    reid.start("s", 0, options={"reference": anna.token()})
    people = [(1, 20, 20, GREEN_SHIRT), (2, 200, 30, RED_SHIRT)]
    assert show(reid, "s", 0, *people)["matches"] == []
    answer = show(reid, "s", FRAME_MS, *people)
    (match,) = answer["matches"]
    assert near(match["bbox"], 200, 30)
    assert all(isinstance(edge, int) for edge in match["bbox"])
    assert 0 <= match["distance"] <= Appearance.threshold
    assert match["confidence"] == pytest.approx(1)
    assert match["person_id"] == 2
    assert answer["reid"] == {
        "model": "appearance-1",
        "fallback": True,
        "detector": "pose",
        "threshold": Appearance.threshold,
        "has_reference": True,
        "people": 2,
        "looked_at_ms": 0,
    }
    assert list(encode(answer).problems) == []


def test_boxes_move_with_the_people_between_looks(reid, anna):
    reid.start("s", 0, options={"reference": anna.token()})
    show(reid, "s", 0, (1, 100, 20, RED_SHIRT))
    for frame in range(1, 6):
        answer = show(reid, "s", frame * FRAME_MS, (1, 100 + 10 * frame, 20, RED_SHIRT))
        assert near(answer["matches"][0]["bbox"], 100 + 10 * frame, 20)
        assert answer["reid"]["looked_at_ms"] == 0


def test_people_are_looked_at_at_their_own_rate(reid, anna):
    reid.start("s", 0, options={"reference": anna.token()})
    looked_at = [
        show(reid, "s", frame * FRAME_MS, (1, 100, 20, RED_SHIRT))["reid"]["looked_at_ms"]
        for frame in range(31)
    ]
    looks = sorted({time for time in looked_at if time is not None})
    assert looks == pytest.approx([0, 200, 400, 600, 800])
    assert reid.end("s")["reid_summary"]["looks"] == 6


def test_no_frame_waits_for_a_look(reid, anna):
    reid.start("s", 0, options={"reference": anna.token()})
    gate = threading.Event()
    blocked = reid._thread.submit(gate.wait, 10)
    for frame in range(30):
        answer = show(reid, "s", frame * FRAME_MS, (1, 100, 20, RED_SHIRT), wait=False)
        assert answer["matches"] == []
        assert answer["reid"]["looked_at_ms"] is None
    gate.set()
    assert blocked.result(timeout=60)
    look_over(reid)
    # The only look asked for is the first frame's.
    answer = show(reid, "s", 30 * FRAME_MS, (1, 100, 20, RED_SHIRT))
    assert answer["reid"]["looked_at_ms"] == 0


def test_who_has_left_is_not_shown_for_ever(reid, anna):
    reid.start("s", 0, options={"reference": anna.token()})
    show(reid, "s", 0, (1, 100, 20, RED_SHIRT))
    assert show(reid, "s", FRAME_MS, (1, 100, 20, RED_SHIRT))["matches"]
    assert show(reid, "s", 2000, wait=False)["matches"] == []


def test_the_track_s_number_stays(reid, anna):
    reid.start("s", 0, options={"reference": anna.token()})
    numbers = set()
    for frame in range(60):
        x = 4 * frame
        people = [(1, x, 20, RED_SHIRT), (2, 236 - x, 25, GREEN_SHIRT)]
        for match in show(reid, "s", frame * FRAME_MS, *people)["matches"]:
            numbers.add(match["track_id"])
    assert len(numbers) == 1


def test_the_summary_says_who_was_there_and_when(reid, anna):
    reid.start("s", 0, options={"reference": anna.token()})
    for look in range(4):
        people = [(1, 20, 20, GREEN_SHIRT)] + [(2, 200, 30, RED_SHIRT)] * (look > 0)
        show(reid, "s", 200 * look, *people)
    summary = reid.end("s", 700)["reid_summary"]
    (matched,) = summary.pop("matched")
    assert summary == {
        "model": "appearance-1",
        "fallback": True,
        "detector": "pose",
        "looks": 4,
        "people": 2,
    }
    assert (matched["track_id"], matched["first_ms"], matched["last_ms"]) == (2, 200, 600)
    assert 0 <= matched["best_distance"] <= Appearance.threshold


def test_another_process_goes_on_with_who_was_seen(reid, anna):
    first, second = reid, Reid()
    first.start("s", 0, options={"reference": anna.token()})
    for look in range(4):
        show(first, "s", 200 * look, (1, 20, 20, GREEN_SHIRT), (2, 200, 30, RED_SHIRT))
    state = first.save("s")
    before = first.end("s", 700)["reid_summary"]
    second.start("s", 700, options={"reference": anna.token()})
    second.restore("s", state)
    (match,) = show(second, "s", 800, (2, 200, 30, RED_SHIRT))["matches"]
    assert match["track_id"] == before["matched"][0]["track_id"]
    show(second, "s", 1000, (2, 200, 30, RED_SHIRT))
    after = second.end("s", 1100)["reid_summary"]
    # The look that was on its way is not known there.
    assert (after["people"], after["looks"]) == (2, before["looks"] - 1 + 2)
    assert after["matched"][0]["first_ms"] == before["matched"][0]["first_ms"] == 0


def test_what_another_network_remembers_is_refused(reid):
    reid.start("s", 0)
    reid._sessions["s"]._memory.model = "another"
    state = reid.save("s")
    reid.start("t", 0)
    with pytest.raises(ValueError, match="of 'another', and not of 'appearance-1'"):
        reid.restore("t", state)


def test_a_session_without_a_frame_has_a_summary(reid):
    reid.start("s", 0, options={})
    assert reid.end("s")["reid_summary"]["people"] == 0


def test_without_a_reference_nobody_is_looked_at(reid):
    reid.start("s", 0)
    for time_ms in (0, 200, 400):
        answer = show(reid, "s", time_ms, (1, 100, 20, RED_SHIRT))
        assert answer["matches"] == []
    assert answer["reid"]["has_reference"] is False
    assert reid.end("s")["reid_summary"]["looks"] == 0


def test_sessions_have_their_own_references(reid, anna):
    frame = scene((100, 30, GREEN_SHIRT))
    bert = Appearance().describe(frame, Box(100, 30, 160, 225), joints_px(100, 30))
    people = [(1, 20, 20, GREEN_SHIRT), (2, 200, 30, RED_SHIRT)]
    for sid, person in (("anna", anna), ("bert", bert)):
        reid.start(sid, 0, options={"reference": person.token()})
        show(reid, sid, 0, *people)
    for sid, x, y in (("anna", 200, 30), ("bert", 20, 20)):
        (match,) = show(reid, sid, FRAME_MS, *people)["matches"]
        assert near(match["bbox"], x, y)


def test_the_reference_and_the_threshold_can_be_changed(reid, anna):
    reid.start("s", 0)
    people = [(1, 20, 20, GREEN_SHIRT), (2, 200, 30, RED_SHIRT)]
    reid.configure("s", {"reference": anna.token(), "threshold": 2})
    show(reid, "s", 0, *people)
    first, second = show(reid, "s", 10, *people)["matches"]
    assert first["distance"] < second["distance"]
    assert near(first["bbox"], 200, 30)
    reid.configure("s", {"threshold": 0})
    assert show(reid, "s", 20, *people)["matches"] == []
    reid.configure("s", {"threshold": 2, "reference": None})
    assert show(reid, "s", 30, *people)["matches"] == []


def test_another_model_s_reference_is_refused_by_name(reid, anna):
    other = Embedding("osnet_x0_25_msmt17", np.ones(512)).token()
    complaint = r"made with osnet_x0_25_msmt17 \(512 values\).*those of appearance-1"
    with pytest.raises(ValueError, match=complaint):
        reid.start("s", 0, options={"reference": other})
    reid.start("s", 0, options={"reference": anna.token()})
    # Of two changes one is wrong: neither is made.
    with pytest.raises(ValueError, match=complaint):
        reid.configure("s", {"reference": other, "threshold": 2})
    show(reid, "s", 0, (2, 200, 30, RED_SHIRT))
    answer = show(reid, "s", 10, (2, 200, 30, RED_SHIRT))
    assert answer["reid"]["threshold"] == Appearance.threshold
    assert len(answer["matches"]) == 1


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"threshold": -0.1}, "0 to 2"),
        ({"threshold": "0.5"}, "0 to 2"),
        ({"threshold": True}, "0 to 2"),
        ({"threshold": float("nan")}, "0 to 2"),
        ({"rate": 3}, "no option 'rate', only reference, threshold, every_frame, enrol"),
        ({"reference": 5}, "the reference is neither"),
    ],
)
def test_wrong_options_are_refused(reid, options, complaint):
    with pytest.raises(ValueError, match=complaint):
        reid.start("s", 0, options=options)


@pytest.mark.parametrize("settings", [{"rate_hz": 0}, {"rate_hz": 1000}, {"threshold": 3}])
def test_wrong_settings_are_refused(settings):
    with pytest.raises(ValueError, match=r"it must be"):
        Reid(**settings)


class Pose(BaseModel):
    """Says that someone is there."""

    def frame(self, sid, frame, timestamp):
        return pose_of((1, 100, 20))


def test_in_a_chain_it_reads_pose(reid, anna):
    (lane,) = arrange([reid, Pose()])
    lane.start("s", 0, ["reid"], {"reid": {"reference": anna.token()}})
    frame = scene((100, 20, RED_SHIRT))
    assert lane.frame("s", frame.copy(), 0).problems == ()
    look_over(reid)
    report = lane.frame("s", frame.copy(), FRAME_MS)
    assert report.problems == ()
    assert b'"bbox":[' in report.fragments["reid"]["matches"]
    assert b'"fallback":true' in lane.end("s", 50).fragments["reid"]["reid_summary"]


def test_a_frame_of_another_size_is_no_harm(reid, anna):
    reid.start("s", 0, options={"reference": anna.token()})
    for time_ms, size in ((0, (HEIGHT, WIDTH)), (200, (20, 30)), (400, (HEIGHT, WIDTH))):
        frame = np.zeros((*size, 3), np.uint8)
        pose = pose_of((1, 100, 20))
        assert posed_people(pose, size[1], size[0])
        reid.frame("s", frame, time_ms, results={"pose": pose})
        look_over(reid)
    # A frame of 20 pixels shows nobody who could be told.
    assert reid.end("s")["reid_summary"]["looks"] == 3
