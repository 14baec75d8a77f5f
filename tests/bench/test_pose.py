"""The command line of the pose engines' comparison."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "bench" / "pose.py"), *arguments]
    return subprocess.run(
        command, capture_output=True, text=True, timeout=100, env={**os.environ, **environment}
    )


def test_without_the_data_folder_its_part_is_left_out_and_says_so(tmp_path: Path) -> None:
    absent, page = tmp_path / "absent", tmp_path / "page.md"
    done = run("--only", "people", "--markdown", str(page), KINECAST_DATA=str(absent))
    assert done.returncode == 0, done.stderr
    sentence = f"Several people: left out, since there is no {absent}"
    assert sentence in done.stdout.replace("\n", "")
    assert sentence in page.read_text()


def test_help_explains_the_parts() -> None:
    done = run("--help")
    assert done.returncode == 0
    for part in ("clips", "empty", "processes", "people"):
        assert f"\n  {part} " in done.stdout


def test_an_unknown_part_is_refused_with_those_there_are() -> None:
    done = run("--only", "clips,poeple")
    assert done.returncode == 2
    assert "poeple is none of clips, empty, processes, people" in done.stderr


def test_a_number_of_clips_that_there_is_not_is_refused() -> None:
    assert "99 is not between 0 and 11" in run("--clips", "99").stderr
