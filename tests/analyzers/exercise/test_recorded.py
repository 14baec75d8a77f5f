"""People who were filmed, counted by eye, and labelled: needs the data folder."""

import csv
import os
from pathlib import Path

import cv2
import numpy as np
import pytest

from analyzers.exercise import Exercise
from analyzers.exercise.definitions import definitions
from analyzers.exercise.signals import INDEX, measure
from analyzers.pose import Pose
from analyzers.pose.landmarks import INDEX as LANDMARK

ROOT = Path(__file__).resolve().parents[3]
DATA = Path(os.environ.get("KINECAST_DATA", ROOT.parent / "shared" / "data"))
FORM = DATA / "exercise_landmarks" / "exercise_correction"

pytestmark = pytest.mark.skipif(
    not (DATA / "rep_counts.json").is_file(),
    reason=f"no recordings in {DATA}; name their folder in KINECAST_DATA",
)


@pytest.fixture(scope="module")
def pose():
    """The analyzer; each clip is a session of its own."""
    return Pose()


def summary_of(pose, clip, every):
    """Run each so many frames of a clip through pose and exercise."""
    exercise = Exercise()
    pose.start("a", 0.0)
    exercise.start("a", 0.0)
    capture = cv2.VideoCapture(str(DATA / clip))
    fps = capture.get(cv2.CAP_PROP_FPS)
    number = 0
    while capture.grab():
        if number % every == 0:
            rgb = cv2.cvtColor(capture.retrieve()[1], cv2.COLOR_BGR2RGB)
            time_ms = number * 1000.0 / fps
            exercise.frame("a", rgb, time_ms, results={"pose": pose.frame("a", rgb, time_ms)})
        number += 1
    capture.release()
    pose.end("a")
    return exercise.end("a")["exercise_summary"]


@pytest.mark.parametrize(
    ("clip", "name", "reps"),
    [
        ("exercise_videos/wissem_bicep_curls.mp4", "bicep_curl", 4),
        ("exercise_videos/prime_situps.mp4", "sit_up", 7),
        ("exercise_videos/rjsong_jumpingjacks.mp4", "jumping_jack", 4),
    ],
)
def test_a_clip_is_counted(pose, clip, name, reps):
    summary = summary_of(pose, clip, every=3)
    assert summary["main_exercise"] == name
    assert summary["exercises"][name]["reps"] == reps


def test_people_who_walk_and_stand_about_do_no_exercise(pose):
    summary = summary_of(pose, "people_videos/TUD-Campus.mp4", every=1)
    assert summary["main_exercise"] == "none"


@pytest.mark.parametrize(
    ("file", "name", "code", "label", "reach"),
    [
        ("plank_bad_data_hist.csv", "plank", "plank_hips_low", "L", 0.95),
        ("bicep_dataset_hist.csv", "bicep_curl", "curl_leaning_back", "L", 0.9),
        ("lunge_err_train2_hist.csv", "lunge", "lunge_knee_past_toe", "L", 0.95),
    ],
)
def test_faults_are_those_that_were_labelled(file, name, code, label, reach):
    fault = next(each for each in definitions()[name].faults if each.code == code)
    with (FORM / file).open(newline="") as rows:
        pairs = [(row["label"] == label, shows(fault, row)) for row in csv.DictReader(rows)]
    true, told = np.array(pairs).T
    assert 2 * (true & told).sum() / (true.sum() + told.sum()) >= reach


def shows(fault, row):
    names = [key[:-2] for key in row if key.endswith("_x")]
    points = np.zeros((33, 4))
    for joint in names:
        points[LANDMARK[joint]] = [float(row[f"{joint}_{axis}"]) for axis in "xyzv"]
    # Frames were 16:9; the rows have no world landmarks, whose place the picture's take.
    world = points * (16 / 9, 1.0, 16 / 9, 1.0)
    signals = measure(points.tolist(), world.tolist(), 16 / 9)
    return fault.shows(signals[INDEX[fault.signal]], signals[INDEX["side_on"]])
