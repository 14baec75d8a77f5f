"""A hook changes pictures, and harms none when it fails or is slow."""

import sys
import threading
import time

import av
import numpy as np
import pytest

from server.camera import hooks
from server.camera.hooks import BadHook, Hook, load
from server.media.capture import Capture


def grey(value=100, width=64, height=48):
    picture = np.full((height, width, 3), value, np.uint8)
    return Capture(av.VideoFrame.from_ndarray(picture, format="rgb24"), 5.0)


def pixels(capture):
    return capture.frame.to_ndarray(format="rgb24")


def test_what_it_returns_is_shown():
    changed = Hook(lambda picture: 255 - picture).apply(grey(100))
    assert (pixels(changed) == 155).all()
    assert changed.captured_s == 5.0


def test_another_size_is_fine():
    assert pixels(Hook(lambda picture: picture[::2, ::2]).apply(grey())).shape == (24, 32, 3)


def test_none_leaves_the_picture_as_it_was():
    def spoil(picture):
        picture[:] = 0

    given = grey(100)
    assert Hook(spoil).apply(given) is given
    assert (pixels(given) == 100).all()


@pytest.mark.parametrize(
    ("function", "told"),
    [
        (lambda picture: 1 / 0, "ZeroDivisionError"),
        (lambda picture: "text", "TypeError"),
        (lambda picture: picture.astype(float), "TypeError"),
        (lambda picture: picture[:, :, 0], "ValueError"),
        (lambda picture: picture[:0], "ValueError"),
    ],
)
def test_a_fault_is_told_and_the_picture_stays(function, told):
    hook = Hook(function)
    given = grey()
    assert hook.apply(given) is given
    assert hook.apply(given) is given
    assert hook.status()["failures"] == 2
    assert told in hook.status()["error"]


def test_a_slow_one_is_skipped_and_catches_up(monkeypatch):
    monkeypatch.setattr(hooks, "PATIENCE_S", 0.02)
    release = threading.Event()

    def slow(picture):
        release.wait(10)
        return 255 - picture

    hook = Hook(slow)
    given = grey(100)
    assert hook.apply(given) is given, "too slow"
    assert hook.apply(given) is given, "still busy with the one before"
    assert hook.status()["skipped"] == 2
    release.set()
    monkeypatch.setattr(hooks, "PATIENCE_S", 10.0)
    deadline = time.monotonic() + 60
    while (changed := hook.apply(given)) is given:
        assert time.monotonic() < deadline
    assert (pixels(changed) == 155).all()


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("nothing", "No module named"),
        ("json:", "is not module:function"),
        ("nowhere/hooks.py", "No such file"),
        ("no.such.module:f", "No module named"),
        ("json:no_such", "no attribute"),
        ("json:__name__", "is no function"),
    ],
)
def test_what_can_not_be_loaded(name, told):
    with pytest.raises(BadHook, match=told):
        load(name)


def test_loading():
    assert load("json:dumps")([1]) == "[1]"


@pytest.fixture
def forgotten():
    """Modules that are imported here, and where they are found, are forgotten afterwards."""
    before, path = set(sys.modules), list(sys.path)
    yield
    for name in set(sys.modules) - before:
        del sys.modules[name]
    sys.path[:] = path


@pytest.mark.parametrize(
    ("in_package", "imported"),
    [
        (True, "from .hook_marks import MARK"),
        (True, "from hook_app.hook_marks import MARK"),
        (False, "from hook_marks import MARK"),
    ],
)
def test_a_file_finds_what_lies_beside_it(tmp_path, forgotten, in_package, imported):
    folder = tmp_path / "hook_app"
    folder.mkdir()
    if in_package:
        (folder / "__init__.py").touch()
    (folder / "hook_marks.py").write_text("MARK = 7\n")
    (folder / "hooks.py").write_text(
        f"{imported}\ndef annotate_frame(frame, timestamp):\n    return frame + MARK\n"
    )
    annotate = load(str(folder / "hooks.py"))
    assert (annotate(np.zeros((2, 2, 3), np.uint8), 0.0) == 7).all()
