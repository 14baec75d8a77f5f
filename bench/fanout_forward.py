"""The second part of bench/fanout.py: a publisher's video to ten viewers, forwarded or encoded.

The publisher sends 640x480 at 30 frames a second, encoded beforehand at 1 Mb/s, with its name. Ten
viewers watch that name, in turn in the publisher's codec, which is forwarded, and in the other one,
which is encoded once. What forwarding costs is the server's CPU with ten viewers minus that with
none; the publisher's packets are received, and decoded for the analyzers, in both.
"""

import asyncio
import contextlib
import os
import statistics
import sys
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
from aiortc.codecs.h264 import H264Encoder
from aiortc.codecs.vpx import Vp8Encoder

from bench import fanout_runs
from bench.fanout_publisher import encode
from bench.fanout_runs import Window
from bench.servers import ROOT, RunningServer
from server.media.encoder import Codec, Encoder

NAME = "bench"
WIDTH, HEIGHT, FPS, BPS = 640, 480, 30, 1_000_000
VIEWERS = 10
PUBLISHES_WITHIN_S = 60.0
_AIORTC_ENCODERS: dict[Codec, Any] = {Codec.H264: H264Encoder, Codec.VP8: Vp8Encoder}
_DECODERS = {Codec.H264: "h264", Codec.VP8: "vp8"}


@dataclass(frozen=True, slots=True)
class Work:
    """CPU of one core for 30 frames a second, in percent, each on one thread by itself.

    At that pace: what waits in between is out of the caches when it goes on, as in a server, and
    takes half as long again as it does without a pause.
    """

    decode_percent: float
    encode_percent: float
    aiortc_encode_percent: float
    """The same with aiortc's own encoder, at the same bitrate."""


@dataclass(frozen=True, slots=True)
class Forwarded:
    """One round.

    Attributes
    ----------
    alone_percent
        The server's CPU without viewers, of a core.
    forwarded, encoded
        Ten viewers of the publisher's codec, and of the other one.
    """

    codec: Codec
    alone_percent: float
    forwarded: Window
    encoded: Window
    work: Work

    @property
    def forward_percent(self) -> float:
        """What forwarding to all viewers takes."""
        return self.forwarded.server_percent - self.alone_percent

    @property
    def share_of_same(self) -> float:
        """Of decoding, encoding once in the same codec, and sending just the same."""
        return self.forward_percent / (
            self.work.decode_percent + self.work.encode_percent + self.forward_percent
        )

    @property
    def share_without_sending(self) -> float:
        """Of decoding and encoding once, as if sending that to the viewers were for nothing."""
        return self.forward_percent / (self.work.decode_percent + self.work.encode_percent)

    @property
    def share_of_aiortc(self) -> float:
        """The first, with the encoder that aiortc has."""
        return self.forward_percent / (
            self.work.decode_percent + self.work.aiortc_encode_percent + self.forward_percent
        )

    @property
    def encoded_percent(self) -> float:
        """What decoding, encoding once in the other codec, and sending that takes."""
        return self.encoded.server_percent - self.alone_percent + self.work.decode_percent


def measure_work(film: Path, codec: Codec, seconds: float) -> Work:
    """What it takes to decode the publisher's packets, and to encode their frames once.

    This process must do nothing else meanwhile.
    """
    packets = [bytes(p) for p in encode(film, codec, size=(WIDTH, HEIGHT), fps=FPS, bps=BPS)]
    decoder = av.CodecContext.create(_DECODERS[codec], "r")
    decoder.thread_count = 1
    encoder, aiortc_encoder = Encoder(codec, BPS), _AIORTC_ENCODERS[codec]()
    aiortc_encoder.target_bitrate = BPS
    decode_s = encode_s = aiortc_s = 0.0
    count = min(len(packets), round(seconds * FPS))
    began_s = time.monotonic()
    for number, packet in enumerate(packets[:count]):
        time.sleep(max(began_s + number / FPS - time.monotonic(), 0.0))
        at_s = time.process_time()
        frames = decoder.decode(av.Packet(packet))
        decoded_s = time.process_time()
        for frame in frames:
            encoder.encode(frame, number / FPS, key_frame=False)
        encoded_s = time.process_time()
        for frame in frames:
            aiortc_encoder.encode(frame)
        aiortc_s += time.process_time() - encoded_s
        encode_s += encoded_s - decoded_s
        decode_s += decoded_s - at_s
    scale = 100 * FPS / count
    return Work(decode_s * scale, encode_s * scale, aiortc_s * scale)


async def measure(
    server: RunningServer,
    film: Path,
    codec: Codec,
    work: Work,
    *,
    seconds: float,
    forward_first: bool,
) -> Forwarded:
    """One round, the two in turn; the server alone before, between and after."""
    other = next(each for each in Codec if each is not codec)
    windows: dict[Codec, Window] = {}
    async with _publisher(server.url, film, codec):
        alone = [await fanout_runs.alone(server.tree, seconds)]
        for each in (codec, other) if forward_first else (other, codec):
            windows[each] = await fanout_runs.watch(
                server.tree,
                f"{server.url}/whep/{NAME}",
                viewers=VIEWERS,
                seconds=seconds,
                codec=str(each),
                fps=FPS,
                remb_bps=BPS,
            )
            alone.append(await fanout_runs.alone(server.tree, seconds))
    return Forwarded(codec, 100 * statistics.fmean(alone), windows[codec], windows[other], work)


@contextlib.asynccontextmanager
async def _publisher(url: str, film: Path, codec: Codec) -> AsyncIterator[None]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "bench.fanout_publisher", "--url", url, "--name", NAME, "--film", str(film)),
        *("--codec", str(codec), "--width", str(WIDTH), "--height", str(HEIGHT)),
        *("--fps", str(FPS), "--bps", str(BPS)),
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        async with asyncio.timeout(PUBLISHES_WITHIN_S):
            if not await process.stdout.readline():
                raise RuntimeError("the publisher ended early: what it printed is above")
        yield
        process.stdin.close()
        async with asyncio.timeout(fanout_runs.ENDING_WITHIN_S):
            await process.wait()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
