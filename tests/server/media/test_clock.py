"""Tracks' times on their session's line."""

from fractions import Fraction

import av
import pytest

from server.media.clock import SessionClock, TrackClock


def frame(ticks: int) -> av.VideoFrame:
    made = av.VideoFrame(16, 16, "yuv420p")
    made.pts, made.time_base = ticks, Fraction(1, 90_000)
    return made


def test_frames_own_times_count_not_those_of_their_arrival():
    track = TrackClock(SessionClock())
    arrivals = [100.0, 100.9, 100.95]
    times = [track.session_ms(frame(3000 * n), now) for n, now in enumerate(arrivals)]
    assert times == pytest.approx([0, 1000 / 30, 2000 / 30])


def test_a_track_that_does_not_begin_at_zero_does():
    assert TrackClock(SessionClock()).session_ms(frame(900_000), 5.0) == 0


def test_a_later_track_goes_on_where_the_time_is():
    clock = SessionClock()
    assert clock.elapsed_s(50.0) == 0
    first = TrackClock(clock)
    first.session_ms(frame(0), 100.0)
    first.session_ms(frame(3000), 100.1)
    again = TrackClock(clock)
    assert again.session_ms(frame(0), 107.5) == pytest.approx(7500)
    assert again.session_ms(frame(3000), 107.6) == pytest.approx(7500 + 1000 / 30)
    assert clock.elapsed_s(110.0) == pytest.approx(10)
