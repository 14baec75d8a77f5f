"""bench/nodes.py: that each part that starts servers works, and measures what it says."""

import argparse

import aiohttp
import pytest

from bench.harness.nodes import door, node_of, running_nodes
from bench.harness.report import Report
from bench.nodes import ALL_PARTS, MOST_S
from bench.parts.node_load import NO_POSE, PARTS

# Fifteen minutes in all, whatever the machine does.
MOST_IN_ALL_S = 15 * 60
STANDS_STILL = aiohttp.ClientTimeout(total=2.0)
pytestmark = pytest.mark.timeout(400)


def asked(**more):
    """As little as a part can do."""
    fixed = {"seconds": 1.0, "rounds": 1, "streams": 1, "kills": 1, "offers": 12}
    return argparse.Namespace(**fixed, node_counts=[2], steps=[1], **more)


def test_every_part_ends_and_all_of_them_in_time():
    assert set(MOST_S) == set(ALL_PARTS) == {"placing", *PARTS, "drain"}
    assert sum(MOST_S.values()) <= MOST_IN_ALL_S


@pytest.mark.parametrize(
    ("part", "tables"),
    [
        ("streams", {"Streams, each node on one core": 1}),
        ("two", {"1 streams": 2}),
        ("recovery", {"From kill -9 of a node to the next result": 1}),
        ("door", {"Offers through one door": 2}),
        ("viewers", {"Glass to glass": 2}),
        ("drain", {"Moving to another node": 1}),
    ],
)
async def test_a_part_measures_something(part, tables):
    report = Report("Nodes")
    await ALL_PARTS[part](asked(), report)
    assert {table.title: len(table.rows) for table in report.tables} == tables
    # One node's streams are what others are held against, and are left out here.
    assert report.checks or part == "streams"


async def test_a_door_is_the_node_that_has_the_connection():
    async with running_nodes(2, *NO_POSE, "--workers", "2") as server:
        async with door(server) as (http, number):
            node = server.nodes()[number]
            node.suspend()
            # While it stands still, nobody answers there.
            with pytest.raises(TimeoutError):
                await http.get(f"{server.url}/openapi.json", timeout=STANDS_STILL)
            node.resume()
        server.pin([min(node.cpu_affinity())])
        assert all(len(each.cpu_affinity()) == 1 for each in server.nodes().values())


def test_an_identifier_says_its_node():
    assert node_of("01a2b3c4d5e6f708") == 1
