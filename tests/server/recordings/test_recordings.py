"""Recordings of a real broadcast, with a real encoder and real files."""

import asyncio
import os
import threading

import av
import numpy as np
import pytest

from server.broadcast.broadcast import Broadcast
from server.media.encoder import Codec
from server.recordings import active_recording as module
from server.recordings import dates
from server.recordings.errors import InsufficientStorage
from server.recordings.folder import Folder
from server.recordings.movie_file import MovieFile
from server.recordings.recordings import Recordings
from server.recordings.retention import Retention
from server.recordings.status import State
from signaling.errors import Busy, Conflict, NotFound
from tests.server.recordings.pictures import FPS, Pictures, read

KEEP_ALL = Retention(0, 0)


class Stage:
    """Pictures, their broadcast, and recordings of it."""

    def __init__(self, path, retention=KEEP_ALL, max_running=4):
        self.pictures = Pictures()
        self.broadcast = Broadcast(self.pictures)
        self.folder = Folder(path)
        self.recordings = Recordings(self.folder, retention, max_running)
        self.recordings.open()

    async def file(self, name):
        """Where it is, if it can be had."""
        os.close(await self.recordings.open_file(name))
        return self.folder.movie(name)

    async def start(self, name=None, seconds=60, source="camera"):
        return await self.recordings.start(
            source, lambda: self.broadcast.watch(Codec.H264), name, seconds
        )

    async def find(self, name):
        """What is known of it; one that goes on in another file is there when that has begun."""
        async with asyncio.timeout(60):
            while True:
                for status in await self.recordings.all():
                    if status.name == name:
                        return status
                await asyncio.sleep(0.005)

    async def show(self, name, count, **size):
        """Show pictures until a recording has so many more frames."""
        async with asyncio.timeout(60):
            for _ in range(count):
                before = (await self.find(name)).frames
                self.pictures.show(**size)
                while (await self.find(name)).frames == before:
                    await asyncio.sleep(0.005)

    async def ended(self, name):
        async with asyncio.timeout(60):
            while (status := await self.find(name)).state is State.RECORDING:
                await asyncio.sleep(0.01)
        return status


@pytest.fixture
async def stage(tmp_path):
    made = Stage(tmp_path / "recordings")
    yield made
    await made.recordings.close()
    made.broadcast.close()


async def test_what_was_shown_is_in_the_file(stage):
    status = await stage.start("a")
    assert (status.state, status.source) == (State.RECORDING, "camera")
    await stage.show("a", 30)
    status = await stage.recordings.stop("a")
    assert (status.state, status.error, status.frames, status.skipped) == ("finished", None, 30, 0)
    assert status.seconds == pytest.approx(29 / FPS, abs=0.01)
    path = await stage.file("a")
    assert status.bytes == path.stat().st_size
    times, _, blues = read(path)
    assert times == pytest.approx([index / FPS for index in range(30)], abs=1e-3)
    assert blues == pytest.approx([8 * index % 256 for index in range(30)], abs=6)
    assert stage.pictures.listeners == [], "the camera may stop"
    assert await stage.recordings.stop("a") == status, "once more changes nothing"


async def test_two_of_the_same_share_the_encoder(stage):
    await stage.start("a")
    await stage.show("a", 3)
    await stage.start("b")
    assert len(stage.pictures.listeners) == 1
    await stage.recordings.stop("a")
    # It begins with a key frame, of which there is one a second at most.
    async with asyncio.timeout(60):
        while not (await stage.find("b")).frames:
            stage.pictures.show()
            await asyncio.sleep(1 / FPS)
    ended = await stage.recordings.stop("b")
    assert len(read(await stage.file("b"))[0]) == ended.frames > 0


