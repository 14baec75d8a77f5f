"""What signals ask a server for: a process of its own, which is sent them."""

import signal
import subprocess
import sys

import pytest

SCRIPT = """
import asyncio, sys
from server.watchdog.stopping import Stopping

async def main():
    stop = Stopping(drains=sys.argv[1] == "drains")
    print("ready", flush=True)
    await stop.begun
    print("begun", stop.now.done(), flush=True)
    await stop.now
    print("now", flush=True)
    await asyncio.sleep(60)

asyncio.run(main())
"""
TERM, INT = signal.SIGTERM, signal.SIGINT


@pytest.fixture
def start():
    running = []

    def begin(drains):
        process = subprocess.Popen(
            [sys.executable, "-c", SCRIPT, drains],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        running.append(process)
        assert process.stdout.readline() == "ready\n"
        return process

    yield begin
    for process in running:
        process.kill()
        process.wait()


@pytest.mark.parametrize(("drains", "number"), [("", TERM), ("", INT), ("drains", INT)])
def test_it_ends_now(start, drains, number):
    process = start(drains)
    process.send_signal(number)
    assert process.stdout.readline() == "begun True\n"
    assert process.stdout.readline() == "now\n"


def test_a_node_waits_for_its_sessions_until_it_is_asked_again(start):
    process = start("drains")
    process.send_signal(TERM)
    assert process.stdout.readline() == "begun False\n"
    process.send_signal(INT)
    assert process.stdout.readline() == "now\n"


def test_whoever_asks_once_more_does_not_wait(start):
    process = start("drains")
    process.send_signal(TERM)
    process.stdout.readline()
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(0.7)
    process.send_signal(TERM)
    assert process.stdout.readline() == "now\n"
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(0.7)
    process.send_signal(TERM)
    assert process.wait(60) == 1
