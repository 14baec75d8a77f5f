"""A real face: found, followed to a fraction of a pixel, its skin chosen; the whole analyzer."""

import cv2
import numpy as np
import pytest

from analyzers.base_model import AnalyzerUnavailable
from analyzers.networks.errors import FetchError
from analyzers.networks.runtime import Runtime
from analyzers.pose.on_openvino.region import Region
from analyzers.vitals import Vitals, weights
from analyzers.vitals.alignment import Template
from analyzers.vitals.face_detector import FaceDetector
from analyzers.vitals.face_mesh import FaceMesh
from analyzers.vitals.face_tracker import FaceTracker
from analyzers.vitals.people import face_of
from analyzers.vitals.skin import Skin
from bench.parts.faces import portrait
from bench.parts.vitals_scene import Actor, Scene, frames


@pytest.fixture(scope="module")
def picture():
    try:
        return portrait()
    except FetchError as error:
        pytest.skip(f"there is no portrait: {error}")


@pytest.fixture(scope="module")
def networks():
    runtime, files = Runtime(), weights.load()
    detector = FaceDetector(runtime, runtime.read(files.detector))
    return detector, FaceMesh(runtime, runtime.read(files.mesh))


@pytest.fixture(scope="module")
def actor(picture, networks):
    detector, mesh = networks
    return Actor(picture, mesh.look(picture, detector.find(picture)[0]))


def moved(picture, x, y, angle_deg=0.0):
    """The picture, turned about its middle and moved; and where a point is then."""
    matrix = cv2.getRotationMatrix2D((320.0, 240.0), angle_deg, 1.0)
    matrix[:, 2] += x, y
    shown = cv2.warpAffine(picture, matrix, (640, 480), borderMode=cv2.BORDER_REPLICATE)
    return shown, lambda point: matrix @ [*point, 1.0]


def test_the_detector_finds_one_face_where_it_is(picture, networks):
    detector, mesh = networks
    (face,) = detector.find(picture)
    points = mesh.look(picture, face)
    assert points.score > 0.99
    assert np.hypot(face.x - points.region.x, face.y - points.region.y) < 0.1 * face.size
    assert abs(points.region.angle) < 0.2
    assert points.turned < 0.1
    # Her eyes are blue, and her brows dark: the mesh's are where they are in the picture.
    right_eye, left_eye = points.points[33], points.points[263]
    assert left_eye[0] - right_eye[0] == pytest.approx(0.65 * points.width, rel=0.15)


def test_a_picture_without_a_face_has_none(networks):
    detector, mesh = networks
    noise = np.random.default_rng(0).integers(0, 255, (480, 640, 3)).astype(np.uint8)
    assert detector.find(noise) == []
    assert mesh.look(noise, Region(320, 240, 200)).score < 0.5


def test_it_is_followed_to_a_tenth_of_a_pixel(picture, actor):
    region = actor.face.region
    template = Template(picture, region)
    rng = np.random.default_rng(1)
    for x, y, angle in ((0.3, -0.2, 0.0), (2.0, 1.0, 0.5), (-3.0, 2.5, -1.0)):
        shown, where = moved(picture, x, y, angle)
        noisy = np.clip(shown + rng.normal(0.0, 2.0, shown.shape), 0, 255).astype(np.uint8)
        found = template.find(noisy, template.find(noisy, region).region)
        true_x, true_y = where((region.x, region.y))
        assert np.hypot(found.region.x - true_x, found.region.y - true_y) < 0.1
        assert np.rad2deg(found.region.angle - region.angle) == pytest.approx(-angle, abs=0.1)
        assert found.likeness > 0.95


def test_what_looks_otherwise_is_not_like_it(picture, actor):
    template = Template(picture, actor.face.region)
    assert template.find(picture[:, ::-1].copy(), Region(100, 100, 150)).likeness < 0.5


def test_skin_is_neither_hair_nor_eyes(picture, actor):
    region = actor.face.region
    skin = Skin(picture, region, actor.face.points)
    # Of eight, one or two may be in the shade.
    assert skin.places >= 6
    colors = skin.colors(picture, region).places
    # Red over green over blue, all places of one kind.
    assert (np.diff(colors, axis=1) < 0.0).all()
    assert (colors.std(axis=0) < 0.12 * colors.mean(axis=0)).all()
    painted = picture.copy()
    painted[actor.skin < 0.01] = 0
    assert np.allclose(skin.colors(painted, region).places, colors, rtol=0.05)


