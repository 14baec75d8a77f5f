"""What a thread hands to the event loop, in order; the loop is played here."""

import threading

import pytest

from server.media.in_order import InOrderOnLoop

WITHIN_S = 60.0


class Loop:
    """Runs what it is given when the test says so."""

    def __init__(self):
        self.waiting = []
        self.taken = []
        self.changed = threading.Condition()

    def call(self, method):
        with self.changed:
            self.waiting.append(method)
            self.changed.notify_all()

    def run(self, count):
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.waiting) >= count, WITHIN_S)
        for _ in range(count):
            self.waiting.pop(0)()


@pytest.fixture
def loop():
    return Loop()


def putting(order, items, size):
    def put():
        for item in items:
            order.put(item, size)

    thread = threading.Thread(target=put, daemon=True)
    thread.start()
    return thread


@pytest.mark.parametrize(("size", "fit"), [(1, 4), (40, 2), (1000, 1)])
def test_a_thread_waits_for_a_loop_that_is_behind(loop, size, fit):
    order = InOrderOnLoop(loop.call, loop.taken.append, max_items=4, max_bytes=100)
    thread = putting(order, range(10), size)
    for begun in range(0, 10 - fit, 1):
        loop.run(1)
        with loop.changed:
            assert loop.changed.wait_for(lambda: len(loop.waiting) == fit, WITHIN_S), begun
    loop.run(fit)
    thread.join(WITHIN_S)
    assert loop.taken == list(range(10))


def test_closing_ends_the_wait_and_hands_nothing_over(loop):
    order = InOrderOnLoop(loop.call, loop.taken.append, max_items=2, max_bytes=100)
    thread = putting(order, range(10), 1)
    with loop.changed:
        assert loop.changed.wait_for(lambda: len(loop.waiting) == 2, WITHIN_S)
    order.close()
    thread.join(WITHIN_S)
    assert not thread.is_alive()
    loop.run(2)
    assert loop.taken == []
