"""The bench of vitals: what it draws has the pulse that it says, and what it counts is so."""

import json

import av
import cv2
import numpy as np
import pytest

from analyzers.pose.on_openvino.region import Region
from analyzers.vitals.face_mesh import Face
from analyzers.vitals.face_tracker import Reading
from analyzers.vitals.history import Moment
from analyzers.vitals.pulse import Told
from bench import vitals
from bench.parts import vitals_data
from bench.parts.faces import of_width
from bench.parts.vitals_codec import through, write
from bench.parts.vitals_disturbances import Disturbance, disturbed
from bench.parts.vitals_readings import Read, load, readings, save, told
from bench.parts.vitals_refusals import refusals
from bench.parts.vitals_scene import Actor, Scene, frames


def said(rates, bpm=70.0):
    """A frame a second, and what is told of each."""
    return [
        (Read(float(k), bpm, None), Told(rate, 0.9, None, 15.0)) for k, rate in enumerate(rates)
    ]


@pytest.fixture
def actor():
    """A picture of skin all over."""
    made = Actor(np.full((480, 640, 3), (180, 140, 120), np.uint8), None)
    made.skin[:] = 1.0
    return made


def test_errors_and_what_was_answered():
    clip = vitals.measure(said([None] * 14 + [70.0, 72.0, 90.0]), breaths=14.0)
    assert clip.errors.tolist() == [0.0, 2.0, 20.0]
    assert clip.answered == 3 / 4
    assert clip.first_s == 14.0
    assert clip.wrong == 1 / 17
    assert clip.breath_error == 1.0


def test_any_number_of_a_photograph_is_wrong():
    clip = vitals.measure(said([70.0, None]), has_pulse=False)
    assert clip.wrong == 0.5


def moment(time_s, places):
    reading = Reading(
        colors=np.arange(places * 3.0).reshape(places, 3) + time_s,
        place=np.array([1.0, 2.0, 1.2, 0.1]),
        width_px=120.5,
        clipped=0.25,
        anchor=places,
        region=Region(1.0, 2.0, 3.0, 0.4),
        turned=0.125,
    )
    return Moment(time_s, reading, np.array([90.0, 80.0, 70.0]), 0.5 * time_s)


def test_readings_are_the_same_after_they_were_kept(tmp_path):
    read = [
        Read(0.0, 70.0, moment(0.0, 8)),
        Read(0.5, 71.0, None),
        Read(1.0, 72.0, moment(1.0, 6)),
    ]
    save(read, tmp_path / "there" / "clip.npz")
    again = load(tmp_path / "there" / "clip.npz")
    assert [(one.time_s, one.bpm) for one in again] == [(0.0, 70.0), (0.5, 71.0), (1.0, 72.0)]
    assert again[1].moment is None
    for before, after in ((read[0].moment, again[0].moment), (read[2].moment, again[2].moment)):
        assert (after.time_s, after.chest) == (before.time_s, before.chest)
        assert after.reading.region == before.reading.region
        for name in ("colors", "place", "width_px", "clipped", "anchor", "turned"):
            assert np.array_equal(getattr(after.reading, name), getattr(before.reading, name))
        assert np.array_equal(after.behind, before.behind)


def test_a_clip_that_was_read_is_not_made_again(tmp_path):
    save([Read(0.0, 70.0, None)], tmp_path / "clip.npz")

    def never():
        raise AssertionError("it is drawn again")

    (one,) = told(readings(never, None, tmp_path / "clip.npz"))
    assert one[0].bpm == 70.0
    assert one[1].heart_rate_bpm is None


def test_a_row_of_the_table():
    clips = [
        vitals.Measured(np.array([1.0, 9.0]), 0.5, 9.0, 0.01, 2.0),
        vitals.Measured(np.array([]), 0.0, None, 0.0, None),
    ]
    assert vitals.line("x", clips) == "| x | 2 | 5.0 | 50% | 25% | 9.0 s | 0.5% | 2.0 (1) |"


def test_the_pulse_that_is_drawn_is_there(actor):
    quiet = {"sway": 0.0, "noise": 0.5, "seconds": 8.0}
    beating = Scene(bpm=90.0, strength=0.02, seed=1, **quiet)
    still = Scene(bpm=90.0, strength=0.0, seed=1, **quiet)
    # All that is by chance is the same in both.
    levels = [
        np.array([one.rgb[100:200, 100:200].mean(axis=(0, 1)) for one in frames(actor, scene)])
        for scene in (beating, still)
    ]
    pulse = (levels[0] / levels[1] - 1.0) @ np.eye(3)
    assert np.ptp(pulse[:, 1]) == pytest.approx(0.02, rel=0.2)
    assert np.ptp(pulse[:, 0]) < 0.6 * np.ptp(pulse[:, 1])
    lines = np.abs(np.fft.rfft(pulse[:, 1] - pulse[:, 1].mean()))
    assert np.fft.rfftfreq(len(pulse), 1 / 30.0)[lines.argmax()] * 60.0 == pytest.approx(90, abs=8)


