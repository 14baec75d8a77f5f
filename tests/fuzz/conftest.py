"""One server under attack, a bystander who streams to it all the while, and a share of the time.

The suite takes two minutes, and tries the same each time. Others, and longer, in seconds:

    FUZZ_SECONDS=3600 pytest tests/fuzz --hypothesis-profile=others
"""

import itertools
import os
import time
from collections.abc import Callable, Iterator

import psutil
import pytest
from hypothesis import HealthCheck, seed, settings

from tests.fuzz.bystander import Bystander
from tests.support.server import COUNTER, Server, running_server

FUZZ_SECONDS = float(os.environ.get("FUZZ_SECONDS", "85"))
PARTS = 19
"""Tests that share the time."""
# What the bystander must still get of its ten results a second, in every part.
LEAST_SHARE = 0.8
# Caches fill and allocators keep what they had; a leak in a minute of attacks would be more.
MOST_GROWTH_MB = 150

# A round of examples; rounds are repeated until the time is over.
ROUND = settings(
    max_examples=20,
    deadline=None,
    database=None,
    derandomize=False,
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(scope="session")
def target(tmp_path_factory) -> Iterator[Server]:
    """A server with all its analyzers, whose limits do not stand in the way."""
    folder = tmp_path_factory.mktemp("fuzz")
    with running_server(
        folder,
        *("--recordings", str(folder / "recordings"), "--recordings-quota", "100MB"),
        *("--analyzers", f"pose,exercise,reid,{COUNTER}"),
        *("--max-sessions", "64", "--resume-window", "0", "--max-viewers", "64"),
        *("--camera", "pattern", "--camera-size", "160x120"),
        *("--connections-per-address", "200", "--expensive-per-minute", "1000000"),
    ) as server:
        yield server


@pytest.fixture(scope="session")
def bystander(target) -> Iterator[Bystander]:
    """Someone else's session."""
    with Bystander(target.url) as streaming:
        yield streaming


@pytest.fixture
def repeat(target, bystander, request) -> Iterator[Callable[[Callable[[], None]], None]]:
    """Repeat rounds for this part's share of the time; nobody else may notice."""
    workers = [(w["pid"], w["restarts"]) for w in target.get("/health")["workers"]]
    memory_mb = _memory_mb(target)
    tries_others = request.config.getoption("--hypothesis-profile", None) is not None

    def repeat_rounds(play: Callable[[], None]) -> None:
        began = time.monotonic()
        for number in itertools.count():
            if time.monotonic() - began >= FUZZ_SECONDS / PARTS:
                break
            (play if tries_others else seed(number)(play))()
        share = bystander.share_since(began)
        assert share >= LEAST_SHARE, f"the bystander got {share:.0%} of its results"

    yield repeat_rounds
    health = target.get("/health")
    assert [(w["pid"], w["restarts"]) for w in health["workers"]] == workers, target.log[-5000:]
    assert _memory_mb(target) - memory_mb < MOST_GROWTH_MB
    assert "Traceback" not in target.log, target.log[target.log.index("Traceback") - 500 :][:5000]


def _memory_mb(server: Server) -> float:
    process = psutil.Process(server.process.pid)
    family = [process, *process.children(recursive=True)]
    return sum(member.memory_info().rss for member in family) / 2**20
