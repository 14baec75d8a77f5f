"""Recordings over HTTP: of a real server's camera, read by PyAV and OpenCV."""

import asyncio
import contextlib
import itertools
import json
import os
import resource
import signal
import subprocess
import time

import av
import cv2
import numpy as np
import pytest

from client_test.peer import ClientPeer
from tests.server.api.recordings.asked import (
    FLAGS,
    FPS,
    ask,
    ask_json,
    listed,
    remove,
    start,
    stop,
    wait_for_frames,
)
from tests.support.server import running_server
from tests.support.tracks import ColourTrack


def frame_times(path):
    with av.open(path) as container:
        return [float(frame.time) for frame in container.decode(video=0)]


def opencv_count(path):
    capture = cv2.VideoCapture(str(path))
    count = sum(1 for _ in itertools.takewhile(lambda got: got[0], iter(capture.read, None)))
    capture.release()
    return count


def test_the_camera_is_recorded(server, folder, tmp_path):
    status, headers, text = ask(server, "POST", "/recordings", {"source": "camera", "name": "a"})
    begun = json.loads(text)
    assert status == 201
    assert headers["Location"] == begun["url"] == "/recordings/a"
    assert (begun["name"], begun["source"], begun["state"]) == ("a", "camera", "recording")
    wait_for_frames(server, "a", 40)
    # It plays while it is recorded.
    status, headers, data = ask(server, "GET", "/recordings/a")
    assert (status, headers["Content-Type"]) == (200, "video/mp4")
    (tmp_path / "running.mp4").write_bytes(data)
    assert len(frame_times(tmp_path / "running.mp4")) >= 40 - FPS
    ended = stop(server, "a")
    assert (ended["state"], ended["error"], ended["skipped"]) == ("finished", None, 0)
    assert listed(server)["a"] == ended
    path = folder / "a.mp4"
    times = frame_times(path)
    assert len(times) == ended["frames"] == opencv_count(path)
    assert path.stat().st_size == ended["bytes"]
    assert times[0] == 0
    assert times[-1] == pytest.approx(ended["seconds"], abs=0.01)
    assert np.median(np.diff(times)) == pytest.approx(1 / FPS, abs=0.005)
    remove(server, "a")
    assert "a" not in listed(server)
    assert ask(server, "GET", "/recordings/a")[0] == 404
    assert not path.exists()


def test_the_camera_runs_as_long_as_it_is_recorded(server):
    server.wait_until("/camera/status", lambda status: status["viewers"] == 0)
    for name in ("one", "two"):
        start(server, name=name)
    wait_for_frames(server, "two", 1)
    assert server.get("/camera/status")["viewers"] == 1, "one encoder for both"
    stop(server, "one")
    assert server.get("/camera/status")["viewers"] == 1
    stop(server, "two")
    assert server.get("/camera/status")["viewers"] == 0
    for name in ("one", "two"):
        remove(server, name)


def test_after_its_seconds_it_ends_by_itself(server):
    made = start(server, seconds=1.0)
    assert made["name"].startswith("camera-20")
    server.wait_until(
        "/recordings",
        lambda answer: all(r["state"] == "finished" for r in answer["recordings"]),
        within_s=60,
    )
    ended = listed(server)[made["name"]]
    assert ended["error"] is None
    assert 0 < ended["seconds"] < 5
    remove(server, made["name"])


def test_a_camera_that_stops_leaves_a_gap(server, folder):
    start(server, name="gap")
    wait_for_frames(server, "gap", 10)
    ask(server, "POST", "/camera/stop")
    before = listed(server)["gap"]
    assert before["state"] == "recording"
    pause_s = 1.5
    # Nothing to wait for: the time itself is meant.
    time.sleep(pause_s)
    ask(server, "POST", "/camera/start")
    wait_for_frames(server, "gap", before["frames"] + 15)
    stop(server, "gap")
    steps = np.diff(frame_times(folder / "gap.mp4"))
    assert steps.max() >= pause_s - 0.1
    assert np.median(steps) == pytest.approx(1 / FPS, abs=0.005)
    remove(server, "gap")
    # What holds it on is over, too.
    ask(server, "POST", "/camera/stop")


