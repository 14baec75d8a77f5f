"""Sound is really written, beside video, and really decoded."""

from pathlib import Path

import av
import numpy as np
import pytest

from tests.server.recordings.movies import numbered, play, tone, write


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "video.mp4"


def test_a_leap_of_the_clock_is_not_filled_with_hours_of_silence(path: Path) -> None:
    hour_ms = 3_600_000.0
    video = [(numbered(0), 0.0), (numbered(1), hour_ms), (numbered(2), hour_ms + 1000)]

    write(path, video, [])

    with av.open(str(path)) as container:
        packets = [p for p in container.demux(audio=0) if p.pts is not None]
    assert 0 < len(packets) < 200
    movie_times = [float(p.pts * p.time_base) for p in packets]
    assert movie_times[-1] == pytest.approx(3601, abs=0.1)


@pytest.mark.parametrize(
    ("rate_hz", "layout"), [(48_000, "stereo"), (48_000, "mono"), (16_000, "mono")]
)
def test_audio_is_in_time_with_the_video(path: Path, rate_hz: int, layout: str) -> None:
    video = [(numbered(0xFFFF if 1000 <= 40 * n < 1200 else 0), 40.0 * n) for n in range(50)]
    ms20 = rate_hz // 50
    burst = [(tone(ms20, rate_hz=rate_hz, layout=layout), 1000 + 20.0 * n) for n in range(10)]

    write(path, video, burst)

    movie = play(path)
    white = [t for t, number in zip(movie.times_ms, movie.numbers, strict=True) if number]
    assert (white[0], white[-1]) == pytest.approx((1000, 1160), abs=0.02)
    assert movie.loud_ms() == pytest.approx([1000, 1200], abs=3)
    assert not np.isnan(movie.sound).any()


def test_uneven_arrival_does_not_break_a_tone(path: Path) -> None:
    random = np.random.default_rng(5)
    video = [(numbered(n), 40.0 * n) for n in range(30)]
    audio = [(tone(960), 100 + 20.0 * n + random.uniform(-15, 15)) for n in range(50)]

    write(path, video, sorted(audio, key=lambda item: item[1]))

    edges = play(path).loud_ms()
    assert len(edges) == 2
    assert edges[1] - edges[0] == pytest.approx(1000, abs=5)


def test_audio_that_comes_again_or_late_is_cut(path: Path) -> None:
    video = [(numbered(n), 40.0 * n) for n in range(50)]
    # The second second of tone lies half under the first one.
    audio = [(tone(48_000), 200.0), (tone(48_000), 700.0)]

    write(path, video, audio)

    assert play(path).loud_ms() == pytest.approx([200, 1700], abs=3)


def test_audio_may_change_its_form(path: Path) -> None:
    video = [(numbered(n), 40.0 * n) for n in range(20)]
    audio = [(tone(960), 100.0), (tone(320, rate_hz=16_000, layout="mono"), 120.0)]
    audio += [(tone(960, layout="mono"), 140.0)]

    write(path, video, audio)

    assert play(path).loud_ms() == pytest.approx([100, 160], abs=4)
