"""Real pedestrians: one of them is found again, and followed through the crowd."""

import os
from pathlib import Path

import cv2
import pytest

from analyzers.base_model import AnalyzerUnavailable
from analyzers.networks.boxes import Box, overlap
from analyzers.pose import Pose
from analyzers.reid import Reid
from analyzers.reid.sightings import posed_people

pytest.importorskip("openvino", reason="OpenVINO is not installed")

ROOT = Path(__file__).resolve().parents[3]
DATA = Path(os.environ.get("KINECAST_DATA", ROOT.parent / "shared" / "data"))
CAMPUS = DATA / "people_videos" / "TUD-Campus.mp4"
OPENVINO = DATA / "models" / "openvino"
FRAME_MS = 40

needs_data = pytest.mark.skipif(not CAMPUS.exists(), reason=f"{DATA} is not on this machine")


def true_boxes(identity):
    rows = [
        list(map(float, line.split(",")[:6]))
        for line in CAMPUS.with_name("TUD-Campus_gt.txt").read_text().splitlines()
    ]
    return {int(n): Box(x, y, x + w, y + h) for n, i, x, y, w, h in rows if i == identity}


def frames():
    capture = cv2.VideoCapture(str(CAMPUS))
    while (read := capture.read())[0]:
        yield cv2.cvtColor(read[1], cv2.COLOR_BGR2RGB)
    capture.release()


@needs_data
@pytest.mark.parametrize("identity", [2, 3])
def test_a_pedestrian_is_found_again(identity):
    reid = Reid(
        model=str(OPENVINO / "person-reidentification-retail-0288.xml"),
        detector=str(OPENVINO / "person-detection-retail-0013.xml"),
        precision="f32",
    )
    truth = true_boxes(identity)
    video = list(frames())
    reference = reid._recognizer.extractor.describe(video[0], truth[1], None)
    reid.start("s", 0, options={"reference": reference.token()})
    there = first = 0
    for number, frame in enumerate(video, start=1):
        answer = reid.frame("s", frame, FRAME_MS * number)
        reid._thread.submit(lambda: None).result(timeout=60)
        looked_at = answer["reid"]["looked_at_ms"]
        if looked_at is None or looked_at != FRAME_MS * (number - 1):
            continue
        # The frame before was looked at.
        box = truth.get(number - 1)
        there += box is not None
        if box and answer["matches"]:
            first += overlap(box, Box(*answer["matches"][0]["bbox"])) > 0.4
    assert there >= 8
    assert first / there >= 0.75


def test_pose_and_reid_together():
    """With pose's own boxes: the person of the sample video, and where pose says they are."""
    capture = cv2.VideoCapture(str(ROOT / "sample-video.mp4"))
    video = [cv2.cvtColor(capture.read()[1], cv2.COLOR_BGR2RGB) for _ in range(25)]
    capture.release()
    height, width = video[0].shape[:2]
    try:
        pose, reid = Pose(), Reid("appearance-1", rate_hz=10)
    except AnalyzerUnavailable as error:
        pytest.skip(str(error))
    pose.start("s", 0, options={})
    (person,) = posed_people(pose.frame("s", video[0], 0), width, height)
    reference = reid._recognizer.extractor.describe(video[0], person.box, person.landmarks)
    reid.start("s", 0, options={"reference": reference.token()})
    found = 0
    for number, frame in enumerate(video[1:], start=1):
        said = pose.frame("s", frame, number * 1000 / 30)
        answer = reid.frame("s", frame, number * 1000 / 30, results={"pose": said})
        reid._thread.submit(lambda: None).result(timeout=60)
        (person,) = posed_people(said, width, height)
        for match in answer["matches"]:
            assert overlap(Box(*match["bbox"]), person.box) > 0.7
            assert match["person_id"] == said["track_id"] == 1
            found += 1
    # All but the first, which nobody had been looked at before.
    assert found == len(video) - 2
    assert reid.end("s")["reid_summary"]["people"] == 1
