"""Latencies are exact where they can be, and too long rather than too short elsewhere."""

import numpy as np
import pytest

from client_test.channels import Clock
from client_test.latency import LatencyMeter, RateMeter, percentiles

INTERVAL_MS = 100 / 3
EPOCH_MS = 1_700_000_000_000.0
SERVER_AHEAD_MS = 5_000.0
# From the encoder to the server, and from there back with the result.
TRANSIT_MS, ANSWER_MS = 8.0, 20.0


def fill(meter: LatencyMeter, *, lost: int = 0, extra_transit_ms: float = 0.0) -> None:
    """30 frames, of which the first few never reach the server."""
    for number in range(30):
        meter.frame_sent(number * INTERVAL_MS, EPOCH_MS + number * INTERVAL_MS)
    for number in range(lost, 30):
        received_ms = EPOCH_MS + number * INTERVAL_MS + TRANSIT_MS + extra_transit_ms
        frame = {
            "pts": round((number - lost) * INTERVAL_MS),
            "received_at": received_ms + SERVER_AHEAD_MS,
        }
        meter.result_arrived({"final": False, "frame": frame}, received_ms + ANSWER_MS)


def test_pairs_results_with_frames() -> None:
    meter = LatencyMeter()
    fill(meter)
    assert meter.latencies_ms() == pytest.approx(np.full(30, TRANSIT_MS + ANSWER_MS), abs=0.01)
    assert len(meter.latencies_ms(last=7)) == 7
    assert meter.frame_of({"frame": {"pts": 333}}) == 10
    assert meter.frame_of({"frame": {"pts": 345}}) is None


def test_time_in_the_server_needs_its_clock() -> None:
    meter = LatencyMeter()
    fill(meter)
    assert len(meter.server_ms()) == 0
    meter.clock = Clock(offset_ms=SERVER_AHEAD_MS, rtt_ms=2.0)
    assert meter.server_ms() == pytest.approx(np.full(30, ANSWER_MS), abs=0.01)


@pytest.mark.parametrize("lost", [0, 1, 2, 5, 12])
def test_frames_lost_at_the_start_never_make_it_look_quick(lost: int) -> None:
    meter = LatencyMeter()
    meter.clock = Clock(offset_ms=SERVER_AHEAD_MS, rtt_ms=2.0)
    fill(meter, lost=lost)
    p50 = np.median(meter.latencies_ms())
    true_ms = TRANSIT_MS + ANSWER_MS
    assert true_ms - 0.01 <= p50 <= true_ms + 2 * INTERVAL_MS


def test_slow_network_is_not_taken_for_lost_frames() -> None:
    meter = LatencyMeter()
    meter.clock = Clock(offset_ms=SERVER_AHEAD_MS, rtt_ms=80.0)
    fill(meter, extra_transit_ms=60.0)
    assert np.median(meter.latencies_ms()) == pytest.approx(TRANSIT_MS + ANSWER_MS + 60.0, abs=0.1)


def test_results_without_a_frame_are_passed_over() -> None:
    meter = LatencyMeter()
    meter.frame_sent(0.0, EPOCH_MS)
    meter.result_arrived({"hr": 65}, EPOCH_MS + 9)
    meter.result_arrived({"final": True, "frame": {"pts": 0}}, EPOCH_MS + 9)
    assert len(meter.latencies_ms()) == 0
    assert percentiles(meter.latencies_ms()) is None


def test_percentiles() -> None:
    assert percentiles(np.arange(101.0)) == {"p50": 50.0, "p95": 95.0, "p99": 99.0}


def test_rate_is_that_of_the_last_seconds() -> None:
    rate = RateMeter(window_s=2.0)
    assert rate.rate_hz(0.0) == 0.0
    for tick in range(100):
        rate.tick(tick / 10)
    assert rate.rate_hz(9.9) == pytest.approx(10.0)
    assert rate.rate_hz(20.0) == 0.0