async def test_players_can_go_to_a_key_frame_every_few_seconds(stage, monkeypatch):
    monkeypatch.setattr(module, "KEY_FRAME_EVERY_S", 0.1)
    monkeypatch.setattr("server.broadcast.encoding.KEY_FRAME_EVERY_S", 0.1)
    await stage.start("a")
    async with asyncio.timeout(60):
        while (await stage.find("a")).frames < 40:
            stage.pictures.show()
            await asyncio.sleep(1 / FPS)
    await stage.recordings.stop("a")
    with av.open(await stage.file("a")) as container:
        keys = [packet.is_keyframe for packet in container.demux(video=0) if packet.size]
    assert sum(keys) >= 4


async def test_after_its_time_it_ends_by_itself(stage):
    await stage.start("a", seconds=0.5)
    await stage.show("a", 2)
    status = await stage.ended("a")
    assert (status.state, status.error) == ("finished", None)
    assert status.frames >= 2


async def test_when_the_source_ends_so_does_it(stage):
    await stage.start("a")
    await stage.show("a", 2)
    stage.broadcast.close()
    status = await stage.ended("a")
    assert (status.state, status.error) == ("finished", "camera has ended")
    assert len(read(await stage.file("a"))[0]) == 2


async def test_when_the_server_ends_it_is_finished(stage):
    await stage.start("a")
    await stage.show("a", 2)
    await stage.recordings.close()
    status = Folder(stage.folder.path).find("a")
    assert (status.state, status.error, status.frames) == ("finished", "the server was stopped", 2)


async def test_without_a_picture_there_is_no_file(stage):
    await stage.start("a")
    status = await stage.recordings.stop("a")
    assert (status.state, status.error, status.bytes) == ("failed", "no picture came", 0)
    assert not stage.folder.movie("a").exists()
    with pytest.raises(NotFound, match="no picture"):
        await stage.file("a")
    assert [s.name for s in await stage.recordings.all()] == ["a"]
    await stage.recordings.remove("a")
    assert await stage.recordings.all() == []


async def test_a_disk_that_hangs_costs_frames_and_nobody_else(stage, monkeypatch):
    monkeypatch.setattr("server.recordings.packet_backlog.MAX_WAITING", 5)
    answers, write = threading.Event(), MovieFile.write

    def slow(file, data):
        answers.wait(60)
        return write(file, data)

    monkeypatch.setattr(MovieFile, "write", slow)
    answers.set()
    await stage.start("a")
    await stage.show("a", 12)
    answers.clear()
    other = stage.broadcast.watch(Codec.H264)
    seen = 0
    async with asyncio.timeout(60):
        # It goes on with a key frame, of which there is one a second at most.
        while (await stage.find("a")).skipped < 10:
            stage.pictures.show()
            await asyncio.sleep(1 / FPS)
            seen += len(other._waiting)
            other._waiting.clear()
        answers.set()
        mark = (await stage.find("a")).frames
        while (await stage.find("a")).frames < mark + 10:
            stage.pictures.show()
            await asyncio.sleep(1 / FPS)
    other.leave()
    assert seen > 0
    ended = await stage.recordings.stop("a")
    assert (ended.state, ended.error) == ("finished", None)
    times, _, blues = read(await stage.file("a"))
    assert len(times) == ended.frames
    assert np.diff(times).max() > 10 / FPS, "what is missing is a gap"
    # Each is the one that was shown at its time: nothing was built on a frame that is missing.
    shown = [round(time_s * FPS) * 8 % 256 for time_s in times]
    assert blues == pytest.approx(shown, abs=8)


async def test_another_picture_size_goes_on_in_another_file(stage):
    await stage.start("a")
    await stage.show("a", 5)
    stage.pictures.show(width=320, height=240)
    first = await stage.ended("a")
    assert first.state is State.FINISHED
    assert first.error == ("the picture's size changed from 160x120 to 320x240: it goes on as a-2")
    await stage.show("a-2", 4, width=320, height=240)
    stage.pictures.show()
    await stage.ended("a-2")
    await stage.show("a-3", 2)
    last = await stage.recordings.stop("a-3")
    assert (last.state, last.error) == ("finished", None)
    files = [read(await stage.file(name)) for name in ("a", "a-2", "a-3")]
    assert [sizes for _, sizes, _ in files] == [{(160, 120)}, {(320, 240)}, {(160, 120)}]
    # Not one frame is missing.
    blues = [blue for _, _, part in files for blue in part]
    assert blues == pytest.approx([8 * index for index in range(5 + 5 + 3)], abs=6)


