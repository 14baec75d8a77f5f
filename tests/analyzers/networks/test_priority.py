"""Networks that give way: the niceness of the threads that compute them."""

import os
import sys
import threading

import pytest

from analyzers.networks.priority import with_low_priority


def own_niceness():
    return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())


@pytest.mark.skipif(sys.platform != "linux", reason="niceness is a thread's on Linux only")
def test_threads_that_are_started_meanwhile_are_nicer_and_nobody_else():
    before = own_niceness()
    started = []

    def make():
        thread = threading.Thread(target=lambda: started.append(own_niceness()))
        thread.start()
        thread.join()
        return "made"

    assert with_low_priority(make) == "made"
    assert started == [min(before + 10, 19)]
    assert own_niceness() == before


def test_what_goes_wrong_is_told():
    def fail():
        raise ValueError("no network")

    with pytest.raises(ValueError, match="no network"):
        with_low_priority(fail)
