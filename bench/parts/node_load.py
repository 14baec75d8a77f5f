"""What several nodes do under a real load: the parts of bench/nodes.py that start servers."""

import argparse
import asyncio
import itertools
import os
import statistics
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from aiortc import RTCConfiguration, RTCPeerConnection

from bench.harness import barcode
from bench.harness.barcode import ANALYZER
from bench.harness.nodes import NodeServer, door, node_of, now_ms, running_nodes
from bench.harness.report import Report, at_least, at_most
from bench.harness.stream import encoded_clip, run_load
from bench.harness.viewers import SeeingViewer
from client_test.client import Arrays, Client
from client_test.ice_hosts import offering
from server import rtc
from signaling.errors import TooMany

MAX_P95_MS, MIN_SHARE_OF_ONE = 100.0, 0.9
MAX_CPU_OF_ONE, MAX_P95_OF_ONE = 1.1, 1.05
MAX_RECOVERY_S, MAX_RELAYING_MS, MAX_CROSSING_MS = 3.0, 10.0, 30.0
WARM_UP = ("--warm-up", 2.0)
# Small, and few: what is measured is how long nothing comes.
WIDTH, HEIGHT, FPS = 160, 96, 15.0
RECOVERS_WITHIN_S = 30.0
# A server takes ten offers a second of a client.
OFFER_EVERY_S = 0.15
CONNECTS_WITHIN_S = 30.0
POSE = ("--analyzers", f"pose,{ANALYZER}", "--no-camera-enabled")
NO_POSE = ("--analyzers", "mock_model_1", "--no-camera-enabled")
CAMERA = (
    *("--analyzers", "mock_model_1", "--camera", "pattern", "--camera-size", "640x360"),
    *("--camera-fps", "20", "--camera-hook", "bench.harness.barcode:stamp_time"),
)


async def streams_a_core(asked: argparse.Namespace, report: Report) -> None:
    """Streams that 1, 2 and 4 nodes take at p95 under 100 ms, each pinned to one core."""
    table = report.table(
        "Streams, each node on one core",
        *("nodes", "cores", "streams", "p50 ms:.1f", "p95 ms:.1f", "results/s each:.1f"),
    )
    cores, most = sorted(os.sched_getaffinity(0)), {}
    async with encoded_clip() as packets:
        for count in asked.node_counts:
            used = cores[: min(count, len(cores))]
            most[count] = 0.0
            for step in asked.steps:
                streams = step * len(used)
                report.say(f"{count} nodes, {streams} streams")
                workers = str(max(count, len(used)))
                async with running_nodes(count, *POSE, "--workers", workers) as server:
                    server.pin(used)
                    told = await _load(server, streams, asked.seconds, packets)
                p50, p95, each = _latency(told)
                table.add(count, len(used), streams, p50, p95, each)
                if p95 > MAX_P95_MS:
                    break
                most[count] = streams / len(used)
    for count, streams in most.items():
        report.notes.append(f"{count} nodes: {streams:g} streams a core at p95 under 100 ms.")
        if count > 1 and most.get(1):
            what = f"{count} nodes: streams a core, of one node's"
            report.check(at_least(what, streams / most[1], MIN_SHARE_OF_ONE))


async def two_on_two(asked: argparse.Namespace, report: Report) -> None:
    """8 streams to one process and to two nodes, in turn: CPU and latency."""
    table = report.table(
        f"{asked.streams} streams",
        *("nodes", "CPU %:.0f", "CPU ms/result:.1f", "p50 ms:.1f", "p95 ms:.1f"),
        "results/s each:.1f",
    )
    costs: dict[int, list[float]] = {1: [], 2: []}
    p95s: dict[int, list[float]] = {1: [], 2: []}
    async with encoded_clip() as packets:
        for number in range(asked.rounds):
            for count in (1, 2) if number % 2 == 0 else (2, 1):
                report.say(f"round {number + 1}: {count} nodes, {asked.streams} streams")
                async with running_nodes(count, *POSE, "--workers", "2") as server:
                    told = await _load(server, asked.streams, asked.seconds, packets)
                    server.server.tree.sample()
                    cpu_s, _ = server.server.tree.cpu_s(told["began_epoch_s"], told["seconds"])
                results = sum(len(stream["results"]) for stream in told["streams"])
                p50, p95, each = _latency(told)
                costs[count].append(1000 * cpu_s / max(results, 1))
                p95s[count].append(p95)
                percent = 100 * cpu_s / told["seconds"]
                table.add(count, percent, costs[count][-1], p50, p95, each)
    cost, p95 = (statistics.fmean(each[2]) / statistics.fmean(each[1]) for each in (costs, p95s))
    report.check(at_most("two nodes: CPU for a result, of one's", cost, MAX_CPU_OF_ONE))
    report.check(at_most("two nodes: p95, of one's", p95, MAX_P95_OF_ONE))


