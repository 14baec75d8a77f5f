"""The bench of the older sockets measures what it says."""

from dataclasses import replace

from bench.load import POSE, SCORING, Streamed, check_many, idle, row, stream

FINE = Streamed(
    latencies_ms=[[10.0, 30.0], [20.0]],
    sent=40,
    errors=0,
    closed=0,
    seconds=2.0,
    settled_mb=700.0,
    peak_later_mb=707.0,
    server_cpu_s=1.0,
    client_cpu_s=0.5,
)


def reached(streamed: Streamed) -> list[bool]:
    return [check.reached for check in check_many(streamed)]


def test_each_target_can_be_missed():
    assert reached(FINE) == [True, True]
    assert reached(replace(FINE, latencies_ms=[[10.0], []])) == [False, True]
    assert reached(replace(FINE, errors=1)) == [False, True]
    assert reached(replace(FINE, closed=1)) == [False, True]
    assert reached(replace(FINE, peak_later_mb=740.0)) == [True, False]


def test_a_line_of_the_table():
    part, sockets, sent, answers, least, p50, *_ = row("pose", FINE)
    assert (part, sockets, sent, answers, least, p50) == ("pose", "2", "20", "1.5", "0.5", "20.0")


async def test_clients_that_send_are_answered():
    for path in (POSE, SCORING):
        streamed = await stream(path, sockets=2, fps=5, seconds=2)
        assert streamed.unanswered == streamed.errors == streamed.closed == 0
        assert streamed.sent >= 10
        assert all(ms > 0 for ms in streamed.all_ms)
        assert streamed.settled_mb > 100, "of the server and its workers"


async def test_idle_sockets_are_held_open():
    before_mb, after_mb = await idle(POSE, sockets=5)
    assert 100 < before_mb < after_mb + 20
