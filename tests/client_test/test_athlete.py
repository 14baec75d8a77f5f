"""The rendered athlete: geometry, pictures, files."""

import json
from functools import cache
from itertools import pairwise
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from client_test.athlete.__main__ import main
from client_test.athlete.catalogue import CLIPS
from client_test.athlete.clip import Clip, Frame, ground_truth, pictures
from client_test.athlete.skeleton import FOREARM, HALF_HIPS, LANDMARK_NAMES, SHANK, THIGH, UPPER_ARM

ROOT = Path(__file__).resolve().parents[2]
INDEX = {name: number for number, name in enumerate(LANDMARK_NAMES)}
MAIN_JOINTS = tuple(range(11, 17)) + tuple(range(23, 29))

# The fingertips in the fastest swing, a jumping jack's, is some 8 m/s.
FASTEST_M_PER_S = 9.0

every_clip = pytest.mark.parametrize("name", CLIPS)


def small(clip: Clip) -> Clip:
    return clip.resized(width=160, height=120, fps=30)


@cache
def frames_of(clip: Clip) -> list[Frame]:
    return [clip.frame(number) for number in range(clip.frame_count)]


@cache
def joints_over(clip: Clip) -> list[NDArray[np.float64]]:
    """What `joints_of` has of every frame."""
    return [joints_of(frame) for frame in frames_of(clip)]


def joints_of(frame: Frame) -> NDArray[np.float64]:
    """(people, 33, 3) in metres."""
    return np.array([moment.skeleton.landmarks() for moment in frame.moments])


def distance(joints: NDArray[np.float64], a: str, b: str) -> NDArray[np.float64]:
    return np.linalg.norm(joints[..., INDEX[a], :] - joints[..., INDEX[b], :], axis=-1)


def angle_deg(joints: NDArray[np.float64], a: str, at: str, b: str) -> float:
    u = joints[INDEX[a]] - joints[INDEX[at]]
    v = joints[INDEX[b]] - joints[INDEX[at]]
    cosine = u @ v / np.linalg.norm(u) / np.linalg.norm(v)
    return float(np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0))))


def height_m(joints: NDArray[np.float64], *names: str) -> float:
    return float(np.mean([joints[INDEX[name], 1] for name in names]))


@every_clip
def test_every_joint_is_in_the_picture(name: str) -> None:
    clip = small(CLIPS[name])
    for frame, joints in zip(frames_of(clip), joints_over(clip), strict=True):
        joints_px = frame.camera.project(joints)
        assert (joints_px >= 0).all()
        assert (joints_px < [clip.width, clip.height]).all()


@every_clip
def test_no_joint_goes_through_the_floor(name: str) -> None:
    lowest_m = min(joints[..., 1].min() for joints in joints_over(small(CLIPS[name])))
    assert 0.0 < lowest_m < 0.03


@every_clip
def test_bones_keep_their_length(name: str) -> None:
    clip = small(CLIPS[name])
    for frame, joints in zip(frames_of(clip), joints_over(clip), strict=True):
        people = [performance.person for performance in frame.shot.performances]
        stature = np.array([person.height_m for person in people])
        hips = 2.0 * HALF_HIPS * np.array([person.hip_width for person in people])
        np.testing.assert_allclose(distance(joints, "left_hip", "right_hip"), hips * stature)
        for side in ("left", "right"):
            for a, b, fraction in (
                ("shoulder", "elbow", UPPER_ARM),
                ("elbow", "wrist", FOREARM),
                ("hip", "knee", THIGH),
                ("knee", "ankle", SHANK),
            ):
                length = distance(joints, f"{side}_{a}", f"{side}_{b}")
                np.testing.assert_allclose(length, fraction * stature, rtol=1e-6)


@every_clip
def test_nothing_jumps(name: str) -> None:
    clip = small(CLIPS[name])
    frames = zip(frames_of(clip), joints_over(clip), strict=True)
    for (before, joints_before), (after, joints_after) in pairwise(frames):
        if before.shot is not after.shot:
            continue
        way = np.linalg.norm(joints_after - joints_before, axis=-1)
        assert way.max() * clip.fps < FASTEST_M_PER_S, after.number


