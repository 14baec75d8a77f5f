"""What bench/latency.py makes of what its load clients tell."""

import copy

import pytest

from analyzers.pose import weights
from bench.harness import checkout
from bench.harness.processes import with_pose
from bench.harness.report import ROOT
from bench.harness.stream import run_load
from bench.latency import COLUMNS, _figures, ratios, summarize

TOLD = {
    "seconds": 10.0,
    "client_cpu_s": 1.0,
    "streams": [
        {"sent": 300, "unread": 0, "bytes": 3000, "results": [(0.5, 20.0), (9.0, 40.0)]},
        {"sent": 4, "unread": 1, "bytes": 1000, "results": [(5.0, 30.0), (9.5, 60.0)]},
    ],
}


def run(**changes):
    return _figures(copy.deepcopy(TOLD)) | {
        "server_cpu_s": 4.0,
        "media_cpu_s": 1.0,
        "peak_mb": 500.0,
        **changes,
    }


def test_a_row_is_of_all_streams():
    row = summarize("kinecast", 2, [run()])
    assert list(row) == [column.partition(":")[0] for column in COLUMNS]
    assert row["each"] == "0.2..0.2"
    assert row["p50 ms"] == pytest.approx(35.0)
    assert (row["first 3 s"], row["last 3 s"]) == (20.0, 50.0)
    assert (row["media CPU %"], row["workers CPU %"]) == (10.0, 30.0)
    assert row["CPU ms/result"] == pytest.approx(1000.0)
    assert row["bytes/result"] == pytest.approx(1000.0)
    assert row["missing %"] == pytest.approx(100 * 299 / 304)


def test_ratios_are_of_what_can_be_compared():
    ours = summarize("kinecast", 2, [run(server_cpu_s=2.0)])
    other = summarize("kinecast-0.1", 2, [run()])
    told = dict(zip(ours, ratios(ours, other), strict=True))
    assert told["server"] == "of kinecast-0.1"
    assert (told["p50 ms"], told["CPU ms/result"], told["peak MB"]) == ("1.00", "0.50", None)


def test_another_checkout_is_started_as_it_knows(tmp_path):
    assert checkout.server_of(ROOT, tmp_path).arguments == with_pose().arguments
    (tmp_path / "bench").mkdir()
    (tmp_path / "bench" / "barcode_analyzer.py").touch()
    old = checkout.server_of(tmp_path, tmp_path)
    assert (old.name, old.root) == (tmp_path.name, tmp_path)
    assert "--no-watchdog" not in old.arguments
    assert weights.load(old.arguments[-1]) == weights.load(None)


async def test_streams_of_several_processes_are_told_as_one(server, clip):
    called = []

    async def during():
        called.append(True)

    told = await run_load(
        server.url, "--warm-up", 0.2, streams=2, seconds=1.5, packets=clip, during=during
    )
    assert called == [True]
    assert len(told["streams"]) == 2
    for stream in told["streams"]:
        assert stream["sent"] > 30
        assert len(stream["results"]) > 5
        assert stream["unread"] == 0
        assert stream["bytes"] / len(stream["results"]) > 1000
        assert all(ms > 0 for _, ms in stream["results"])
