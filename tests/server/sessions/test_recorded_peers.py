"""A peer's video is recorded as it came: no worker shows it, and nothing encodes it again."""

import itertools
import json

import av
import psutil
import pytest

from client_test.peer import ClientPeer
from tests.support.server import COUNTER, running_server
from tests.support.tracks import ColourTrack

WITHIN_S = 60.0


@pytest.fixture(scope="module")
def recordings(tmp_path_factory):
    return tmp_path_factory.mktemp("recordings")


@pytest.fixture(scope="module")
def server(tmp_path_factory, recordings):
    log = tmp_path_factory.mktemp("server")
    flags = ("--analyzers", COUNTER, "--workers", "1", "--record-to", str(recordings))
    with running_server(log, *flags) as running:
        yield running


def shared_memory(server):
    """What the server and its workers share: raw pictures, and nothing else."""
    root = psutil.Process(server.process.pid)
    return {
        mapped.path
        for process in [root, *root.children(recursive=True)]
        for mapped in process.memory_maps()
        if mapped.path.startswith("/dev/shm/")
    }


@pytest.mark.parametrize(("codec", "name"), [("VP8", "video.webm"), ("H264", "video.mp4")])
async def test_packets_are_kept_and_no_picture_is_shown(server, recordings, codec, name):
    before = shared_memory(server)
    async with ClientPeer(server.url, codec=codec) as peer:
        await peer.connect(ColourTrack(size=(320, 240), rgb=(40, 180, 90)))
        # A key frame is asked for after four seconds without one.
        await peer.wait_for(
            lambda m: (m.get("frame") or {}).get("pts", 0) > 12_000 and m["count"] > 20, WITHIN_S
        )
        assert shared_memory(server) == before
        await peer.end()
    folder = recordings / peer.session.id
    server.wait_until(f"/sessions/{peer.session.id}", lambda s: s["state"] == "ended")
    with av.open(folder / name) as movie:
        packets = [packet for packet in movie.demux(video=0) if packet.size]
    times_s = [float(packet.pts * packet.time_base) for packet in packets]
    assert all(a < b for a, b in itertools.pairwise(times_s))
    keys_s = [t for packet, t in zip(packets, times_s, strict=True) if packet.is_keyframe]
    assert keys_s[0] == times_s[0]
    assert max(b - a for a, b in itertools.pairwise([*keys_s, times_s[-1]])) < 9
    with av.open(folder / name) as movie:
        shown = list(movie.decode(video=0))[-1].to_ndarray(format="rgb24").mean(axis=(0, 1))
    assert shown == pytest.approx([40, 180, 90], abs=14)
    told = json.loads((folder / "summary.json").read_text())["recording"]
    assert (told["files"], told["frames_written"], told["error"]) == ([name], len(packets), None)