@pytest.mark.parametrize(
    "name", ["squat-front", "squat-knees-in", "bicep-curl", "overhead-press", "push-up", "sit-up"]
)
def test_feet_that_stand_do_not_slide(name: str) -> None:
    feet = [INDEX[joint] for joint in ("left_ankle", "right_ankle")]
    ankles = np.array([joints[0, feet] for joints in joints_over(small(CLIPS[name]))])
    moved_m = np.linalg.norm(ankles - ankles[0], axis=-1).max()
    # In a push-up the feet roll a little on their balls.
    assert moved_m < (0.04 if name == "push-up" else 0.003)


def test_hands_stay_on_the_floor_in_a_push_up() -> None:
    hands = [INDEX[joint] for joint in ("left_wrist", "right_wrist")]
    wrists = np.array([joints[0, hands] for joints in joints_over(small(CLIPS["push-up"]))])
    assert np.linalg.norm(wrists - wrists[0], axis=-1).max() < 0.001


LEFT_ELBOW = ("left_shoulder", "left_elbow", "left_wrist")

# What is least at the turning point of each exercise, and by how much it changes at least.
TURNING = {
    "squat": (lambda joints: height_m(joints, "left_hip", "right_hip"), 0.09),
    "jumping_jack": (lambda joints: -height_m(joints, "left_wrist", "right_wrist"), 1.0),
    "bicep_curl": (lambda joints: angle_deg(joints, *LEFT_ELBOW), 100),
    "overhead_press": (lambda joints: -height_m(joints, "left_wrist", "right_wrist"), 0.4),
    "lunge": (lambda joints: height_m(joints, "left_hip", "right_hip"), 0.35),
    "push_up": (lambda joints: height_m(joints, "left_shoulder", "right_shoulder"), 0.3),
    "sit_up": (lambda joints: float(distance(joints, "left_shoulder", "left_knee")), 0.3),
}  # fmt: skip


@every_clip
def test_repetitions_turn_where_they_are_said_to(name: str) -> None:
    clip = small(CLIPS[name])
    frames, joints = frames_of(clip), joints_over(clip)
    repetitions = ground_truth(clip.resized(width=64, height=64, fps=1))["repetitions"]
    assert repetitions
    for each in repetitions:
        start, turn, end = (
            round(each[key] * clip.fps / 1000.0) for key in ("start_ms", "turn_ms", "end_ms")
        )
        during = frames[start + 1 : end]
        assert {f.moments[each["person"]].exercise for f in during} == {each["exercise"]}
        measure, least_change = TURNING[each["exercise"]]
        values = [measure(moment[each["person"]]) for moment in joints[start : end + 1]]
        span = max(values) - min(values)
        assert span > least_change
        assert values[turn - start] - min(values) < 0.02 * span
        assert max(values) - values[0] < 0.05 * span
        assert max(values) - values[-1] < 0.05 * span


def lowest_squat(name: str) -> NDArray[np.float64]:
    clip = small(CLIPS[name])
    [first, *_] = ground_truth(clip)["repetitions"]
    return joints_of(clip.frame(round(first["turn_ms"] * clip.fps / 1000.0)))[0]


def test_faults_of_form_show_and_are_named() -> None:
    good, shallow, knees_in = (
        lowest_squat(name) for name in ("squat-front", "squat-shallow", "squat-knees-in")
    )
    knee = ("left_hip", "left_knee", "left_ankle")
    assert angle_deg(good, *knee) < 85
    assert angle_deg(shallow, *knee) > 115

    def knees_to_ankles(joints: NDArray[np.float64]) -> float:
        knees = distance(joints, "left_knee", "right_knee")
        return float(knees / distance(joints, "left_ankle", "right_ankle"))

    assert knees_to_ankles(good) > 1.0
    assert knees_to_ankles(knees_in) < 0.6
    for name, fault in (
        ("squat-front", None),
        ("squat-shallow", "shallow"),
        ("squat-knees-in", "knees_in"),
    ):
        assert {each["fault"] for each in ground_truth(CLIPS[name])["repetitions"]} == {fault}