def test_skipped_frames_are_missing_and_the_others_keep_their_times(actor):
    times = [one.time_s for one in frames(actor, Scene(seconds=6.0, skipped=0.2, seed=2))]
    assert 110 < len(times) < 175
    assert np.diff(times).min() > 0.0
    assert times[-1] > 5.5


@pytest.mark.parametrize("codec", ["VP8", "H264"])
def test_frames_come_through_an_encoder_in_order(actor, codec):
    scene = Scene(seconds=2.0, fps=15.0, seed=3)
    sent = list(frames(actor, scene))
    came = list(through(sent, codec, 1_000_000, 15.0))
    assert [one.time_s for one in came] == [one.time_s for one in sent]
    assert np.abs(came[-1].rgb.astype(float) - sent[-1].rgb).mean() < 6.0
    assert not np.array_equal(came[-1].rgb, sent[-1].rgb)


def write_movie(path, count=4):
    with av.open(str(path), "w") as movie:
        stream = movie.add_stream("mpeg4", rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for _ in range(count):
            picture = np.full((48, 64, 3), 90, np.uint8)
            movie.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        movie.mux(stream.encode())


def test_the_layouts_of_recorded_clips(tmp_path):
    ubfc = tmp_path / "subject1"
    ubfc.mkdir()
    write_movie(ubfc / "vid.avi")
    (ubfc / "ground_truth.txt").write_text("0 0 0\n60 70 80\n0 0.1 0.2\n")
    write_movie(tmp_path / "own.mp4")
    (tmp_path / "own.csv").write_text("time,bpm\n0.0,90\n0.2,94\n")
    pure = tmp_path / "01-01"
    pure.mkdir()
    told = [{"Timestamp": 10**9 + k * 10**8, "Value": {"pulseRate": 50 + k}} for k in range(3)]
    (tmp_path / "01-01.json").write_text(json.dumps({"/FullPackage": told}))
    for k in range(3):
        picture = np.full((8, 8, 3), (0, 0, 200), np.uint8)
        cv2.imwrite(str(pure / f"Image{10**9 + k * 10**8}.png"), picture)
    clips = {name: list(seen) for name, seen in vitals_data.clips(tmp_path)}
    assert [round(one.bpm) for one in clips["subject1"]] == [60, 70, 80, 80]
    assert [round(one.bpm) for one in clips["own"]] == [90, 92, 94, 94]
    assert [(one.time_s, one.bpm) for one in clips["01-01"]] == [(0.0, 50), (0.1, 51), (0.2, 52)]
    assert clips["01-01"][0].rgb[0, 0].tolist() == [200, 0, 0]


def test_a_csv_without_numbers_is_named(tmp_path):
    write_movie(tmp_path / "own.mp4")
    (tmp_path / "own.csv").write_text("time,bpm\n")
    with pytest.raises(ValueError, match=r"own\.csv"):
        list(vitals_data.clips(tmp_path))


def test_how_long_a_doubtful_clip_had_a_number_and_how_long_a_wrong_one():
    rates = [70.0] * 10 + [71.0, 72.0, 90.0, 90.0, None, None]
    of_somebody = vitals.doubtful(said(rates), has_pulse=True)
    # From nine seconds on.
    assert (of_somebody.seconds, of_somebody.right_s, of_somebody.wrong_s) == (7.0, 3.0, 2.0)
    of_a_picture = vitals.doubtful(said(rates), has_pulse=False)
    assert (of_a_picture.right_s, of_a_picture.wrong_s) == (0.0, 5.0)


@pytest.mark.parametrize(
    ("clips", "bound"),
    [
        # Three in n, where none was wrong; a short one is one window.
        ([vitals.Doubtful(36.0, 0.0, 0.0)] * 100, 0.00994),
        ([vitals.Doubtful(12.0, 0.0, 0.0)] * 20, 0.1391),
        ([vitals.Doubtful(12.0, 0.0, 0.0)] * 19 + [vitals.Doubtful(12.0, 0.0, 0.5)], 0.2161),
        ([vitals.Doubtful(12.0, 0.0, 12.0)], 1.0),
    ],
)
def test_the_bound_of_wrong_time(clips, bound):
    assert vitals.upper_bound(clips) == pytest.approx(bound, rel=0.01)


def test_a_row_of_the_table_of_refusals():
    clips = [vitals.Doubtful(12.0, 6.0, 0.0), vitals.Doubtful(12.0, 0.0, 3.0)]
    assert vitals.doubtful_line("x", clips) == "| x | 2 | 24 | 25.0% | 12.50% | 97.5% |"


def test_clips_of_refusals_are_of_many_kinds_and_all_different():
    clips = list(refusals(20.0, rounds=2))
    assert len(clips) >= 100
    assert len({each.scene.seed for each in clips}) == len(clips)
    assert {each.scene.seconds for each in clips} == {20.0}
    kinds = {each.kind for each in clips}
    assert len(kinds) >= 15
    # What has no pulse drawn has no right number, and the other way round.
    assert all(each.has_pulse == (each.scene.strength > 0.0) for each in clips)


def brightness(actor, by, **known):
    scene = Scene(seconds=6.0, sway=0.0, noise=0.5, strength=0.0, seed=4, by=by, **known)
    shown = list(frames(actor, scene))
    levels = np.array([one.rgb[100:200, 100:200].mean(axis=(0, 1)) for one in shown])
    return np.array([one.time_s for one in shown]), levels


def strongest_per_minute(values):
    quick = values - np.convolve(np.pad(values, 15, mode="edge"), np.ones(31) / 31.0, "valid")
    lines = np.abs(np.fft.rfft(quick * np.hanning(len(quick))))
    return np.fft.rfftfreq(len(quick), 1 / 30.0)[lines.argmax()] * 60.0


def test_a_flicker_is_as_strong_and_as_quick_as_it_says(actor):
    _, levels = brightness(actor, Disturbance(flicker_per_minute=120.0, flicker=0.05))
    green = levels[:, 1] / levels[:, 1].mean()
    assert strongest_per_minute(green) == pytest.approx(120.0, abs=10.0)
    assert np.ptp(green) == pytest.approx(0.1, rel=0.5)


def test_coloured_lights_change_each_colour_by_itself(actor):
    _, levels = brightness(actor, Disturbance(lights_per_minute=90.0, lights=0.1))
    red, _, blue = (levels / levels.mean(axis=0)).T
    assert strongest_per_minute(red) == pytest.approx(90.0, abs=10.0)
    assert np.ptp(red / blue) > 0.02
    _, steady = brightness(actor, Disturbance())
    assert np.ptp(steady[:, 0] / steady[:, 2]) < 0.4 * np.ptp(levels[:, 0] / levels[:, 2])


@pytest.mark.parametrize(("across", "down"), [(0.05, 0.0), (0.0, 0.05)])
def test_a_head_moves_in_time(across, down):
    times = np.arange(300) / 30.0
    moved = disturbed(Disturbance(72.0, across=across, down=down), times, seed=1).sway
    there, still = (moved[0], moved[1]) if across else (moved[1], moved[0])
    assert np.ptp(there) == pytest.approx(0.1, rel=0.01)
    assert np.ptp(still) == 0.0
    assert strongest_per_minute(there) == pytest.approx(72.0, abs=6.0)


def test_a_mouth_that_talks_opens_and_rests():
    times = np.arange(600) / 30.0
    mouth = disturbed(Disturbance(talks=True), times, seed=2).mouth
    assert mouth.min() >= 0.0
    assert mouth.max() <= 1.0
    assert 0.1 < (mouth > 0.3).mean() < 0.8
    assert np.ptp(disturbed(Disturbance(), times, seed=2).mouth) == 0.0


def test_a_face_is_made_as_small_as_asked():
    points = np.full((468, 2), 300.0)
    points[[234, 454]] = (240.0, 200.0), (400.0, 200.0)
    picture = np.full((480, 640, 3), 200, np.uint8)
    small = of_width(picture, Actor(picture, Face(1.0, points)), 40.0)
    assert small.face.width == pytest.approx(40.0)
    assert small.picture.shape == picture.shape
    # The picture is a quarter as large, in the middle, before a wall.
    assert (small.picture[180:300, 240:400] == 200).all()
    assert (small.picture[:170] == 110).all()


def test_a_clip_is_written_and_read_again(tmp_path, actor):
    shown = list(frames(actor, Scene(seconds=1.0, fps=20.0, seed=5)))
    write(shown, tmp_path / "own.mp4", 20)
    (tmp_path / "own.csv").write_text("0.0,70\n")
    ((_, again),) = vitals_data.clips(tmp_path)
    again = list(again)
    assert [round(one.time_s, 3) for one in again] == [round(k / 20, 3) for k in range(20)]
    assert np.abs(again[-1].rgb.astype(float) - shown[-1].rgb).mean() < 6.0
