"""What other processes took of the machine while something was measured."""

import os
import time

import psutil

# Above this, times by the clock are to be doubted: of runs with less than 5 %, two processes of the
# fastest engine gave 340 to 430 frames a second.
MAX_PERCENT = 2.0


class Others:
    """Notes, when it is left, what others took meanwhile.

    Parameters
    ----------
    notes
        Where the sentence goes.
    """

    def __init__(self, notes: list[str]) -> None:
        self._notes = notes

    def __enter__(self) -> "Others":
        self._began_s = time.monotonic()
        self._busy_s, self._own_s = _busy_s(), _own_s()
        return self

    def __exit__(self, *_: object) -> None:
        wall_s = time.monotonic() - self._began_s
        others_s = (_busy_s() - self._busy_s) - (_own_s() - self._own_s)
        percent = 100.0 * others_s / (wall_s * (os.cpu_count() or 1))
        self._notes.append(sentence(percent))


def sentence(percent: float) -> str:
    """What is to be said of others that took so much of the cores."""
    taken = f"Other processes took {percent:.1f} % of the cores meanwhile"
    if percent <= MAX_PERCENT:
        return f"{taken}."
    return (
        f"{taken}: the engines met them in turns, but the times by the clock and the frames a "
        "second of two processes are not those of a quiet machine. CPU times are nearer to them."
    )


def _busy_s() -> float:
    """Seconds that all cores were taken, also by a host's other machines ("steal")."""
    times = psutil.cpu_times()
    # Time of guests is in user already.
    return sum((times.user, times.nice, times.system, times.irq, times.softirq, times.steal), 0.0)


def _own_s() -> float:
    """Seconds of this process and of those of its children that have ended."""
    return sum(os.times()[:4])