@every_clip
def test_pictures_show_people_where_the_truth_says(name: str) -> None:
    clip = small(CLIPS[name])
    for number in (0, clip.frame_count // 3, clip.frame_count * 2 // 3):
        frame = clip.frame(number)
        silhouettes = clip.picture(number).people
        joints_px = frame.camera.project(joints_of(frame))
        for person, points in enumerate(joints_px):
            mask = (silhouettes == person).astype(np.uint8)
            assert 0.01 < mask.mean() < 0.4
            # At this size a wrist is two pixels wide: one pixel of grace.
            near = cv2.dilate(mask, np.ones((3, 3), np.uint8))
            for joint in MAIN_JOINTS:
                x, y = points[joint].astype(int)
                assert near[y, x], f"person {person}, {LANDMARK_NAMES[joint]}"
            # And nowhere else: flesh and dumbbells reach a hand's breadth beyond the joints.
            rows, columns = np.nonzero(mask)
            reach_px = 0.25 * frame.camera.focal_px / 3.0
            assert points[:, 1].min() - rows.min() < reach_px
            assert rows.max() - points[:, 1].max() < reach_px
            assert points[:, 0].min() - columns.min() < reach_px
            assert columns.max() - points[:, 0].max() < reach_px


def test_rendering_is_repeatable_in_any_number_of_processes() -> None:
    clip = CLIPS["two-people"].resized(width=64, height=64, fps=1)
    alone = list(pictures(clip, processes=1))
    together = list(pictures(clip, processes=2))
    assert len(alone) == clip.frame_count
    np.testing.assert_array_equal(alone, together)
    assert not np.array_equal(alone[0], alone[2])


def probe(path: Path) -> tuple[int, tuple[int, int], float, str, str]:
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        codec = stream.codec_context
        count = sum(1 for _ in container.decode(video=0))
        return (
            count,
            (stream.width, stream.height),
            float(stream.average_rate),
            codec.name,
            codec.pix_fmt,
        )


def test_command_line_renders_a_clip_and_its_truth(tmp_path: Path) -> None:
    arguments = ["--clip", "bicep-curl", "--size", "96x64", "--fps", "4", "--output", str(tmp_path)]
    assert main(arguments) == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bicep-curl.json", "bicep-curl.mp4"]
    truth = json.loads((tmp_path / "bicep-curl.json").read_text())
    count, size, fps, *_ = probe(tmp_path / "bicep-curl.mp4")
    assert (count, size, fps) == (truth["meta"]["frame_count"], (96, 64), 4.0)
    assert len(truth["frames"]) == count


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ([], "--clip"),
        (["--clip", "no-such-clip"], "no-such-clip"),
        (["--all", "--size", "640"], "640x480"),
        (["--all", "--size", "641x480"], "even"),
        (["--all", "--fps", "0"], "between"),
        (["--all", "--processes", "many"], "whole number"),
    ],
)
def test_command_line_refuses_what_it_cannot_do(
    arguments: list[str], complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as exit_info:
        main(arguments)
    assert exit_info.value.code == 2
    assert complaint in capsys.readouterr().err


def test_command_line_lists_the_clips(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--list"]) == 0
    listed = capsys.readouterr().out
    assert all(name in listed for name in CLIPS)


def test_sample_video_is_what_its_truth_describes() -> None:
    truth = json.loads((ROOT / "sample-video.json").read_text())
    assert probe(ROOT / "sample-video.mp4") == (
        truth["meta"]["frame_count"],
        (truth["meta"]["width"], truth["meta"]["height"]),
        truth["meta"]["fps"],
        "h264",
        "yuv420p",
    )
    clip = CLIPS["sample-video"]
    # Through JSON, so that tuples are lists; rounded, so the last digit may differ on another CPU.
    expected = json.loads(json.dumps(ground_truth(clip)))
    assert truth["meta"] == expected["meta"]
    assert truth["repetitions"] == expected["repetitions"]
    for ours, theirs in zip(truth["frames"], expected["frames"], strict=True):
        for person, expected_person in zip(ours["people"], theirs["people"], strict=True):
            assert person["exercise"] == expected_person["exercise"]
            for key, tolerance in (("joints_m", 2e-4), ("joints_px", 0.02)):
                np.testing.assert_allclose(person[key], expected_person[key], atol=tolerance)


def test_sample_video_is_what_the_renderer_makes() -> None:
    clip = CLIPS["sample-video"]
    number = clip.frame_count // 2
    with av.open(str(ROOT / "sample-video.mp4")) as container:
        for seen, frame in enumerate(container.decode(video=0)):
            if seen == number:
                shown = frame.to_ndarray(format="rgb24")
                break
    rendered = clip.picture(number).rgb
    # 34 dB between the two is usual for x264 at this quality and the sensor's noise.
    error = np.mean((shown.astype(float) - rendered) ** 2)
    assert 10.0 * np.log10(255.0**2 / error) > 30.0
