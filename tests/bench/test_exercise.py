"""The exercise bench: what it prints, and what it says of a folder that is not whole."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "bench" / "exercise.py"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=100, env={**os.environ})


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where what pose says of the sample is kept: it takes some seconds of a core to find out."""
    return tmp_path_factory.mktemp("cache")


def folder(path: Path, truth: object) -> str:
    (path / "rep_counts.json").write_text(json.dumps(truth))
    return str(path)


def test_json_has_summary_clips_and_form_and_nothing_else(tmp_path: Path, cache: Path) -> None:
    (tmp_path / "sample.mp4").write_bytes((ROOT / "sample-video.mp4").read_bytes())
    truth = {"sample.mp4": {"exercise": "jumping jacks", "rep_markers": 4}}
    done = run("--json", "--data", folder(tmp_path, truth), "--cache", str(cache))
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert set(report) == {"summary", "clips", "form"}
    assert report["summary"] == {
        "clips": 1, "exact": 1.0, "off_by_one": 1.0, "mean_error": 0.0, "recognised": 1.0
    }  # fmt: skip
    [clip] = report["clips"]
    assert (clip["clip"], clip["true"], clip["true_least"]) == ("sample.mp4", 4, 3)
    assert (clip["counted"], clip["error"], clip["recognised"]) == (3, 0, "jumping_jack")
    assert clip["told_late_s"] <= 0.5
    assert "form is left out" in done.stderr


def test_repetitions_in_a_clip_of_somebody_who_does_nothing_are_errors(
    tmp_path: Path, cache: Path
) -> None:
    (tmp_path / "sample.mp4").write_bytes((ROOT / "sample-video.mp4").read_bytes())
    truth = {"sample.mp4": {"exercise": "Standing and talking", "reps": 0}}
    done = run("--json", "--data", folder(tmp_path, truth), "--cache", str(cache))
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    [clip] = report["clips"]
    assert (clip["exercise"], clip["recognised"]) == ("none", "jumping_jack")
    assert (clip["counted"], clip["error"]) == (8, 8)
    assert (report["summary"]["off_by_one"], report["summary"]["recognised"]) == (0.0, 0.0)


def test_landmarks_are_kept_and_taken_from_where_they_were_kept(
    tmp_path: Path, cache: Path
) -> None:
    video = tmp_path / "sample.mp4"
    video.write_bytes((ROOT / "sample-video.mp4").read_bytes())
    truth = {"sample.mp4": {"exercise": "jumping jacks", "reps": 3}}
    data = folder(tmp_path, truth)
    first = run("--json", "--quick", "--data", data, "--cache", str(cache))
    [kept] = cache.iterdir()
    written = kept.stat().st_mtime_ns
    again = run("--json", "--quick", "--data", data, "--cache", str(cache))
    assert first.returncode == again.returncode == 0, first.stderr + again.stderr
    assert json.loads(first.stdout) == json.loads(again.stdout)
    assert [each.stat().st_mtime_ns for each in cache.iterdir()] == [written]


def test_unseen_clips_are_a_set_of_their_own(tmp_path: Path) -> None:
    unseen = tmp_path / "exercise_unseen"
    unseen.mkdir()
    for place in (tmp_path, unseen):
        (place / "a_sample.mp4").write_bytes((ROOT / "sample-video.mp4").read_bytes())
    folder(tmp_path, {"a_sample.mp4": {"exercise": "jumping jacks", "reps": 3}})
    folder(unseen, {"a_sample.mp4": {"exercise": "squats", "reps": 3}})
    done = run("--json", "--quick", "--data", str(tmp_path), "--cache", str(tmp_path / "cache"))
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["summary"]["clips"] == 2
    assert [clip["part"] for clip in report["clips"]] == ["known", "unseen"]
    # The sample shows both, and each clip's truth is one of them: the other one is wrong there.
    assert [clip["wrong"] > 0 for clip in report["clips"]] == [True, True]


@pytest.mark.parametrize(
    ("truth", "words"),
    [
        (None, "there is no"),
        ({"a.mp4": {"exercise": "squat", "reps": 2}}, "names 1 clips that are not there: a.mp4"),
        ({"a.mp4": {"reps": 2}}, "is not an object of clips"),
        ([1, 2], "is not an object of clips"),
    ],
)
def test_what_is_missing_or_wrong_is_said(tmp_path: Path, truth: object, words: str) -> None:
    if truth is not None:
        folder(tmp_path, truth)
    done = run("--json", "--data", str(tmp_path))
    assert done.returncode == 2
    assert words in done.stderr
    assert done.stdout == ""


def test_a_clip_that_is_no_video_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_text("not a video")
    truth = {"a.mp4": {"exercise": "squat", "reps": 2}}
    done = run("--data", folder(tmp_path, truth))
    assert done.returncode == 2
    assert "a.mp4 has no frame that can be decoded" in done.stderr
