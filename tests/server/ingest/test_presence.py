"""Matches as times at which somebody is there."""

from server.ingest.presence import MAX_SIGHTINGS, Presence, Sighting


def test_one_match_alone_is_nobody():
    presence = Presence(5.0)
    assert presence.match(0, 0.2) is None
    # The next is too late to go with it.
    assert presence.match(2_500, 0.2) is None
    assert presence.now is None
    assert not presence.sightings


def test_two_that_follow_each_other_begin_a_sighting_at_the_first():
    presence = Presence(5.0)
    presence.match(1_000, 0.3)
    assert presence.match(1_200, 0.2) == Sighting(1_000, 1_200, 0.2)
    # It goes on, and begins no other.
    assert presence.match(4_000, 0.1) is None
    assert presence.match(4_200, 0.4) is None
    assert list(presence.sightings) == [Sighting(1_000, 4_200, 0.1)]


def test_it_is_over_after_the_padding_and_not_before():
    presence = Presence(5.0)
    presence.match(0, 0.3)
    presence.match(200, 0.3)
    assert presence.passed(5_199) is None
    assert presence.passed(5_200) == Sighting(0, 200, 0.3, over=True)
    assert presence.passed(9_000) is None, "only once"
    # One match alone does not bring them back.
    assert presence.match(9_100, 0.3) is None
    assert presence.match(9_300, 0.3) == Sighting(9_100, 9_300, 0.3)
    assert [each.over for each in presence.sightings] == [True, False]


def test_its_end_ends_what_goes_on():
    presence = Presence(5.0)
    assert presence.end() is None
    presence.match(0, 0.3)
    presence.match(200, 0.3)
    assert presence.end() == Sighting(0, 200, 0.3, over=True)
    assert presence.end() is None


def test_the_timeline_is_bounded():
    presence = Presence(1.0)
    for number in range(MAX_SIGHTINGS + 10):
        at_ms = number * 10_000
        presence.match(at_ms, 0.3)
        presence.match(at_ms + 200, 0.3)
        presence.passed(at_ms + 5_000)
    assert len(presence.sightings) == MAX_SIGHTINGS
    assert presence.sightings[0].from_ms == 100_000
