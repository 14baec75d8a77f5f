"""How often a worker's memory is looked at, and who goes first when there is none."""

import subprocess
import sys
from pathlib import Path

import pytest

from server.workers.memory import look_again_s
from tests.server.workers.pooled import until_ready
from tests.support.server import COUNTER, ROOT

MB = 1_000_000


@pytest.mark.parametrize("room_mb", [1000, 500, 100, 67, 30])
def test_a_worker_is_looked_at_again_before_it_can_have_filled_its_room(room_mb):
    takes, fills_a_s = 50 * MB, 2000 * MB
    again_s = look_again_s(takes, takes + room_mb * MB)
    assert takes + again_s * fills_a_s <= takes + room_mb * MB
    assert again_s <= 0.25


@pytest.mark.parametrize("room_mb", [10, 1, 0, -5])
def test_at_its_bound_it_is_looked_at_often_and_not_all_the_time(room_mb):
    assert look_again_s(50 * MB, (50 + room_mb) * MB) == 0.01


async def test_the_kernel_ends_a_worker_before_the_server(make_pool):
    pool = make_pool(1, COUNTER)
    await until_ready(pool)

    def score(pid):
        return int(Path(f"/proc/{pid}/oom_score_adj").read_text())

    assert score(pool.workers[0].pid) == 500
    assert score("self") < 500


def test_who_is_to_go_before_all_others_still_is():
    program = (
        "from pathlib import Path\n"
        "from server.workers.memory import be_first_to_go\n"
        "adjustment = Path('/proc/self/oom_score_adj')\n"
        "adjustment.write_text('700')\n"
        "be_first_to_go()\n"
        "print(adjustment.read_text())\n"
    )
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert int(done.stdout) == 700
