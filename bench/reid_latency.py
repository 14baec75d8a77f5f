"""What re-identification costs a stream: pose's time and the latency, with it and without.

One server with pose, the bar code and re-ID is started. One peer streams a numbered clip, 640x480
at 30 frames per second, over loopback, in turns with and without re-ID in its session; with it, the
clip's person is the reference. Times of pose are those that the server tells (timing.analyzers),
latency is from handing a frame to the encoder to its result's arrival.
"""

import argparse
import asyncio
import json
import sys
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

if not __package__:
    # Run as a file, Python looks for modules beside it. They are found as bench's.
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

import numpy as np
from rich.console import Console
from rich.table import Table

from analyzers.networks.catalogue import Task
from analyzers.pose import Pose
from analyzers.reid import Reid
from analyzers.reid.embedding import Embedding
from bench.people.truth import frames
from bench.people.weights import networks
from bench.servers import BARCODE, ServerKind, running
from bench.stamped_clip import load_stamped
from bench.stream_load import HEIGHT, WIDTH, LoadStream
from client_test.errors import ClientError
from client_test.inbox import Message
from client_test.peer import ClientPeer

ROOT = Path(__file__).resolve().parent.parent
CLIP = ROOT / "sample-video.mp4"
MODELS = ROOT.parent / "shared" / "data" / "models"
WARM_UP_S = 3.0
BARCODE_NAME = "barcode_reader"

# What re-ID may make of pose's median.
MOST = 1.3


@dataclass(frozen=True, slots=True)
class Networks:
    """Files of a re-identification network and a detector; None for what there is without."""

    model: str | None
    detector: str | None

    def arguments(self) -> tuple[str, ...]:
        given = (("--reid-model", self.model), ("--detector", self.detector))
        return tuple(word for flag, path in given if path for word in (flag, path))


class TimedStream(LoadStream):
    """A peer that keeps pose's times, and whether the reference was found."""

    def __init__(self, url: str, ring: list[Any], analyzers: list[str], options: Any) -> None:
        super().__init__(url, "websocket", ring)
        self.pose_ms: list[float] = []
        self.matched = 0
        self.looked_at: set[float] = set()
        self.peer = ClientPeer(
            url,
            use="websocket",
            history=0,
            timeout_s=60.0,
            analyzers=analyzers,
            options=options,
            on_result=self._arrived,
        )

    def begin_window(self) -> None:
        super().begin_window()
        self.pose_ms.clear()
        self.matched = 0
        self.looked_at.clear()

    def _arrived(self, result: Message) -> None:
        self._result_arrived(result)
        times = result.get("timing", {}).get("analyzers", {})
        if not result.get("final") and "pose" in times:
            self.pose_ms.append(times["pose"])
            self.matched += bool(result.get("matches"))
            looked_at = result.get("reid", {}).get("looked_at_ms")
            if looked_at is not None:
                self.looked_at.add(looked_at)


async def turn(
    url: str, ring: list[Any], reference: dict[str, Any] | None, seconds: float
) -> tuple[list[float], list[float], TimedStream]:
    """Stream once; returns pose's times and latencies in ms."""
    analyzers = ["pose", BARCODE_NAME, *(["reid"] if reference else [])]
    options = {"reid": {"reference": reference}} if reference else None
    load = TimedStream(url, ring, analyzers, options)
    async with load.peer:
        await load.peer.connect(load.track)
        async with asyncio.timeout(60):
            await load.first_result.wait()
        await asyncio.sleep(WARM_UP_S)
        load.begin_window()
        loop = asyncio.get_running_loop()
        began_s = loop.time()
        await asyncio.sleep(seconds)
        latencies = [ms for _, ms in load.report(began_s)["results"]]
        pose_ms = list(load.pose_ms)
        load.track.stop()
    return pose_ms, latencies, load


