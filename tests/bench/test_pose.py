"""bench/pose.py: clips, turns, and distances that are known by hand."""

import json
from dataclasses import dataclass, field

import av
import numpy as np
import pytest

from analyzers.networks.boxes import Box
from analyzers.pose.engine import Person
from analyzers.pose.landmarks import INDEX
from bench.parts.clips import WIDTH_PX, PoseClip, rendered_clip, with_grey_level_noise
from bench.parts.landmarks import ALL, JOINTS, Accuracy, angles_deg
from bench.parts.turns import BLOCK_FRAMES, Answers, Runner, Turns, throughput
from bench.pose import Speed, check_speeds, count_people

WIDTH, HEIGHT, FRAMES = 640, 480, 6


def test_truth_is_made_smaller_with_the_frames(tmp_path):
    video = tmp_path / "wide.mp4"
    with av.open(str(video), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 2 * WIDTH_PX, 720, "yuv420p"
        for _ in range(FRAMES):
            picture = np.zeros((720, 2 * WIDTH_PX, 3), np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())
    told = [
        {"timestamp_ms": 40.0 * n, "people": [{"joints_px": [[10 * n, 20]] * 33}]}
        for n in range(FRAMES)
    ]
    truth = {"meta": {"width": 2 * WIDTH_PX}, "frames": told}
    video.with_suffix(".json").write_text(json.dumps(truth))
    clip = rendered_clip(video)
    assert clip.frames.shape == (FRAMES, 360, WIDTH_PX, 3)
    assert clip.truth_px[:, 7].tolist() == [[5 * n, 10] for n in range(FRAMES)]
    video.with_suffix(".json").write_text(json.dumps(truth | {"frames": told[1:]}))
    with pytest.raises(ValueError, match="has 6 frames, its JSON tells of 5"):
        rendered_clip(video)


def test_noise_is_one_grey_level_in_one_pixel_of_a_hundred():
    frames = np.full((3, 40, 50, 3), 128, np.uint8)
    change = with_grey_level_noise(frames, np.random.default_rng(1)).astype(int) - 128
    assert set(np.unique(change)) == {-1, 0, 1}
    assert (change[..., 0] != 0).sum(axis=(1, 2)).tolist() == [20, 20, 20]


@dataclass
class Engine:
    """Writes down who was called for which frame; finds somebody in every second one."""

    name: str
    calls: list = field(default_factory=list)

    def open(self, num_poses):
        return self

    def detect(self, rgb, timestamp_ms):
        self.calls.append((self.name, int(timestamp_ms)))
        points = np.full((33, 4), 0.5)
        return [] if timestamp_ms % 2 else [Person(points, points / 10)]

    def close(self):
        self.calls.append((self.name, "closed"))


def test_engines_take_turns_block_by_block_and_each_is_first_in_turn():
    calls = []
    frames = np.full((250, 20, 20, 3), 50, np.uint8)
    engines = [Engine(name, calls) for name in "abc"]
    answers = Turns([Runner(each.name, each) for each in engines]).run(frames, np.arange(250.0))
    blocks = [name for name, n in calls if n != "closed" and n % BLOCK_FRAMES == 0]
    assert blocks == [*"abc", *"bca", *"cab"]
    assert sorted(calls[-3:]) == [(name, "closed") for name in "abc"]
    for name in "abc":
        assert [n for who, n in calls if who == name] == [*range(250), "closed"]
    px, cm = answers["a"].landmarks_px(WIDTH, HEIGHT), answers["a"].world_cm()
    assert (px.shape, cm.shape) == ((250, 33, 2), (250, 33, 3))
    assert np.unique(px[::2], axis=0).tolist() == [[[320.0, 240.0]] * 33]
    assert cm[::2] == pytest.approx(5.0)
    assert np.isnan(px[1::2]).all()


def test_throughput_is_from_the_first_beginning_to_the_last_end():
    stints = [{"began_s": 10.0, "ended_s": 12.0}, {"began_s": 10.5, "ended_s": 12.5}]
    assert throughput(stints, 100) == pytest.approx(80.0)


def test_angles_of_a_figure():
    points = np.zeros((1, 33, 2))
    elbow = {"left_shoulder": (120, 100), "left_elbow": (160, 100), "left_wrist": (160, 140)}
    knee = {"right_hip": (80, 200), "right_knee": (0, 280), "right_ankle": (-80, 360)}
    for name, place in (elbow | knee).items():
        points[0, INDEX[name]] = place
    angles = angles_deg(points)[0]
    corners = [corner for _, corner, _ in JOINTS]
    assert angles[corners.index(INDEX["left_elbow"])] == pytest.approx(90)
    assert angles[corners.index(INDEX["right_knee"])] == pytest.approx(180)
    # Two of its landmarks fall together.
    assert np.isnan(angles[corners.index(INDEX["left_knee"])])


def answers(points_px, *, world_m=0.0, lost=()):
    """An engine's answers at these points, and nobody in the frames `lost`."""
    result = Answers()
    for number, points in enumerate(points_px):
        landmarks, world = np.zeros((33, 4)), np.zeros((33, 4))
        landmarks[:, :2] = points / (WIDTH, HEIGHT)
        world[:, 0] = world_m
        result.people.append([] if number in lost else [Person(landmarks, world)])
    return result


def test_differences_are_told_of_noises_and_errors_of_frames_that_all_found_someone_in():
    true_px = np.random.default_rng(5).uniform(100, 400, (FRAMES, 33, 2))
    off = np.add(true_px, (3, 4))
    # In the one frame that another engine lost, this one is far off: as an error it does not count.
    off[2] += 500
    accuracy = Accuracy("reference", "noisy", ["engine"])
    frames = np.zeros((FRAMES, HEIGHT, WIDTH, 3), np.uint8)
    clip = PoseClip("clip", "rendered", frames, np.arange(FRAMES) * 33.0, true_px)
    said = {
        "reference": answers(true_px, lost=(2,)),
        "noisy": answers(np.add(true_px, (0, 2)), world_m=0.02),
        "engine": answers(off, world_m=0.01, lost=(0,)),
    }
    accuracy.add(clip, said)
    figures = {(each.clips, each.engine): each for each in accuracy.differences()}
    assert list(figures) == [(c, e) for c in ("rendered", ALL) for e in ("noisy", "engine")]
    engine = figures[ALL, "engine"]
    assert engine.found == (FRAMES - 2, 1, 1)
    px, world_cm, _ = engine.spreads
    assert (px.median, px.median_ratio) == pytest.approx((5.0, 2.5))
    assert (world_cm.p95, world_cm.p95_ratio) == pytest.approx((1.0, 0.5))
    errors = {each.engine: each for each in accuracy.errors()}
    assert {each.found for each in errors.values()} == {(FRAMES - 2,)}
    assert errors["engine"].spreads[0].p95 == pytest.approx(5.0)


def test_speed_is_of_cpu_time_over_all_clips():
    def speed(clip, engine, cpu_ms):
        parts = [Answers([[]], [1.0], [cpu_ms]), Answers([[]] * 3, [9.0] * 3, [cpu_ms] * 3)]
        return Speed.of(clip, engine, parts)

    for ms, reached in ((10.0, True), (10.2, False)):
        speeds = [speed("one", "mediapipe", 1.0), speed("one", "openvino f32", 99.0)]
        speeds += [speed(ALL, "mediapipe", 18.0), speed(ALL, "openvino f32", ms)]
        assert (speeds[0].frames, speeds[0].median_ms, speeds[0].mean_ms) == (4, 9.0, 7.0)
        (check,) = check_speeds(speeds)
        assert (check.reached, check.measured) == (reached, f"{18 / ms:.2f}")


def test_people_are_counted_over_all_frames():
    def person(x0, y0, x1, y1):
        landmarks = np.zeros((33, 4))
        landmarks[:, 0], landmarks[:, 1] = (
            np.linspace(x0, x1, 33) / 200,
            np.linspace(y0, y1, 33) / 100,
        )
        return Person(landmarks, np.zeros((33, 4)))

    truth = [[Box(20, 10, 60, 90), Box(100, 10, 140, 90)], [], [Box(20, 10, 60, 90)]]
    seen = [
        [person(20, 10, 60, 90), person(100, 10, 140, 40)],  # one found, one too small
        [person(20, 10, 60, 90)],  # nobody is there
        [],  # missed
    ]
    assert count_people(truth, seen, 200, 100) == (3, 1, 2)
