"""What is in the wheel that pip builds of this."""

import shutil
import subprocess
import sys
import zipfile

import pytest

from tests.support.server import ROOT

SOURCES = ("README.md", "MANIFEST.in", "pyproject.toml", "sample-video.mp4")
FOLDERS = ("server", "analyzers", "signaling", "client_test")


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """The paths in it."""
    copy = tmp_path_factory.mktemp("source")
    for name in SOURCES:
        shutil.copy(ROOT / name, copy)
    for name in FOLDERS:
        shutil.copytree(ROOT / name, copy / name)
    built = tmp_path_factory.mktemp("built")
    # With the setuptools of this environment: isolated, pip would fetch one.
    subprocess.run(
        [
            *(sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps"),
            *("--no-build-isolation", "--wheel-dir", str(built), str(copy)),
        ],
        check=True,
        timeout=100,
    )
    (wheel,) = built.iterdir()
    with zipfile.ZipFile(wheel) as content:
        return set(content.namelist())


def test_four_packages_are_in_it_and_they_are_typed(files):
    folders = {path.partition("/")[0] for path in files}
    packages = {folder for folder in folders if not folder.startswith("kinecast-")}
    assert packages == {"server", "analyzers", "signaling", "client_test"}
    assert {f"{package}/py.typed" for package in packages} <= files
    assert "client_test/client.py" in files
    assert not [path for path in files if path.startswith(("client_test/athlete", "tests/"))]


def test_the_page_is_in_it_with_the_video_for_those_without_a_camera(files):
    below = "server/web/"
    page = {path.relative_to(ROOT).as_posix() for path in (ROOT / below).rglob("*.*")}
    assert page
    assert page == {path for path in files if path.startswith(below)}
    assert any(path.endswith(".data/data/share/kinecast/sample-video.mp4") for path in files)


def test_how_databases_of_earlier_versions_are_changed_is_in_it(files):
    below = "server/history/migrations/"
    steps = {path.relative_to(ROOT).as_posix() for path in (ROOT / below).rglob("*.py")}
    assert len(steps) > 2
    assert steps == {path for path in files if path.startswith(below)}
