"""The bench of attacks measures what it says, and its attacks are what they say."""

import asyncio
import io
import signal
import sys
import time

import cv2
import numpy as np
import pytest
from aiortc.rtcsctptransport import DataChunk, parse_packet
from aiortc.rtp import RtcpPacket

from bench.parts import attacker, door_lines, packets, watched_server
from bench.parts.attack_watch import Outcome, checks_of
from bench.parts.watched_server import Lateness
from server.media.bitstream import picture_size
from tests.support.server import COUNTER, running_server

FINE = {
    "stall_before_ms": 10.0,
    "stall": Lateness(0.0, 100.0, 100.0),
    "server_mb": 100.0,
    "worker_mb": 100.0,
    "kept_percent": 90.0,
    "kept_after_percent": 100.0,
    "stopped_in_s": 1.0,
    "seen": {},
    "checks": {"the connection lives": True},
}


def missed(**changes):
    outcome = Outcome(**FINE | changes)
    return [check.what for check in checks_of(attacker.LINES["nack"], outcome) if not check.reached]


def test_each_target_can_be_missed():
    assert missed() == []
    assert missed(stall=Lateness(0.0, 101.0, 0.0)) == ["nack: longest stall, ms"]
    assert missed(server_mb=101.0) == ["nack: growth of a process, MB"]
    assert missed(worker_mb=101.0) == ["nack: growth of a process, MB"]
    assert missed(kept_percent=89.0) == ["nack: bystander's results kept, %"]
    assert missed(checks={"so": False}) == ["nack: so"]


def sleep() -> None:
    time.sleep(0.3)


def work() -> None:
    # By this thread's own time: other programs may have the core meanwhile.
    until_s = time.thread_time() + 0.3
    while time.thread_time() < until_s:
        pass


@pytest.mark.parametrize(("hold_up", "is_work"), [(sleep, False), (work, True)])
async def test_a_loop_that_is_held_up_is_noticed(hold_up, is_work):
    async def serve() -> None:
        await asyncio.sleep(0.05)
        hold_up()
        await asyncio.sleep(0.05)

    file, began_s = io.StringIO(), time.monotonic()
    await watched_server.watched(serve(), file)
    worst = watched_server.read(file.getvalue(), began_s, time.monotonic())
    assert worst.late_ms >= 250
    assert (worst.own_ms >= 50) is is_work
    assert watched_server.read(file.getvalue(), 0.0, began_s).late_ms == 0


def test_without_anybody_who_watches_there_is_no_figure():
    with pytest.raises(RuntimeError, match="was not watched"):
        watched_server.read("", 0.0, 1.0)


def test_the_loop_of_a_server_is_watched(tmp_path):
    noted = tmp_path / "noted"
    command = (sys.executable, "-m", watched_server.__name__, str(noted))
    flags = ("--no-watchdog", "--no-camera-enabled", "--analyzers", COUNTER, "--workers", "1")
    with running_server(tmp_path, *flags, command=command) as server:
        began_s = time.monotonic()
        server.process.send_signal(signal.SIGSTOP)
        time.sleep(1.0)
        server.process.send_signal(signal.SIGCONT)
        server.get("/health")
        went_on_s = time.monotonic()
    worst = watched_server.read(noted.read_text(), began_s, went_on_s)
    assert worst.late_ms > 900


def test_a_nack_asks_for_all():
    data = packets.nack(1, 2, [17 * n for n in range(250)])
    assert len(data) == 1012
    (packet,) = RtcpPacket.parse(data)
    assert packet.lost == list(range(4250))


@pytest.mark.parametrize("size", [(640, 480), (12_000, 12_000)])
def test_a_parameter_set_says_its_size(size):
    assert picture_size("H264", b"\0\0\0\1" + packets.h264_parameter_set(*size)) == size


def test_an_sctp_packet_is_one():
    chunks = packets.data_chunk(7, 1, 0, 51, b"abc", packets.LAST_PIECE) * 2
    *ports_and_tag, read = parse_packet(packets.sctp(5000, 5001, 9, chunks))
    assert ports_and_tag == [5000, 5001, 9]
    assert [(type(each), each.tsn, each.user_data) for each in read] == [(DataChunk, 7, b"abc")] * 2


def test_a_decoder_sees_what_the_header_hides():
    data = np.frombuffer(door_lines.jpeg_of_two_headers(64), np.uint8)
    assert cv2.imdecode(data, cv2.IMREAD_COLOR).shape == (64, 64, 3)
