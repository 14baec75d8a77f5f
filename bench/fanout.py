"""Measures what it costs to show one camera to many viewers.

A camera of 1536x864 pixels and 20 frames a second (a film, played in a loop, with the time written
into each picture) is watched by 1 to 50 viewers over loopback. They have processes of their own,
and count complete frames without decoding them. What is measured is the server's CPU: the first
viewer's is the camera's and the encoder's as well, so what a further one takes is the difference,
divided by their number. Against it, in the same run and in turn, the same viewers of a server that
is written like aiortc's webcam example, where each viewer has an encoder of aiortc's own, at the
same bitrate. That one fills two cores with a few viewers: what it takes for more is not measured.

With --forward: a publisher's 640x480 at 30 frames a second, encoded beforehand at 1 Mb/s, to ten
viewers, as the frames it came in. What that costs is the server's CPU with ten viewers minus that
with none; the publisher's packets are received, and decoded for the analyzers, in both. Against it:
decoding that video and encoding it once. Without --forward and --camera, both parts are measured.

    bench/fanout.py                             everything, about 8 minutes
    bench/fanout.py --viewers 1,10 --rounds 1   a first impression
    bench/fanout.py --forward                   forwarding only
"""

import argparse
import asyncio
import contextlib
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

if not __package__:  # Run as a file, Python looks for modules beside it.
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

import av
import numpy as np
from aiortc.codecs.h264 import H264Encoder
from aiortc.codecs.vpx import Vp8Encoder

from bench.harness import processes, viewers
from bench.harness.processes import RunningServer, ServerKind, running, started
from bench.harness.report import SAMPLE, Check, Report, at_least, at_most, parser_for, run
from server.media.encoder import Codec, Encoder

WIDTH, HEIGHT, FPS, BPS = 1536, 864, 20, 2_000_000
CLIP_FRAMES, SEEN_BY, FORWARDED_TO = 400, 10, 10
# So many viewers to a process: its one event loop must not be what loses packets.
VIEWERS_A_PROCESS = 17
CONNECTS_WITHIN_S = 60.0
ENDS_WITHIN_S = 30.0
# What is new, encoders and connections, does more at first.
SETTLE_S = 2.0

MAX_VIEWER_PERCENT, MAX_OF_BASELINE, MIN_DELIVERED = 5.0, 0.2, 0.99
MAX_GLASS_MS, MAX_FORWARDING = 120.0, 0.35
# With fewer frames the machine was too full for a figure.
MIN_TO_COUNT = 0.9

COLUMNS = (
    *("server", "viewers", "server CPU %:.1f", "per further viewer %:.2f"),
    *("ms a frame and viewer:.2f", "fps each:.1f", "delivered %:.1f", "kb/s each:.0f"),
)
FORWARD_COLUMNS = (
    *("publisher's codec", "server alone:.1f", f"forwarding to {FORWARDED_TO}:.1f"),
    *("delivered %:.1f", "decoding:.1f", "encoding once:.1f", "share:.2f"),
    *("sending left out:.2f", "aiortc's encoder:.1f", "share:.2f"),
)
_AIORTC_ENCODERS: dict[Codec, Any] = {Codec.H264: H264Encoder, Codec.VP8: Vp8Encoder}


@dataclass(frozen=True, slots=True)
class Window:
    """The server's CPU of one core, a viewer's rates, and the share of frames that came whole.

    `latencies_ms` are from the hook's stamp to the decoded picture, if one viewer decodes.
    """

    server_percent: float
    fps: float
    kbps: float
    delivered: float
    latencies_ms: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Video:
    """What is watched."""

    name: str
    codec: str
    fps: float = FPS
    bps: int = BPS


