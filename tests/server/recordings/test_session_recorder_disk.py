"""A session's recording where the directory or the disk gives out, or the process ends."""

import asyncio
import json
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from server.recordings.session_files import RecordingError, check_directory
from server.recordings.session_recorder import Recorder
from tests.server.recordings.movies import numbered, play
from tests.server.recordings.recorded import submit


@pytest.fixture(params=["below a file", "in a read-only file system"])
def unwritable(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A directory that even root can not create."""
    if request.param == "below a file":
        (tmp_path / "file").write_text("in the way")
        return tmp_path / "file" / "recordings"
    return Path("/proc/recordings")


def test_an_unwritable_directory_is_refused_at_start_up(unwritable: Path) -> None:
    with pytest.raises(RecordingError, match=f"cannot record to {unwritable}: [A-Z]") as caught:
        check_directory(unwritable)
    assert "\n" not in str(caught.value)


def test_an_unwritable_directory_is_refused_for_a_session(unwritable: Path) -> None:
    with pytest.raises(RecordingError, match=f"cannot record to {unwritable}"):
        Recorder(unwritable, "session", audio=False)
    assert not [t for t in threading.enumerate() if t.name.startswith("recorder")]


def test_a_file_is_no_directory(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(RecordingError, match=r"cannot record to .*file: Not a directory$"):
        check_directory(tmp_path / "file")
    with pytest.raises(RecordingError, match=r"cannot record to .*file"):
        Recorder(tmp_path / "file", "session", audio=False)


def test_check_directory_creates_it_and_leaves_nothing_in_it(tmp_path: Path) -> None:
    check_directory(tmp_path / "a" / "b")
    assert list((tmp_path / "a" / "b").iterdir()) == []


@pytest.mark.parametrize("session_id", ["", ".", "..", "../up", "a/b", "a\0b", "x" * 129, "ä"])
def test_a_session_id_can_not_leave_the_directory(tmp_path: Path, session_id: str) -> None:
    with pytest.raises(RecordingError, match="cannot record a session under the name"):
        Recorder(tmp_path / "root", session_id, audio=False)
    assert not (tmp_path / "root").exists()


async def test_a_directory_that_goes_away_stops_the_recording(tmp_path: Path) -> None:
    told = []

    def tell(text: str) -> None:
        told.append(text)
        raise RuntimeError("whoever is told may fail too")

    recorder = Recorder(tmp_path, "session", audio=False, on_error=tell)
    shutil.rmtree(recorder.directory)
    await submit(recorder, numbered(0), 0.0)
    await submit(recorder, numbered(1), 40.0)
    async with asyncio.timeout(60):
        await recorder.close({})

    video = recorder.directory / "video.mp4"
    assert told == [f"recording stopped: cannot record to {video}: No such file or directory"]
    assert recorder.error == told[0]
    assert (recorder.frames_written, recorder.frames_dropped) == (0, 2)


FULL_DISK = """
import asyncio, resource, sys
from pathlib import Path
import av, numpy as np
from server.recordings.session_recorder import Recorder

async def main():
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))
    told = []
    recorder = Recorder(Path(sys.argv[1]), "session", audio=True, on_error=told.append)
    random = np.random.default_rng(1)
    for number in range(1000):
        noise = random.integers(0, 255, (720, 640), np.uint8)
        frame = av.VideoFrame.from_ndarray(noise, "yuv420p")
        done = recorder.frames_written + recorder.frames_dropped
        recorder.video(frame, 33.0 * number)
        while recorder.frames_written + recorder.frames_dropped == done:
            await asyncio.sleep(0.001)
        if recorder.frames_dropped == 10:
            break
    await recorder.close({"id": "session"})
    assert told == [recorder.error], told
    assert recorder.frames_dropped == 10
    assert recorder.frames_written == number - 9
    print(recorder.error)

asyncio.run(main())
"""


def test_a_full_disk_stops_the_recording_and_nothing_else(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", FULL_DISK, str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    video = tmp_path / "session" / "video.mp4"
    assert done.stdout == f"recording stopped: {video}: File too large\n"
    assert "Traceback" not in done.stderr
    summary = json.loads((tmp_path / "session" / "summary.json").read_bytes())
    assert summary["id"] == "session"
    assert summary["recording"]["error"] == done.stdout.strip()
    assert len(play(video).frames) > 10  # what was written before plays


LIVE = """
import sys, time
from pathlib import Path
from server.recordings.session_recorder import Recorder
from tests.server.recordings.movies import numbered, tone

recorder = Recorder(Path(sys.argv[1]), "session", audio=sys.argv[2] != "none")
begin = time.monotonic()
for number in range(10_000):
    time.sleep(max(0, begin + number / 30 - time.monotonic()))
    time_ms = 1000 * (time.monotonic() - begin)
    recorder.video(numbered(number), time_ms)
    if sys.argv[2] == "spoken":
        recorder.audio(tone(1600), number * 1000 / 30)
    recorder.result('{"number": %d}' % number)
    print(f"frame {number} {time_ms}", flush=True)
"""


@pytest.mark.parametrize("sound", ["none", "silent", "spoken"])
def test_a_killed_process_loses_at_most_a_second(tmp_path: Path, sound: str) -> None:
    submitted = _record_until_killed(tmp_path, sound, frames=100)

    movie = play(tmp_path / "session" / "video.mp4")
    kept = len(movie.numbers)
    assert movie.numbers == list(range(kept))
    # On a busy machine frames come less than 1 ms apart, and are moved on.
    assert movie.times_ms == pytest.approx(submitted[:kept], abs=2)
    assert movie.times_ms[-1] >= submitted[-1] - 1000
    if sound == "spoken":
        assert len(movie.sound) / 48 >= submitted[-1] - 1000
    lines = (tmp_path / "session" / "results.jsonl").read_text().splitlines()
    assert [json.loads(line)["number"] for line in lines] == list(range(len(lines)))
    assert submitted[len(lines) - 1] >= submitted[-1] - 1000


def _record_until_killed(root: Path, sound: str, frames: int) -> list[float]:
    """Run a recording process, kill it after so many frames; the times of those submitted."""
    process = subprocess.Popen(
        [sys.executable, "-c", LIVE, str(root), sound],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[3],
    )
    times: list[float] = []
    try:
        assert process.stdout is not None
        for line in process.stdout:
            times.append(float(line.split()[2]))
            if len(times) == frames:
                break
    finally:
        process.send_signal(signal.SIGKILL)
        rest, _ = process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL
    return times + [float(line.split()[2]) for line in rest.splitlines()]
