"""How old recordings are, while the clock is wrong, set, and right."""

import pytest

from server.recordings import dates
from server.recordings.dates import Dates
from server.recordings.status import Began, RecordingNote, State

NOW_S = 1_800_000_000.0
DAY_S = 86_400.0


def note(started_s: float, boot: str | None, up_s: float = 0.0) -> RecordingNote:
    return RecordingNote(
        name="a",
        source="camera",
        state=State.FINISHED,
        started_at=int(1000 * started_s),
        seconds=60,
        bytes=1,
        frames=1,
        began=boot and Began(boot=boot, uptime_s=up_s),
    )


@pytest.mark.parametrize("set_s", [0, 60 * DAY_S, NOW_S], ids=["right", "months", "1970"])
def test_of_this_start_the_uptime_tells(set_s):
    """Recorded 100 s after the start, before the clock was set forward; asked 500 s after it."""
    recorded = note(NOW_S - 400 - set_s, "here", 100)
    known = Dates("here").dated(recorded, NOW_S, 500)
    assert known.started_at == pytest.approx(1000 * (NOW_S - 400), abs=1)
    assert (known is recorded) is (set_s == 0)


def test_of_an_earlier_start_the_clock_tells_when_it_has_not_been_set_for_an_hour():
    known, old = Dates("here"), note(NOW_S - 40 * DAY_S, "before")
    assert known.dated(old, NOW_S, 30) is None
    assert known.dated(old, NOW_S + 3599, 3629) is None
    assert known.dated(old, NOW_S + 3600, 3630) is old
    # Slewed, as NTP does.
    assert known.dated(old, NOW_S + 3610 + 30, 3640) is old
    # Set, and so another hour.
    assert known.dated(old, NOW_S + 9 * DAY_S, 3650) is None
    assert known.dated(old, NOW_S + 9 * DAY_S + 3601, 7251) is old


def test_one_of_an_earlier_version_is_of_an_earlier_start():
    assert Dates("here").dated(note(NOW_S, None), NOW_S, 30) is None


def test_one_that_was_never_dated_begins_to_age_now(monkeypatch):
    monkeypatch.setattr(dates, "STEADY_S", 0.0)
    known = Dates("here").dated(note(60, "before"), NOW_S, 30)
    assert known.started_at == 1000 * NOW_S
    assert Dates("here").dated(note(60, "before"), 120, 30) is None


def test_a_start_of_the_machine_is_told_from_others():
    began = Dates().began()
    assert began.boot == Dates().began().boot
    assert began.uptime_s <= Dates().began().uptime_s