async def watch(
    server: RunningServer, video: Video, count: int, seconds: float, *, see: bool = False
) -> Window:
    """Have a server's video watched by so many, of whom one may decode it (`see`)."""
    line = ("--url", f"{server.url}/whep/{video.name}", "--codec", video.codec)
    common = (*line, "--fps", video.fps, "--remb", video.bps)
    whole, rest = divmod(count - see, VIEWERS_A_PROCESS)
    sizes = [VIEWERS_A_PROCESS] * whole + [rest] * bool(rest)
    commands: list[tuple[object, ...]] = [("--viewers", size, *common) for size in sizes]
    commands += [("--see", *common)] * see
    async with contextlib.AsyncExitStack() as stack:
        programs = []
        for command in commands:
            program = await stack.enter_async_context(started(viewers.__name__, *command))
            await program.line(CONNECTS_WITHIN_S)
            programs.append(program)
        await asyncio.sleep(SETTLE_S)
        for program in programs:
            program.go_on()
        began_s = time.monotonic()
        server_percent = await server.tree.cpu_percent(seconds)
        lasted_s = time.monotonic() - began_s
        for program in programs:
            program.go_on()
        told = [viewer for program in programs for viewer in await program.line(ENDS_WITHIN_S)]
        for program in programs:
            await program.ended(ENDS_WITHIN_S)
    counted = [viewer for viewer in told if "frames" in viewer]
    frames, sent, size = (sum(each[key] for each in counted) for key in ("frames", "sent", "bytes"))
    return Window(
        server_percent,
        fps=frames / len(counted) / lasted_s,
        kbps=size / len(counted) * 8 / lasted_s / 1000,
        delivered=frames / max(sent, 1),
        latencies_ms=tuple(ms for viewer in told for ms in viewer.get("latencies_ms", ())),
    )


def make_clip(target: Path, *, source: Path = SAMPLE, count: int = CLIP_FRAMES) -> None:
    """Bring a film to the camera's size and rate, repeated up to `count` frames; an MP4 file."""
    with av.open(str(target), "w") as movie:
        stream: Any = movie.add_stream("libx264", rate=FPS)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        # Cheap to decode: it is the camera, not what is measured.
        stream.options = {"preset": "ultrafast", "tune": "fastdecode", "crf": "18", "g": str(FPS)}
        made = 0
        while made < count:
            with av.open(str(source)) as film:
                for frame in film.decode(video=0):
                    if made == count:
                        break
                    picture = frame.reformat(width=WIDTH, height=HEIGHT, format="yuv420p")
                    picture.pts, picture.time_base = made, Fraction(1, FPS)
                    picture.pict_type = av.video.frame.PictureType.NONE
                    movie.mux(stream.encode(picture))
                    made += 1
        movie.mux(stream.encode())


def measure_work(codec: Codec, seconds: float) -> tuple[float, float, float]:
    """CPU % for decoding the publisher's packets, and encoding their frames, also by aiortc.

    It goes at the publisher's pace: what waits in between is out of the caches when it goes on, as
    in a server, and takes half as long again as it does without a pause.
    """
    fps, bps = viewers.FPS, viewers.BPS
    packets = [bytes(packet) for packet in viewers.encode_sample(codec)]
    decoder = av.CodecContext.create(codec.lower(), "r")
    decoder.thread_count = 1
    encoder, aiortc_encoder = Encoder(codec, bps), _AIORTC_ENCODERS[codec]()
    aiortc_encoder.target_bitrate = bps
    took_s = np.zeros(3)
    count = min(len(packets), round(seconds * fps))
    began_s = time.monotonic()
    for number, packet in enumerate(packets[:count]):
        time.sleep(max(began_s + number / fps - time.monotonic(), 0.0))
        times_s = [time.process_time()]
        frames = decoder.decode(av.Packet(packet))
        times_s.append(time.process_time())
        for frame in frames:
            encoder.encode(frame, number / fps, key_frame=False)
        times_s.append(time.process_time())
        for frame in frames:
            aiortc_encoder.encode(frame)
        times_s.append(time.process_time())
        took_s += np.diff(times_s)
    decoding, encoding, aiortc_encoding = (100 * fps / count * took_s).tolist()
    return decoding, encoding, aiortc_encoding


async def forward(
    server: RunningServer, codec: Codec, seconds: float
) -> tuple[float, float, float]:
    """CPU % of the server alone (before and after), what ten viewers add to it, share delivered."""
    publisher = ("--url", server.url, "--publish", "bench", "--codec", codec)
    video = Video("bench", codec, viewers.FPS, viewers.BPS)
    async with started(viewers.__name__, *publisher) as publishing:
        await publishing.line(CONNECTS_WITHIN_S)
        await asyncio.sleep(SETTLE_S)
        before = await server.tree.cpu_percent(seconds)
        window = await watch(server, video, FORWARDED_TO, seconds)
        await asyncio.sleep(SETTLE_S)
        alone = (before + await server.tree.cpu_percent(seconds)) / 2
        await publishing.ended(ENDS_WITHIN_S)
    return alone, window.server_percent - alone, window.delivered