def make_reference(chosen: Networks) -> dict[str, Any]:
    """The clip's person, as the server's model sees them."""
    pose, reid = Pose(), Reid(chosen.model, chosen.detector)
    pose.start("r", 0, options={"still": True})
    reid.start("r", 0, options={"enrol": True})
    frame = next(frames(CLIP))
    (person, *_) = reid.frame("r", frame, 0, results={"pose": pose.frame("r", frame, 0)})[
        "reid_people"
    ]
    embedding = Embedding.from_token(person["embedding"])
    return {"model": embedding.model, "vector": embedding.vector.tolist()}


async def bench(chosen: Networks, turns: int, seconds: float, console: Console) -> dict[str, Any]:
    """Stream in turns; returns medians, and what they are of those without."""
    reference = make_reference(chosen)
    ring = load_stamped(CLIP, width=WIDTH, height=HEIGHT)
    kind = ServerKind(
        "kinecast",
        "websocket",
        ("-m", "server", "--analyzers", f"pose,{BARCODE},reid", *chosen.arguments()),
    )
    pose_ms, latency_ms = defaultdict(list), defaultdict(list)
    pairs = []
    async with running(kind) as server:
        await turn(server.url, ring, reference, 1.0)
        for number in range(turns):
            medians = {}
            # Each goes first every other time.
            for with_reid in (False, True) if number % 2 == 0 else (True, False):
                poses, latencies, load = await turn(
                    server.url, ring, reference if with_reid else None, seconds
                )
                pose_ms[with_reid] += poses
                latency_ms[with_reid] += latencies
                medians[with_reid] = np.median(poses), np.median(latencies)
                console.print(
                    f"turn {number + 1}, {'with' if with_reid else 'without'} re-ID:"
                    f" {len(latencies) / seconds:.1f}/s, pose p50 {np.median(poses):.2f} ms,"
                    f" latency p50 {np.median(latencies):.1f} ms"
                    + (
                        f", {len(load.looked_at) / seconds:.1f} looks/s,"
                        f" matched in {load.matched / max(len(poses), 1):.0%}"
                        if with_reid
                        else ""
                    ),
                    highlight=False,
                )
            pairs.append([medians[True][i] / medians[False][i] for i in (0, 1)])
    told = {}
    for name, values in (("pose_ms", pose_ms), ("latency_ms", latency_ms)):
        for with_reid in (False, True):
            p50, p95 = np.percentile(values[with_reid], (50, 95))
            key = f"{name}_{'with' if with_reid else 'without'}"
            told |= {f"{key}_p50": round(float(p50), 2), f"{key}_p95": round(float(p95), 2)}
        told[f"{name}_ratio"] = round(float(np.median(values[True]) / np.median(values[False])), 3)
    told["ratio_of_turns"] = [[round(float(r), 3) for r in pair] for pair in pairs]
    return told


def main() -> int:
    """Measure; the exit status: 1 if it failed, not if a target is missed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--models", type=Path, default=MODELS, metavar="DIR", help="networks")
    parser.add_argument("--fallback", action="store_true", help="without any network")
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=20.0, help="of each turn")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    progress = Console(stderr=True)
    chosen = Networks(None, None)
    if not asked.fallback:
        reid, detection = (
            networks(asked.models, task)
            for task in (
                Task.REIDENTIFICATION,
                Task.DETECTION,
            )
        )
        if not (reid and detection):
            parser.error(f"{asked.models} has no re-identification network, or no detector")
        chosen = Networks(str(reid[0]), str(detection[0]))
    try:
        told = asyncio.run(bench(chosen, asked.turns, asked.seconds, progress))
    except (ClientError, RuntimeError, TimeoutError) as error:
        progress.print(f"bench/reid_latency.py: {error or 'a turn took too long'}", markup=False)
        return 1
    if asked.json:
        print(json.dumps(told, indent=2))
        return 0
    table = Table("", "without re-ID, p50 / p95 ms", "with it", "p50s' ratio", "at most")
    for name, label in (("pose_ms", "pose"), ("latency_ms", "latency")):
        cells = [
            f"{told[f'{name}_{w}_p50']} / {told[f'{name}_{w}_p95']}" for w in ("without", "with")
        ]
        table.add_row(label, *cells, str(told[f"{name}_ratio"]), str(MOST))
    Console().print(table)
    return 0


if __name__ == "__main__":
    sys.exit(main())