@pytest.mark.parametrize(
    ("wish", "code", "says"),
    [
        ({"source": "nobody"}, 404, "nobody"),
        ({"source": "camera/annotated"}, 404, "camera"),
        ({"source": "../camera"}, 400, "source"),
        ({"source": "camera", "name": "../a"}, 400, "name"),
        ({"source": "camera", "name": ".a"}, 400, "no dot in front"),
        ({"source": "camera", "name": "a/b"}, 400, "name"),
        ({"source": "camera", "name": ""}, 400, "name"),
        ({"source": "camera", "name": "a" * 129}, 400, "name"),
        ({"source": "camera", "name": "finished"}, 409, "file=1"),
        ({"source": "camera", "name": "finished.mp4"}, 409, "finished"),
        ({"source": "camera", "seconds": 0}, 400, "seconds"),
        ({"source": "camera", "seconds": 1e9}, 400, "seconds"),
        ({}, 400, "source"),
        ([], 400, ""),
        (b"{", 400, "JSON"),
    ],
)
def test_what_can_not_be_recorded(server, finished, wish, code, says):
    status, answer = ask_json(server, "POST", "/recordings", wish)
    assert (status, answer["code"]) == (code, code), answer
    assert says in answer["message"]
    assert set(listed(server)) == {"finished"}


def test_no_more_at_once_than_allowed(server):
    names = [start(server, name=f"many-{number}")["name"] for number in range(3)]
    status, headers, text = ask(server, "POST", "/recordings", {"source": "camera"})
    assert status == 503
    assert headers["Retry-After"]
    assert "--max-recordings" in json.loads(text)["message"]
    assert ask(server, "DELETE", f"/recordings/{names[0]}?file=1")[0] == 409, "it runs"
    for name in names:
        wait_for_frames(server, name, 1)
        stop(server, name)
        remove(server, name)


def test_a_file_that_can_grow_no_further_is_finished_and_says_so(server, folder):
    """As on a full disk: the system refuses the write."""
    start(server, name="full")
    wait_for_frames(server, "full", 25)
    size = (folder / "full.mp4").stat().st_size
    pid = server.process.pid
    before = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    try:
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (max(size, 8192) + 2000, before[1]))
        server.wait_until(
            "/recordings",
            lambda a: next(r for r in a["recordings"] if r["name"] == "full")["state"] == "failed",
            within_s=60,
        )
    finally:
        resource.prlimit(pid, resource.RLIMIT_FSIZE, before)
    ended = listed(server)["full"]
    assert ended["error"] == "the file could not be written: File too large"
    count = opencv_count(folder / "full.mp4")
    assert count >= 25 - FPS // 2
    assert len(frame_times(folder / "full.mp4")) == count
    # Nobody else noticed.
    start(server, name="next")
    wait_for_frames(server, "next", 5)
    assert stop(server, "next")["state"] == "finished"
    for name in ("full", "next"):
        remove(server, name)