async def test_a_publisher_can_not_fill_the_directory_with_files(stage, monkeypatch):
    monkeypatch.setattr("server.recordings.recordings.MAX_SEGMENTS", 2)
    await stage.start("a")
    await stage.show("a", 2)
    stage.pictures.show(width=320, height=240)
    await stage.ended("a")
    await stage.show("a-2", 1, width=320, height=240)
    stage.pictures.show()
    status = await stage.ended("a-2")
    assert status.state is State.FINISHED
    assert status.error == (
        "the picture's size changed from 320x240 to 160x120, and there are 2 files of it already"
    )
    # The file is whole before it stops looking.
    async with asyncio.timeout(60):
        while stage.pictures.listeners:
            await asyncio.sleep(0.005)


async def test_names_are_taken_once(stage):
    await stage.start("a")
    for name in ("a", "a"):
        with pytest.raises(Conflict, match="called a"):
            await stage.start(name)
    with pytest.raises(Conflict, match="stop it first"):
        await stage.recordings.remove("a")
    await stage.show("a", 1)
    await stage.recordings.stop("a")
    with pytest.raises(Conflict):
        await stage.start("a")
    await stage.recordings.remove("a")
    await stage.start("a")


async def test_without_a_name_each_gets_one_of_its_own(stage):
    made = [await stage.start(source="yard/annotated") for _ in range(3)]
    assert len({status.name for status in made}) == 3
    assert all(status.name.startswith("yard-annotated-20") for status in made)


async def test_a_refused_one_leaves_nothing_behind(tmp_path):
    stage = Stage(tmp_path / "recordings", max_running=1)
    await stage.start("a")
    with pytest.raises(Busy, match="--max-recordings"):
        await stage.start("b")
    await stage.recordings.stop("a")
    (tmp_path / "recordings" / "b.mp4").write_bytes(b"foreign")
    with pytest.raises(Conflict):
        await stage.start("b")
    assert stage.pictures.listeners == []
    await stage.start("c")
    await stage.recordings.close()
    stage.broadcast.close()


async def test_a_directory_that_can_not_be_made_is_told(tmp_path):
    (tmp_path / "file").touch()
    stage = Stage(tmp_path / "file" / "recordings")
    with pytest.raises(Busy, match="Not a directory"):
        await stage.start("a")
    assert stage.pictures.listeners == []
    await stage.recordings.close()


async def test_the_oldest_go_for_the_quota_and_foreign_files_stay(tmp_path):
    folder = tmp_path / "recordings"
    folder.mkdir()
    foreign = folder / "holiday.mp4"
    foreign.write_bytes(bytes(1_000_000))
    stage = Stage(folder, Retention(0, 20_000))
    sizes = {}
    for name in ("a", "b", "c", "d", "e", "f"):
        await stage.start(name)
        await stage.show(name, 5)
        sizes[name] = (await stage.recordings.stop(name)).bytes
    kept = [status.name for status in await stage.recordings.all()]
    assert kept == list("abcdef")[-len(kept) :]
    assert sum(sizes[name] for name in kept) <= 20_000 < sum(sizes.values())
    assert foreign.stat().st_size == 1_000_000
    assert {path.name for path in folder.iterdir()} == {
        "holiday.mp4",
        *(f"{name}.mp4" for name in kept),
        *(f".{name}.json" for name in kept),
    }
    await stage.recordings.close()
    stage.broadcast.close()


