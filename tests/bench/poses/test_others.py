"""What other processes took is told, and doubted only when it is much."""

import subprocess
import sys

from bench.poses import others
from bench.poses.others import Others

SPIN_S = 0.5
SPIN = f"import time\nend = time.process_time() + {SPIN_S}\nwhile time.process_time() < end: pass"


def test_much_is_doubted() -> None:
    quiet, busy = others.sentence(1.94), others.sentence(40.0)
    assert quiet == "Other processes took 1.9 % of the cores meanwhile."
    assert "are not those of a quiet machine" in busy


def test_children_of_ours_are_no_others() -> None:
    before = others._own_s()
    subprocess.run([sys.executable, "-c", SPIN], check=True, timeout=60)
    assert others._own_s() - before >= SPIN_S


def test_all_processes_are_counted_as_busy() -> None:
    before = others._busy_s()
    subprocess.run([sys.executable, "-c", SPIN], check=True, timeout=60)
    # The system counts in ticks of 10 ms.
    assert others._busy_s() - before >= SPIN_S - 0.05


def test_one_sentence_is_left() -> None:
    notes: list[str] = []
    with Others(notes):
        subprocess.run([sys.executable, "-c", SPIN], check=True, timeout=60)
    assert len(notes) == 1
    assert notes[0].startswith("Other processes took ")