def test_clipped_skin_is_told(picture, actor):
    region = actor.face.region
    skin = Skin(picture, region, actor.face.points)
    assert skin.colors(picture, region).clipped < 0.3
    assert skin.colors(np.full_like(picture, 255), region).clipped == 1.0


def test_the_tracker_keeps_a_face_and_loses_one_that_goes(picture, networks, actor):
    tracker = FaceTracker(networks[1])
    seen = [
        tracker.look(moved(picture, 0.5 * k, 0.0)[0], k / 30.0, actor.face.region)
        for k in range(20)
    ]
    assert {reading.anchor for reading in seen} == {1}
    steps = np.diff([reading.region.x for reading in seen])
    assert np.abs(steps - 0.5).max() < 0.1
    assert tracker.look(np.full_like(picture, 90), 1.0, None) is None
    assert tracker.region is None
    assert tracker.look(picture, 1.1, actor.face.region).anchor == 2


def test_a_face_that_is_still_does_not_move_when_the_network_looks_again(picture, networks):
    small = cv2.resize(picture, (384, 288), interpolation=cv2.INTER_AREA)
    corner = np.full_like(picture, 110)
    corner[192:, 256:] = small
    rng = np.random.default_rng(0)
    tracker, (start,) = FaceTracker(networks[1]), networks[0].find(corner)
    seen = []
    for k in range(16):
        noisy = np.clip(corner + rng.normal(0.0, 3.0, corner.shape), 0, 255).astype(np.uint8)
        seen.append(tracker.look(noisy, 0.25 * k, start))
    assert {reading.anchor for reading in seen} == {1}
    assert len({reading.width_px for reading in seen}) > 1, "it has looked again"
    assert np.abs(np.diff([reading.place for reading in seen], axis=0)).max() < 0.004


def test_pose_says_where_to_look(actor, networks, picture):
    landmarks = [{"x": 0.5, "y": 0.3, "visibility": 0.9} for _ in range(33)]
    # BlazePose's left eye is the person's own; so is its 2.
    for number, point in {0: 1, 2: 386, 5: 159, 9: 291, 10: 61}.items():
        x, y = actor.face.points[point]
        landmarks[number] = {"x": x / 640, "y": y / 480, "visibility": 0.9}
    region = face_of(landmarks, 640, 480)
    assert networks[1].look(picture, region).score > 0.95
    assert region.size == pytest.approx(actor.face.region.size, rel=0.3)
    landmarks[2]["visibility"] = 0.1
    assert face_of(landmarks, 640, 480) is None


@pytest.fixture(scope="module")
def vitals():
    return Vitals()


def test_a_pulse_in_real_pixels_is_measured_and_summed_up(vitals, actor):
    scene = Scene(bpm=112.0, seconds=13.0, fps=20.0, breaths=18.0, seed=5)
    vitals.start("a", 0.0, options={"signal": True})
    told = [
        vitals.frame("a", shown.rgb, shown.time_s * 1000.0)["vitals"]
        for shown in frames(actor, scene)
    ]
    assert told[0]["reason"]["code"] == "measuring"
    last = told[-1]
    assert abs(last["heart_rate_bpm"] - 112.0) < 3.0
    assert last["confidence"] >= 0.75
    assert last["reason"] is None
    assert len(last["signal"]) == 90
    assert set(last) == {
        "heart_rate_bpm", "confidence", "reason", "respiration_per_min", "signal",
    }  # fmt: skip
    summary = vitals.end("a", 13000.0)["vitals_summary"]
    assert summary["lowest_bpm"] <= summary["heart_rate_bpm"] <= summary["highest_bpm"]
    assert 0.5 < summary["measured_s"] < 5.0