async def test_what_other_nodes_record_grows_into_the_same_room(tmp_path):
    quota = 400_000
    stage = Stage(tmp_path / "recordings", Retention(0, quota))
    stage.recordings.elsewhere = lambda: 3
    await stage.start("a")
    writer = stage.recordings._running["a"].segment.writer
    assert writer.limit_bytes == quota // 4
    await stage.recordings._retention_task.make_room()
    assert writer.bytes_written < writer.limit_bytes <= quota // 4 + writer.bytes_written
    with pytest.raises(Busy, match="--max-recordings"):
        await stage.start("b")
    await stage.recordings.close()
    stage.broadcast.close()


async def test_what_runs_takes_up_the_quota_ends_and_says_so(tmp_path):
    quota = 400_000
    stage = Stage(tmp_path / "recordings", Retention(0, quota))
    await stage.start("a")
    refused = None
    async with asyncio.timeout(60):
        while (status := await stage.find("a")).state is State.RECORDING:
            stage.pictures.show(noise=True)
            await asyncio.sleep(0.01)
            if refused is None and status.bytes > 0.8 * quota:
                with pytest.raises(InsufficientStorage, match="used up") as refused:
                    await stage.start("b")
    assert status.state is State.FINISHED
    assert "--recordings-quota" in status.error
    assert 0.8 * quota < status.bytes <= quota
    assert refused is not None
    assert len(read(await stage.file("a"))[0]) == status.frames
    assert stage.pictures.listeners == []
    # It is over, so it can go for another.
    await stage.start("b")
    assert [s.name for s in await stage.recordings.all()] == ["b"]
    await stage.recordings.close()
    stage.broadcast.close()


async def test_what_runs_grows_into_the_room_of_what_is_deleted(tmp_path):
    quota = 400_000
    stage = Stage(tmp_path / "recordings", Retention(0, quota))
    for name, until in (("a", 150_000), ("b", 300_000)):
        await stage.start(name)
        async with asyncio.timeout(60):
            while (await stage.find(name)).bytes < until:
                stage.pictures.show(noise=True)
                await asyncio.sleep(0.04)
        assert (await stage.recordings.stop(name)).error is None
    assert [s.name for s in await stage.recordings.all()] == ["b"]
    await stage.recordings.close()
    stage.broadcast.close()


async def test_the_old_go_when_their_days_are_over(tmp_path, monkeypatch):
    monkeypatch.setattr(dates, "STEADY_S", 0.0)
    stage = Stage(tmp_path / "recordings", Retention(1, 0))
    for name in ("a", "b"):
        await stage.start(name)
        await stage.show(name, 1)
        await stage.recordings.stop(name)
    old = await stage.find("a")
    day_ms = 86_400_000
    # Of a start of the machine before this one.
    began = old.began.model_copy(update={"boot": "another"})
    earlier = {"started_at": old.started_at - day_ms - 60_000, "began": began}
    stage.folder.note(old.model_copy(update=earlier))
    await stage.start("c")
    assert [s.name for s in await stage.recordings.all()] == ["b", "c"]
    await stage.recordings.close()
    stage.broadcast.close()


async def test_what_was_recorded_before_the_clock_was_set_stays(tmp_path, monkeypatch):
    """A machine without a battery thinks it is 1970 until it has a network."""
    monkeypatch.setattr(dates, "STEADY_S", 0.0)
    stage = Stage(tmp_path / "recordings", Retention(1, 0))
    await stage.start("a")
    await stage.show("a", 1)
    await stage.recordings.stop("a")
    recorded = await stage.find("a")
    stage.folder.note(recorded.model_copy(update={"started_at": 60_000}))
    await stage.start("b")
    assert [s.name for s in await stage.recordings.all()] == ["a", "b"]
    # And has its date.
    assert abs((await stage.find("a")).started_at - recorded.started_at) < 10_000
    await stage.recordings.close()
    stage.broadcast.close()
