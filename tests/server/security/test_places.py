"""Who gets a place, and who gives one up."""

import time

import pytest

from server.security.identity import Identity
from server.security.places import Place, Places, Standing
from signaling.errors import Busy, TooMany

ANN, BOB = (Identity(name, frozenset(), client=name) for name in ("ann", "bob"))
HERE = Identity(None, frozenset(), client="192.0.2.1")
CONNECTING, WAITING, USED = Standing
PLACES = Places("sessions", 4)


def taken(*places: tuple[Identity, Standing]) -> list[Place[int]]:
    """Held by their numbers, all since now."""
    now_s = time.monotonic()
    return [Place(n, by.client, standing, now_s) for n, (by, standing) in enumerate(places)]


def test_while_there_is_room_nobody_goes():
    assert PLACES.make_room([], ANN) is None
    assert PLACES.make_room(taken((BOB, CONNECTING), (BOB, WAITING), (ANN, USED)), ANN) is None


def test_a_subject_gets_its_share_and_gives_up_its_own_for_more():
    used = (ANN, USED)
    with pytest.raises(TooMany, match="one token's subject gets 2 sessions"):
        PLACES.make_room(taken(used, used), ANN)
    assert PLACES.make_room(taken(used, (ANN, WAITING)), ANN) == 1
    assert PLACES.make_room(taken((ANN, WAITING), (ANN, CONNECTING)), ANN) == 1
    assert PLACES.make_room(taken(used, used), BOB) is None
    assert Places("sessions", 4, per_subject=3).make_room(taken(used, used), ANN) is None


def test_what_a_subject_has_at_other_nodes_is_of_its_share():
    one = taken((ANN, USED))
    assert PLACES.make_room(one, ANN) is None
    with pytest.raises(TooMany):
        PLACES.make_room(one, ANN, elsewhere=1)
    assert PLACES.make_room(taken((ANN, WAITING)), ANN, elsewhere=1) == 0
    assert PLACES.make_room(taken((HERE, USED)), HERE, elsewhere=9) is None


def test_an_address_has_no_share():
    assert PLACES.make_room(taken(*[(HERE, USED)] * 3), HERE) is None
    assert PLACES.make_room(taken(*[(HERE, CONNECTING)] * 3), HERE) is None


def test_who_has_not_connected_to_more_than_half_of_all_gives_way():
    assert PLACES.make_room(taken((BOB, USED), *[(HERE, CONNECTING)] * 3), ANN) == 1
    with pytest.raises(Busy):
        PLACES.make_room(taken(*[(BOB, USED)] * 2, *[(HERE, CONNECTING)] * 2), ANN)


def test_when_all_are_taken_ones_own_go_and_no_others():
    full = taken((BOB, CONNECTING), (BOB, WAITING), (BOB, USED), (HERE, WAITING))
    with pytest.raises(Busy, match="all 4 sessions of this server are taken"):
        PLACES.make_room(full, ANN)
    assert PLACES.make_room(full, HERE) == 3
    assert PLACES.make_room(taken(*[(HERE, USED)] * 3, (HERE, CONNECTING)), HERE) == 3


def test_another_who_does_not_connect_for_long_goes_too():
    late = Place(9, "bob", CONNECTING, time.monotonic() - 11)
    assert PLACES.make_room([*taken(*[(HERE, USED)] * 3), late], ANN) == 9
    # But for nobody who has a share already.
    with pytest.raises(Busy):
        PLACES.make_room([*taken((HERE, USED), (ANN, USED), (ANN, USED)), late], ANN)


def test_the_only_place():
    only = Places("sessions", 1)
    assert only.make_room([], ANN) is None
    assert only.make_room(taken((ANN, CONNECTING)), ANN) == 0
    for by in (BOB, ANN):
        with pytest.raises(Busy):
            only.make_room(taken((ANN, USED)), by)
    with pytest.raises(Busy):
        Places("viewers", 0).make_room([], ANN)