async def recovery(asked: argparse.Namespace, report: Report) -> None:
    """Kill the node that has a client's session, again and again: time until the next result."""
    took_s: list[float] = []
    source = Arrays(_pictures(), FPS)
    async with (
        running_nodes(2, *NO_POSE, "--workers", "2") as server,
        Client(server.url, source, give_up_after_s=RECOVERS_WITHIN_S) as client,
    ):
        results = aiter(client)
        for number in range(asked.kills):
            await server.wait_until_ready()
            session = client.session
            assert session is not None
            report.say(f"kill {number + 1} of {asked.kills}: node {node_of(session.id)}")
            began_s = time.monotonic()
            server.nodes()[node_of(session.id)].kill()
            async with asyncio.timeout(RECOVERS_WITHIN_S):
                # What has come already is of the session before.
                while client.session is None or client.session.id == session.id:
                    await anext(results)
            took_s.append(time.monotonic() - began_s)
    p50, p95 = np.percentile(took_s, (50, 95))
    table = report.table(
        "From kill -9 of a node to the next result", "kills", "p50 s:.2f", "p95 s:.2f", "max s:.2f"
    )
    table.add(len(took_s), p50, p95, max(took_s))
    report.check(at_most("recovery after kill -9, p95, s", p95, MAX_RECOVERY_S))


async def relayed_answers(asked: argparse.Namespace, report: Report) -> None:
    """The same offer through one door, answered there and by the other node."""
    took_ms: dict[bool, list[float]] = {True: [], False: []}
    connection = RTCPeerConnection(RTCConfiguration([]))
    connection.addTransceiver("video", "sendonly")
    connection.createDataChannel("data")
    with offering(("127.0.0.1",)):
        await connection.setLocalDescription(await connection.createOffer())
    offer = {"sdp": connection.localDescription.sdp, "type": "offer"}
    try:
        async with (
            running_nodes(2, *NO_POSE, "--workers", "2") as server,
            door(server) as (http, number),
        ):
            for _ in range(asked.offers):
                began_ms = now_ms()
                async with http.post(f"{server.url}/offer", json=offer) as answer:
                    told = await answer.json()
                ended_ms = now_ms()
                if answer.status == TooMany.code:
                    await asyncio.sleep(float(answer.headers["Retry-After"]))
                    continue
                if answer.status != 200:
                    raise RuntimeError(f"/offer answered {answer.status}: {told}")
                sid = told["session"]["id"]
                took_ms[node_of(sid) != number].append(ended_ms - began_ms)
                async with http.delete(f"{server.url}/sessions/{sid}") as answer:
                    await answer.read()
                await asyncio.sleep(OFFER_EVERY_S)
    finally:
        await connection.close()
    table = report.table(
        "Offers through one door", "answered", "offers", "p50 ms:.1f", "p95 ms:.1f"
    )
    for is_relayed, name in ((False, "by itself"), (True, "by the other node")):
        if not took_ms[is_relayed]:
            raise RuntimeError("too few offers: none was answered " + name)
        table.add(name, len(took_ms[is_relayed]), *np.percentile(took_ms[is_relayed], (50, 95)))
    added = statistics.median(took_ms[True]) - statistics.median(took_ms[False])
    report.check(at_most("what relaying adds to an answer, p50, ms", added, MAX_RELAYING_MS))


async def glass_to_glass(asked: argparse.Namespace, report: Report) -> None:
    """The first node's camera, seen there and at the other node at the same time."""
    viewers: dict[int, SeeingViewer] = {}
    rtc.install()
    async with running_nodes(2, *CAMERA, "--workers", "2") as server:
        try:
            for number in range(2):
                viewers[number] = SeeingViewer()
                async with server.to_node(number) as http:
                    await viewers[number].watch(http, "http://node/whep/camera", "H264")
            async with asyncio.timeout(CONNECTS_WITHIN_S):
                for viewer in viewers.values():
                    await viewer.receives.wait()
            for viewer in viewers.values():
                viewer.begin()
            await asyncio.sleep(asked.seconds)
            told = {at: viewer.told(0)["latencies_ms"] for at, viewer in viewers.items()}
        finally:
            await asyncio.gather(*(viewer.close() for viewer in viewers.values()))
            await rtc.decoders_ended()
    table = report.table("Glass to glass", "viewer at", "pictures", "p50 ms:.1f", "p95 ms:.1f")
    for at, name in ((0, "the camera's node"), (1, "the other node")):
        table.add(name, len(told[at]), *np.percentile(told[at], (50, 95)))
    added = statistics.median(told[1]) - statistics.median(told[0])
    report.check(at_most("another node's viewer, glass to glass p50, ms", added, MAX_CROSSING_MS))


PARTS = {
    "streams": streams_a_core,
    "two": two_on_two,
    "recovery": recovery,
    "door": relayed_answers,
    "viewers": glass_to_glass,
}
"""By name, what can be asked for by --only."""


def _pictures() -> Iterator[barcode.Image]:
    picture = np.full((HEIGHT, WIDTH, 3), 128, np.uint8)
    for number in itertools.count():
        barcode.stamp(picture, number % barcode.NUMBERS)
        yield picture


async def _load(server: NodeServer, streams: int, seconds: float, packets: Path) -> dict[str, Any]:
    # Code and models are loaded by first streams, at every node.
    await run_load(server.url, seconds=1, streams=server.count, packets=packets)
    return await run_load(server.url, *WARM_UP, streams=streams, seconds=seconds, packets=packets)


def _latency(told: dict[str, Any]) -> tuple[float, float, float]:
    """p50 and p95 in ms, and results a second of each stream."""
    latencies = [ms for stream in told["streams"] for _, ms in stream["results"]]
    each = len(latencies) / told["seconds"] / len(told["streams"])
    if not latencies:
        return float("inf"), float("inf"), 0.0
    p50, p95 = np.percentile(latencies, (50, 95))
    return float(p50), float(p95), each
