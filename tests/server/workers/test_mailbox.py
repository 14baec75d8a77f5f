"""The mailbox: the newest whole frame, across processes, whoever is killed."""

import itertools
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from server.workers.mailbox import FrameInfo, MailboxReader, MailboxWriter


def make_frame(width: int, height: int, value: int = 0) -> av.VideoFrame:
    rows, columns = np.mgrid[0:height, 0:width]
    picture = np.stack([rows % 200, columns % 200, np.full_like(rows, value)], -1)
    return av.VideoFrame.from_ndarray(picture.astype(np.uint8), "rgb24").reformat(format="yuv420p")


def make_info(number: int, width: int = 0, height: int = 0) -> FrameInfo:
    return FrameInfo(number, number * 33.3, 1000.5 + number, 2000.25 + number, width, height)


@pytest.fixture
def writer():
    made = MailboxWriter()
    yield made
    made.close()


@pytest.mark.parametrize("size", [(640, 480), (641, 361), (64, 64), (1, 1), (2, 3), (1918, 1078)])
def test_a_frame_comes_out_as_it_went_in(writer, size):
    width, height = size
    frame = make_frame(width, height, 90)
    writer.put(frame, make_info(7, width, height))
    reader = MailboxReader(writer.name)
    info, i420 = reader.take()
    assert info == make_info(7, width, height)
    assert i420.shape == ((height + height % 2) * 3 // 2, width + width % 2)
    luma = i420[:height, :width]
    expected = np.frombuffer(frame.planes[0], np.uint8).reshape(-1, frame.planes[0].line_size)
    assert np.array_equal(luma, expected[:height, :width])
    rgb = cv2.cvtColor(i420, cv2.COLOR_YUV2RGB_I420)[:height, :width]
    reference = frame.to_ndarray(format="rgb24").astype(int)
    assert np.abs(rgb.astype(int) - reference).mean() < 6, "chroma is in its place"
    del luma, i420
    reader.close()


@pytest.mark.parametrize("size", [(640, 480), (2, 2), (1918, 1078)])
def test_planes_come_out_as_they_went_in(writer, size):
    width, height = size
    planes = make_frame(width, height, 90).to_ndarray()
    writer.put_planes(planes, make_info(7, width, height))
    reader = MailboxReader(writer.name)
    info, taken = reader.take()
    assert info == make_info(7, width, height)
    assert np.array_equal(taken, planes)
    del taken
    reader.close()


def test_only_the_newest_is_kept(writer):
    for number in range(1, 6):
        writer.put(make_frame(64, 48, number), make_info(number, 64, 48))
    reader = MailboxReader(writer.name)
    assert reader.take()[0].number == 5
    assert reader.take()[0].number == 5, "taking does not remove it"
    writer.put(make_frame(64, 48), make_info(6, 64, 48))
    assert reader.take()[0].number == 6
    reader.close()


def test_what_is_being_read_is_not_overwritten(writer):
    writer.put(make_frame(64, 48, 10), make_info(1, 64, 48))
    reader = MailboxReader(writer.name)
    _, i420 = reader.take()
    before = i420.copy()
    for number in range(2, 12):
        writer.put(make_frame(64, 48, 20 * number % 255), make_info(number, 64, 48))
    assert np.array_equal(i420, before)
    assert reader.take()[0].number == 11
    del i420
    reader.close()


def test_larger_frames_get_larger_memory(writer):
    writer.put(make_frame(64, 48), make_info(1, 64, 48))
    small = writer.name
    writer.put(make_frame(640, 480), make_info(2, 640, 480))
    large = writer.name
    assert small != large
    writer.put(make_frame(64, 48), make_info(3, 64, 48))
    assert writer.name == large, "and keep it when they shrink"
    reader = MailboxReader(large)
    info, i420 = reader.take()
    assert (info.number, i420.shape) == (3, (72, 64))
    del i420
    reader.close()
    with pytest.raises(FileNotFoundError):
        MailboxReader(small)


def test_closing_gives_the_memory_back(writer):
    writer.put(make_frame(64, 48), make_info(1, 64, 48))
    path = Path("/dev/shm") / writer.name
    assert path.exists()
    writer.close()
    assert not path.exists()
    assert writer.name is None


OWNER = textwrap.dedent("""
    import sys, threading
    import numpy as np
    from server.workers.mailbox import FrameInfo, MailboxReader, MailboxWriter

    def attach():
        while True:
            MailboxReader(sys.argv[1]).close()

    threading.Thread(target=attach, daemon=True).start()
    planes, info, owned = np.zeros((72, 64), np.uint8), FrameInfo(1, 0, 0, 0, 64, 48), []
    for _ in range(100):
        writer = MailboxWriter()
        writer.put_planes(planes, info)
        owned.append(writer)
    print(*[writer.name for writer in owned], flush=True)
    threading.Event().wait()
""")


def test_memory_of_a_process_that_is_killed_is_given_back(writer):
    """Also what it made while another of its threads opened memory of somebody else's."""
    writer.put(make_frame(64, 48), make_info(1, 64, 48))
    with subprocess.Popen(
        [sys.executable, "-c", OWNER, writer.name],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        names = process.stdout.readline().split()
        process.kill()
    assert len(names) == 100
    deadline = time.monotonic() + 30
    while left := [name for name in names if (Path("/dev/shm") / name).exists()]:
        assert time.monotonic() < deadline, f"{len(left)} are left"
        time.sleep(0.02)
    assert (Path("/dev/shm") / writer.name).exists(), "it was not theirs"


READER = textwrap.dedent("""
    import sys
    import numpy as np
    from server.workers.mailbox import MailboxReader

    reader = MailboxReader(sys.argv[1])
    print("ready", flush=True)
    torn = taken = last = 0
    while taken < int(sys.argv[2]):
        info, i420 = reader.take()
        values = set(np.unique(i420[: info.height]).tolist())
        torn += len(values) != 1 or values != {info.number % 251} or info.number < last
        taken += info.number != last
        last = info.number
    print(torn, flush=True)
""")


def test_another_process_reads_whole_frames_while_we_write(writer):
    """One process writes as fast as it can until the other has checked a thousand frames."""
    frames = []
    for value in range(251):
        frame = av.VideoFrame(320, 240, "yuv420p")
        for plane in frame.planes:
            plane.update(bytes([value]) * plane.buffer_size)
        frames.append(frame)
    writer.put(frames[1], make_info(1, 320, 240))
    deadline = time.monotonic() + 90
    with subprocess.Popen(
        [sys.executable, "-c", READER, writer.name, "1000"], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout.readline() == "ready\n"
        for number in itertools.count(2):
            if process.poll() is not None:
                break
            assert time.monotonic() < deadline, "it does not read"
            writer.put(frames[number % 251], make_info(number, 320, 240))
        torn = int(process.stdout.readline())
    assert torn == 0


def test_memory_that_is_not_there_is_an_error_and_not_a_signal(writer, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.posix_fallocate", full)
    before = set(Path("/dev/shm").iterdir())
    with pytest.raises(OSError, match="No space left"):
        writer.put(make_frame(64, 48), make_info(1, 64, 48))
    assert set(Path("/dev/shm").iterdir()) == before
    monkeypatch.undo()
    writer.put(make_frame(64, 48), make_info(2, 64, 48))
    assert writer.name