async def measure_forwarding(asked: argparse.Namespace, report: Report) -> None:
    """Both codecs, round by round; adds the table."""
    table = report.table("Forwarding a publisher's video, % of a core", *FORWARD_COLUMNS)
    shares: dict[Codec, list[float]] = {Codec.VP8: [], Codec.H264: []}
    for number in range(asked.rounds):
        for codec, of_codec in shares.items():
            report.say(f"round {number + 1}: forwarding {codec}")
            decoding, encoding, aiortcs = measure_work(codec, asked.seconds)
            async with running(kinecast()) as server:
                alone, forwarding, delivered = await forward(server, codec, asked.seconds)
            once = decoding + encoding
            of_codec.append(forwarding / (once + forwarding))
            of_aiortcs = forwarding / (decoding + aiortcs + forwarding)
            measured = (alone, forwarding, 100 * delivered, decoding, encoding)
            table.add(codec, *measured, of_codec[-1], forwarding / once, aiortcs, of_aiortcs)
    for codec, of_codec in shares.items():
        same = f"{FORWARDED_TO}, of decoding, encoding once and sending it"
        mean = statistics.fmean(of_codec)
        report.check(at_most(f"forwarding {codec} to {same}", mean, MAX_FORWARDING))
    report.notes.append(
        f"Shares: what forwarding to {FORWARDED_TO} viewers takes, of the same plus decoding plus"
        " encoding once, with the encoder before the share; of decoding and encoding only, where"
        " sending is left out."
    )


@dataclass(slots=True)
class Fanout:
    """Everything that was measured in one run; windows by server and number of viewers."""

    windows: dict[tuple[str, int], list[Window]] = field(default_factory=dict)
    latencies_ms: list[float] = field(default_factory=list)

    def add(self, server: str, count: int, window: Window) -> None:
        """Note a window."""
        self.windows.setdefault((server, count), []).append(window)

    def mean(self, server: str, count: int, figure: str) -> float:
        """A figure of the windows of all rounds."""
        return statistics.fmean(getattr(window, figure) for window in self.windows[server, count])

    def further_viewer_ms(self, server: str, count: int) -> float:
        """CPU for each frame that each viewer after the first takes.

        By the frame: on a full machine there are fewer of them, which would look like less work.
        """
        return (self._frame_ms(server, count) - self._frame_ms(server, 1)) / (count - 1)

    def _frame_ms(self, server: str, count: int) -> float:
        fps = max(self.mean(server, count, "fps"), 1e-9)
        return 10 * self.mean(server, count, "server_percent") / fps

    def further_viewer_percent(self, server: str, count: int) -> float:
        """CPU of a core that each viewer after the first takes, at the camera's rate."""
        return self.further_viewer_ms(server, count) * FPS / 10

    def checks(self) -> Iterator[Check]:
        """What was set out to be reached."""
        ours, theirs = (
            sorted(n for server, n in self.windows if server == name and n > 1)
            for name in ("kinecast", "baseline")
        )
        for count in ours:
            delivered = self.mean("kinecast", count, "delivered")
            percent = self.further_viewer_percent("kinecast", count)
            what = f"{count} viewers: % of a core for each after the first"
            yield _if_whole(at_most(what, percent, MAX_VIEWER_PERCENT), delivered)
            yield at_least(f"{count} viewers: frames delivered, of made", delivered, MIN_DELIVERED)
        if ours and theirs:
            # The fewest, which leave the machine room: a full one gives the baseline less CPU than
            # its encoders need, so that it seems to take less.
            most, least = ours[-1], theirs[0]
            theirs_ms = self.further_viewer_ms("baseline", least)
            share = self.further_viewer_ms("kinecast", most) / theirs_ms
            what = f"a further viewer of {most}, of the baseline's with {least}, a frame"
            delivered = min(self.mean("kinecast", count, "delivered") for count in (most, 1))
            yield _if_whole(at_most(what, share, MAX_OF_BASELINE), delivered)
        if self.latencies_ms:
            p50 = float(np.median(self.latencies_ms))
            yield at_most(f"{SEEN_BY} viewers: glass to glass p50, ms", p50, MAX_GLASS_MS)

    def tell(self, report: Report) -> None:
        """Fill the report."""
        table = report.table("One camera to many viewers", *COLUMNS)
        for server, count in self.windows:
            percent, fps, kbps, delivered = (
                self.mean(server, count, key)
                for key in ("server_percent", "fps", "kbps", "delivered")
            )
            further = (None, None)
            if count > 1 and (server, 1) in self.windows:
                ms = self.further_viewer_ms(server, count)
                further = (self.further_viewer_percent(server, count), ms)
            table.add(server, count, percent, *further, fps, 100 * delivered, kbps)
        report.check(self.checks())
        if self.latencies_ms:
            p50, p95 = np.percentile(self.latencies_ms, (50, 95))
            report.notes.append(
                f"Glass to glass with {SEEN_BY} viewers, from the stamp in the camera's picture to"
                f" the decoded one: p50 {p50:.0f} ms, p95 {p95:.0f} ms,"
                f" {len(self.latencies_ms)} pictures."
            )


