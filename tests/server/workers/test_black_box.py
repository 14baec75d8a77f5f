"""What a worker was at is known when it is no longer there to tell."""

import contextlib
import subprocess
import sys

from server.workers.black_box import BlackBox

# Notes two lanes, and is killed before it is done with one of them.
DIES = """
import os, signal, sys
from server.workers.black_box import BlackBox
box = BlackBox(int(sys.argv[1]))
pose, reid = box.note_for("pose+exercise"), box.note_for("reid")
pose.begin("0123456789abcdef")
pose.done()
reid.begin("fedcba9876543210")
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_notes_outlive_the_process():
    with contextlib.closing(BlackBox()) as box:
        assert box.busy() == []
        subprocess.run([sys.executable, "-c", DIES, str(box.fd)], pass_fds=[box.fd], timeout=30)
        assert box.busy() == [("fedcba9876543210", "reid")]


def test_a_hundred_lanes_do_not_write_beside_the_memory():
    with contextlib.closing(BlackBox()) as box:
        notes = [box.note_for("lane" * 200) for _ in range(100)]
        for note in notes:
            note.begin("s" * 100)
        assert len(box.busy()) == 64
        for note in notes:
            note.done()
        assert box.busy() == []