def test_two_people_and_one_of_them_leaves(vitals, picture):
    half = picture[:, 60:380]
    both, one = np.hstack([half, half]), np.hstack([half, np.full_like(half, 90)])
    vitals.start("b", 0.0, options={"num_faces": 2})
    for k in range(12):
        two = vitals.frame("b", both, 100.0 * k)["vitals"]["people"]
    assert [each["id"] for each in two] == [1, 2]
    assert {each["reason"]["code"] for each in two} <= {"measuring", "too_few_frames"}
    for k in range(12, 80):
        left = vitals.frame("b", one, 100.0 * k)["vitals"]["people"]
        if k == 20:
            assert sorted(each["reason"]["code"] for each in left)[-1] == "no_face"
    assert len(left) == 1
    assert vitals.end("b")["vitals_summary"]["heart_rate_bpm"] is None


def test_fewer_faces_may_be_asked_for_later(vitals, picture):
    half = picture[:, 60:380]
    small = np.full_like(half, 90)
    small[100:388, 64:256] = cv2.resize(half, (192, 288), interpolation=cv2.INTER_AREA)
    both = np.hstack([small, half])
    vitals.start("e", 0.0, options={"num_faces": 2})
    for k in range(6):
        two = vitals.frame("e", both, 40.0 * k)["vitals"]["people"]
    assert len(two) == 2
    large = vitals._sessions["e"].people.largest(dict.fromkeys((1, 2)))
    vitals.configure("e", {"num_faces": 1})
    one = vitals.frame("e", both, 240.0)["vitals"]
    assert "people" not in one
    assert list(vitals._sessions["e"].people._people) == [large], "whoever has the larger face"
    for k in range(7, 30):
        vitals.frame("e", both, 40.0 * k)
    assert len(vitals._sessions["e"].people._people) == 1
    vitals.configure("e", {"num_faces": 2})
    for k in range(30, 50):
        two = vitals.frame("e", both, 40.0 * k)["vitals"]["people"]
    assert len(two) == 2
    vitals.end("e")


def test_with_pose_each_of_its_people_is_measured_and_who_leaves_is_not(vitals, actor, picture):
    def posed(*numbers):
        found = []
        for number in numbers:
            shift = 0.5 * (number - 1)
            landmarks = [{"x": 0.1, "y": 0.3, "visibility": 0.9} for _ in range(33)]
            for blaze, point in {0: 1, 2: 386, 5: 159, 9: 291, 10: 61}.items():
                x, y = actor.face.points[point]
                landmarks[blaze] = {
                    "x": (x - 60) / 640 + shift, "y": y / 480, "visibility": 0.9,
                }  # fmt: skip
            found.append({"id": number, "landmarks": landmarks})
        people = {"has_pose": bool(found), "people": found}
        return {"pose": people | {"landmarks": found[0]["landmarks"] if found else []}}

    half = picture[:, 60:380]
    both = np.hstack([half, half])
    vitals.start("f", 0.0)
    for k in range(4):
        two = vitals.frame("f", both, 40.0 * k, results=posed(1, 2))["vitals"]["people"]
    assert [each["id"] for each in two] == [1, 2]
    assert {each["reason"]["code"] for each in two} == {"measuring"}
    left = vitals.frame("f", both, 200.0, results=posed(2))["vitals"]
    assert [each["id"] for each in left["people"]] == [2]
    for k in range(200):
        vitals.frame("f", both, 240.0 + 40.0 * k, results=posed(2))
    assert list(vitals._sessions["f"].people._people) == [2], "kept for some seconds only"
    vitals.end("f")


def test_nobody_there(vitals):
    vitals.start("c", 0.0)
    told = vitals.frame("c", np.full((480, 640, 3), 90, np.uint8), 0.0)["vitals"]
    assert (told["heart_rate_bpm"], told["reason"]["code"]) == (None, "no_face")
    nobody = {"pose": {"has_pose": False, "people": []}}
    told = vitals.frame("c", np.zeros((48, 64, 3), np.uint8), 33.0, results=nobody)["vitals"]
    assert told["people"] == []
    vitals.end("c")


@pytest.mark.parametrize(
    "options",
    [{"signal": 1}, {"num_faces": 0}, {"num_faces": True}, {"num_faces": 9}, {"bpm": 60}],
)
def test_bad_options_are_refused(vitals, options):
    with pytest.raises(ValueError, match=next(iter(options))):
        vitals.start("d", 0.0, options=options)


def test_without_its_networks_it_says_so(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "there" / "is" / "none"))
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:1/simple")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    with pytest.raises(AnalyzerUnavailable, match="vitals has no networks"):
        weights.load()