def _if_whole(check: Check, delivered: float) -> Check:
    """A figure of a server that could not do its work is none."""
    if delivered >= MIN_TO_COUNT:
        return check
    return replace(check, measured=f"{check.measured}, on a full machine", reached=False)


def kinecast(clip: Path | None = None) -> ServerKind:
    """Kinecast with the clip for a camera; of the analyzers only one that does nothing."""
    hook = "bench.harness.barcode:stamp_time"
    return processes.kinecast(
        *("--analyzers", "mock_model_1", "--workers", "1"),
        *("--max-viewers", "60", "--connections-per-address", "0"),
        *(("--camera", str(clip), "--camera-hook", hook) if clip else ()),
    )


async def measure_camera(asked: argparse.Namespace, report: Report, fanout: Fanout) -> None:
    """Both servers, in turn."""
    video, seconds = Video("camera", asked.codec), asked.seconds
    with tempfile.TemporaryDirectory() as directory:
        report.say("making the camera's film")
        clip = Path(directory) / "camera.mp4"
        await asyncio.to_thread(make_clip, clip)
        arguments = (*processes.BASELINE.arguments, "--clip", str(clip))
        baseline = replace(processes.BASELINE, arguments=arguments)
        order = [(kinecast(clip), asked.viewers), (baseline, asked.baseline_viewers)]
        for number in range(asked.rounds):
            # Each goes first every other time.
            for kind, all_counts in order if number % 2 == 0 else reversed(order):
                async with running(kind) as server:
                    for count in all_counts:
                        report.say(f"round {number + 1}: {kind.name}, {count} viewers")
                        fanout.add(kind.name, count, await watch(server, video, count, seconds))
                    if kind.name == "kinecast":
                        report.say(f"round {number + 1}: glass to glass with {SEEN_BY} viewers")
                        window = await watch(server, video, SEEN_BY, seconds, see=True)
                        fanout.latencies_ms += window.latencies_ms


async def bench(asked: argparse.Namespace, report: Report) -> None:
    """Both parts, or the one that the command line asks for."""
    report.settings = [
        f"Rounds: {asked.rounds}, windows of {asked.seconds:g} s, the servers in turn, viewers of"
        f" {asked.codec}"
    ]
    fanout = Fanout()
    try:
        if not asked.forward:
            await measure_camera(asked, report, fanout)
    finally:
        # What was measured until then is still worth reading.
        fanout.tell(report)
    if not asked.camera:
        await measure_forwarding(asked, report)


def main() -> int:
    parser = parser_for(__doc__)
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--forward", action="store_true", help="measure forwarding only")
    which.add_argument("--camera", action="store_true", help="measure the camera only")
    rising = {"type": _counts, "metavar": "N,N", "help": "rising, 1 first (%(default)s)"}
    parser.add_argument("--viewers", default=[1, 5, 10, 25, 50], **rising)
    # Two cores encode for no more.
    parser.add_argument("--baseline-viewers", default=[1, 2, 3], **rising)
    parser.add_argument("--codec", choices=["H264", "VP8"], default="H264", help="that they take")
    parser.add_argument("--rounds", type=int, default=2, help="how often each is measured (2)")
    parser.add_argument("--seconds", type=float, default=10.0, help="of each window (10)")
    return run("Fan-out", parser.parse_args(), bench)


def _counts(text: str) -> list[int]:
    found = [int(count) for count in text.split(",") if count]
    if not found or found[0] != 1 or sorted(set(found)) != found:
        raise argparse.ArgumentTypeError("rising numbers, 1 first: the others are held against it")
    return found


if __name__ == "__main__":
    sys.exit(main())
