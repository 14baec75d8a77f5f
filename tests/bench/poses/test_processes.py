"""Two processes' frames a second, and what happens when one of them fails."""

from multiprocessing import Pipe

import pytest

from bench.poses.processes import Stint, receive_all, throughput


def test_throughput_is_from_the_first_beginning_to_the_last_end() -> None:
    stints = [Stint(10.0, 12.0, 1.9), Stint(10.5, 12.5, 2.0)]
    assert throughput(stints, 100) == pytest.approx(80.0)


def test_receives_one_from_each() -> None:
    (ours, theirs), (ours_too, theirs_too) = Pipe(), Pipe()
    theirs_too.send("second")
    theirs.send("first")
    assert sorted(receive_all([ours, ours_too], 10.0)) == ["first", "second"]


def test_a_process_that_ends_is_told_from_one_that_is_slow() -> None:
    (ours, theirs), (ours_too, theirs_too) = Pipe(), Pipe()
    theirs_too.send("done")
    theirs.close()
    with pytest.raises(RuntimeError, match="one of two processes failed"):
        receive_all([ours, ours_too], 10.0)


def test_does_not_wait_for_ever() -> None:
    ours, _theirs = Pipe()
    with pytest.raises(TimeoutError, match="not done after 0 s"):
        receive_all([ours], 0.0)
