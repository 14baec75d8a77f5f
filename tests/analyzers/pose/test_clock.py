"""Times rise, whatever a source says."""

import pytest

from analyzers.pose.clock import RisingClock


@pytest.mark.parametrize(
    ("times_ms", "ticks"),
    [
        ([0, 33.4, 66.7], [0, 33, 66]),
        ([10, 10, 10.9, 12], [10, 11, 12, 14]),
        ([5000, 0, 33, 66], [5000, 5001, 5034, 5067]),
        ([-40, -7, 26], [0, 33, 66]),
    ],
)
def test_times_rise_and_keep_their_steps(times_ms, ticks):
    clock = RisingClock()
    assert [clock.tick(time_ms) for time_ms in times_ms] == ticks
