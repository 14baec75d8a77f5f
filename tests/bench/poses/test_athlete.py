"""Rendered clips are kept, by what they are rendered from."""

import sys
from pathlib import Path

import pytest
from rich.console import Console

from bench.poses import athlete
from client_test.athlete.catalogue import CLIPS


@pytest.fixture(autouse=True)
def cache_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path


@pytest.fixture
def cannot_render(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")


def test_all_clips_are_the_athletes_and_show_one_person() -> None:
    for name in athlete.CLIP_NAMES:
        assert [len(shot.performances) for shot in CLIPS[name].shots] == [1]


def test_the_cache_is_that_of_the_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "client_test" / "athlete"
    package.mkdir(parents=True)
    monkeypatch.setattr(athlete, "ROOT", tmp_path)
    body = package / "body.py"
    directories = []
    for code in ("ARMS = 2", "ARMS = 3", "ARMS = 2"):
        body.write_text(code)
        directories.append(athlete.cache())
    assert directories[0] == directories[2] != directories[1]
    assert all(each.is_relative_to(tmp_path / "kinecast" / "athlete") for each in directories)


@pytest.mark.usefixtures("cannot_render")
def test_what_is_there_is_not_rendered_again() -> None:
    directory = athlete.cache()
    (directory / "lunge.json").touch()
    assert athlete.render_clips(("lunge",), Console(quiet=True)) == [directory / "lunge.mp4"]


@pytest.mark.usefixtures("cannot_render")
def test_a_renderer_that_fails_is_told_and_leaves_nothing() -> None:
    with pytest.raises(athlete.CannotRender, match="rendering lunge failed with status 1"):
        athlete.render_clips(("lunge",), Console(quiet=True))
    assert list(athlete.cache().iterdir()) == []