@pytest.mark.parametrize("codec", ["H264", "VP8"])
async def test_what_is_published_is_recorded(server, folder, codec):
    """Also when the publisher changes the size of its pictures, as browsers do on a bad line."""
    track = ColourTrack(rgb=(30, 60, 200))
    async with ClientPeer(server.url, publish="yard", codec=codec) as publisher:
        await publisher.connect(track)
        await asyncio.to_thread(start, server, source="yard", name="published")
        await asyncio.to_thread(wait_for_frames, server, "published", 30)
        track.size = (320, 240)
        await asyncio.to_thread(
            server.wait_until, "/recordings", lambda _: "published-2" in listed(server), 30
        )
        await asyncio.to_thread(wait_for_frames, server, "published-2", 10)
        await publisher.end()
    await asyncio.to_thread(
        server.wait_until,
        "/recordings",
        lambda _: listed(server)["published-2"]["state"] == "finished",
        30,
    )
    first, second = (listed(server)[name] for name in ("published", "published-2"))
    assert first["error"] == (
        "the picture's size changed from 160x120 to 320x240: it goes on as published-2"
    )
    assert second["error"] == "yard has ended"
    for ended, size in ((first, (160, 120)), (second, (320, 240))):
        path = folder / f"{ended['name']}.mp4"
        with av.open(path) as container:
            frames = list(container.decode(video=0))
        assert {(frame.width, frame.height) for frame in frames} == {size}
        assert len(frames) == ended["frames"] == opencv_count(path)
        times = [float(frame.time) for frame in frames]
        assert np.median(np.diff(times)) == pytest.approx(1 / 30, abs=0.01)
        middle = frames[-1].to_ndarray(format="rgb24")[size[1] // 2, size[0] // 2].astype(int)
        assert middle == pytest.approx([30, 60, 200], abs=25)
        remove(server, ended["name"])


async def test_what_was_found_is_recorded_with_it(server, folder):
    async with ClientPeer(server.url, publish="yard") as publisher:
        await publisher.connect(ColourTrack())
        await asyncio.to_thread(start, server, source="yard/annotated", name="annotated")
        await asyncio.to_thread(wait_for_frames, server, "annotated", 10)
        ended = await asyncio.to_thread(stop, server, "annotated")
        await publisher.end()
    assert len(frame_times(folder / "annotated.mp4")) == ended["frames"]
    await asyncio.to_thread(remove, server, "annotated")


def test_a_server_that_is_killed_loses_less_than_a_second(tmp_path):
    flags = (*FLAGS, "--recordings", str(tmp_path / "made"))
    with running_server(tmp_path, *flags) as server:
        start(server, name="a")
        wait_for_frames(server, "a", 60)
        seen = listed(server)["a"]
        server.process.send_signal(signal.SIGKILL)
        server.process.wait(60)
    path = tmp_path / "made" / "a.mp4"
    times = frame_times(path)
    assert len(times) >= seen["frames"] - FPS
    assert opencv_count(path) == len(times)
    with running_server(tmp_path, *flags) as server:
        found = listed(server)["a"]
        assert (found["state"], found["frames"]) == ("failed", len(times))
        assert found["seconds"] == pytest.approx(times[-1], abs=0.01)
        assert "the server ended" in found["error"]
        assert ask(server, "GET", "/recordings/a")[2] == path.read_bytes()
        # And one that is stopped finishes what runs.
        start(server, name="b")
        wait_for_frames(server, "b", 5)
        assert server.stop() == 0
        assert "Traceback" not in server.log
    note = json.loads((tmp_path / "made" / ".b.json").read_text())
    assert (note["state"], note["error"]) == ("finished", "the server was stopped")
    assert opencv_count(tmp_path / "made" / "b.mp4") == note["frames"]


def test_a_full_disk(tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(disk)]
    if os.geteuid() or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("only root can mount a small disk")
    try:
        with running_server(tmp_path, *FLAGS, "--recordings", str(disk)) as server:
            start(server, name="a")
            wait_for_frames(server, "a", 25)
            fill(disk / "filler")
            server.wait_until(
                "/recordings", lambda a: a["recordings"][0]["state"] != "recording", within_s=60
            )
            ended = listed(server)["a"]
            assert ended["state"] == "failed"
            assert ended["error"] == "the file could not be written: No space left on device"
            assert opencv_count(disk / "a.mp4") >= 25 - FPS // 2
            status, answer = ask_json(server, "POST", "/recordings", {"source": "camera"})
            assert status == 507
            assert f"the disk of {disk} is full" in answer["message"]
            (disk / "filler").unlink()
            start(server, name="b")
            wait_for_frames(server, "b", 5)
            assert stop(server, "b")["state"] == "finished"
            assert "Traceback" not in server.log
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def fill(path):
    """Write until nothing fits any more."""
    with path.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(4096))
