"""The bench of the older sockets measures what it says."""

import copy

from bench.load import POSE, SCORING, check_many, idle, row, stream

FINE = {
    "clients": [
        {"latencies_ms": [10.0, 30.0], "sent": 20, "errors": 0, "closed": None},
        {"latencies_ms": [20.0], "sent": 20, "errors": 0, "closed": None},
    ],
    "seconds": 2.0,
    "settled_mb": 700.0,
    "peak_later_mb": 707.0,
}


def reached(**changes):
    told = copy.deepcopy(FINE)
    told["peak_later_mb"] = changes.pop("peak_later_mb", 707.0)
    told["clients"][1] |= changes
    return [check.reached for check in check_many(told)]


def test_each_target_can_be_missed():
    assert reached() == [True, True]
    assert reached(latencies_ms=[]) == [False, True]
    assert reached(errors=1) == [False, True]
    assert reached(closed=1006) == [False, True]
    assert reached(peak_later_mb=740.0) == [True, False]


def test_a_line_of_the_table():
    assert row("pose", FINE)[:5] == ("pose", 2, 20.0, 1.5, 20.0)


async def test_clients_that_send_are_answered():
    for path in (POSE, SCORING):
        told = await stream(path, sockets=2, fps=5, seconds=2)
        for client in told["clients"]:
            assert client["latencies_ms"]
            assert min(client["latencies_ms"]) > 0
            assert (client["errors"], client["closed"]) == (0, None)
            assert client["sent"] >= 5
        assert told["settled_mb"] > 100, "of the server and its workers"


async def test_idle_sockets_are_held_open():
    before_mb, after_mb = await idle(POSE, sockets=5)
    assert 100 < before_mb < after_mb + 20
