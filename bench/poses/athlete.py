"""Clips of the rendered athlete, and the room without them, kept for the next run."""

import contextlib
import hashlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from platformdirs import user_cache_path
from rich.console import Console

from bench.poses.clips import WIDTH_PX, Frames

ROOT = Path(__file__).resolve().parents[2]
SAMPLE = ROOT / "sample-video.mp4"

# In the order in which --clips takes them: the first ones are the least alike. One person each.
CLIP_NAMES = (
    "squat-side",
    "push-up",
    "jumping-jack",
    "bicep-curl",
    "sit-up",
    "squat-oblique",
    "overhead-press",
    "lunge",
    "squat-front",
    "squat-knees-in",
    "squat-shallow",
)
# Half of the clips' own rate: half the time to render, and a movement between frames that
# tracking still follows.
FPS = 15
HEIGHT_PX = 480
RENDERING_PROCESSES = 2


class CannotRender(Exception):
    """The athlete's renderer did not run."""


def render_clips(names: tuple[str, ...], console: Console) -> list[Path]:
    """Render the clips that no earlier run has; returns all of their videos.

    A run that is interrupted keeps those that were finished.

    Raises
    ------
    CannotRender
        When the renderer fails, for instance without numba.
    """
    directory = cache()
    missing = [name for name in names if not (directory / f"{name}.json").exists()]
    if missing:
        console.print(f"Rendering {len(missing)} clips, for the next runs too, in {directory}")
    for name in missing:
        _render(name, directory)
    return [directory / f"{name}.mp4" for name in names]


def cache() -> Path:
    """The user's cache directory for what this version of the athlete renders; made if needed."""
    code = hashlib.sha256(f"{WIDTH_PX}x{HEIGHT_PX}@{FPS}".encode())
    for module in sorted((ROOT / "client_test" / "athlete").glob("*.py")):
        code.update(module.name.encode() + b"\0" + module.read_bytes())
    directory = user_cache_path("kinecast") / "athlete" / code.hexdigest()[:16]
    directory.mkdir(parents=True, exist_ok=True)
    return directory


def empty_room(width: int) -> Frames:
    """The athlete's room with nobody in it, (HEIGHT_PX, width, 3) RGB.

    Raises
    ------
    CannotRender
        When numba is not installed.
    """
    path = cache() / f"empty-room-{width}.png"
    if not path.exists():
        picture = _empty_room(width)
        with _whole_or_not_at_all(path) as new:
            cv2.imwrite(str(new), cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
    return np.asarray(cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB))


def _empty_room(width: int) -> Frames:
    try:
        from client_test.athlete import standing
        from client_test.athlete.catalogue import STANDING
        from client_test.athlete.clip import Clip, Shot
        from client_test.athlete.people import MAN_IN_BLUE
        from client_test.athlete.performance import Performance, Set
    except ImportError as error:
        raise CannotRender(f"the athlete's room cannot be rendered: {error}") from error
    # The renderer wants someone: he stands behind the camera.
    unseen = Performance(MAN_IN_BLUE, (Set(standing.STAND, 0),), (0.0, 50.0))
    clip = Clip("empty-room", "nobody", (Shot((unseen,), STANDING),), width, HEIGHT_PX)
    return clip.picture(0).rgb


@contextlib.contextmanager
def _whole_or_not_at_all(path: Path) -> Iterator[Path]:
    new = path.with_name(f".{os.getpid()}-{path.name}")
    try:
        yield new
        new.replace(path)
    finally:
        new.unlink(missing_ok=True)


def _render(name: str, directory: Path) -> None:
    with tempfile.TemporaryDirectory(dir=directory, prefix=".") as temporary:
        command = [
            *(sys.executable, "-m", "client_test.athlete", "--clip", name, "--output", temporary),
            *("--size", f"{WIDTH_PX}x{HEIGHT_PX}", "--fps", str(FPS)),
            *("--processes", str(RENDERING_PROCESSES)),
        ]
        # A group of its own, which Ctrl-C does not reach: it ends quietly, with its workers.
        process = subprocess.Popen(command, cwd=ROOT, start_new_session=True)
        try:
            status = process.wait()
        except BaseException:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            raise
        if status:
            raise CannotRender(
                f"rendering {name} failed with status {status}; see what it wrote above"
            )
        # The truth last: where it is, the clip is whole.
        for suffix in (".mp4", ".json"):
            shutil.move(Path(temporary) / f"{name}{suffix}", directory / f"{name}{suffix}")
