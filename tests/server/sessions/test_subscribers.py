"""What a peer is told that was away when its analyzers began anew."""

import pytest

from server.sessions.subscribers import SessionSubscribers

RESTARTED = {"type": "analyzers_restarted", "analyzers": ["pose"], "message": "The worker died."}


class Reader:
    """A sink that keeps notices."""

    def __init__(self):
        self.notices = []

    def notice(self, message):
        self.notices.append(message)


@pytest.fixture
def subscribers():
    return SessionSubscribers("some session")


def test_a_peer_that_was_away_is_told_once(subscribers):
    before, reader, after, later = Reader(), Reader(), Reader(), Reader()
    subscribers.add_channel(before)
    subscribers.remove_sink(before)
    subscribers.notify_restart(RESTARTED)
    # Whoever reads along now gets numbers that begin anew anyway.
    subscribers.add_sink(reader)
    subscribers.add_channel(after)
    subscribers.remove_sink(after)
    subscribers.add_channel(later)
    assert [each.notices for each in (before, reader, after, later)] == [[], [], [RESTARTED], []]


def test_a_peer_that_is_there_is_told_at_once(subscribers):
    peer, reader, later = Reader(), Reader(), Reader()
    subscribers.add_channel(peer)
    subscribers.add_sink(reader)
    subscribers.notify_restart(RESTARTED)
    subscribers.remove_sink(peer)
    subscribers.add_channel(later)
    assert [each.notices for each in (peer, reader, later)] == [[RESTARTED], [RESTARTED], []]
