"""Which result is a video's last, whatever order its frames come in."""

import random

import pytest

from server.ingest.last_wanted import LastWanted


def sent(count, held, rng):
    """Places in the order of showing, in an order of sending that holds back so many at most."""
    places = list(range(count))
    for at in range(0, count - held, held + 1):
        group = places[at : at + held + 1]
        # As encoders do: the last of a group first, the others in their order.
        places[at : at + held + 1] = [group[-1], *group[:-1]] if rng.random() < 0.7 else group
    return places


@pytest.mark.parametrize("held", [0, 1, 3, 7])
@pytest.mark.parametrize("seed", range(20))
def test_it_is_the_wanted_frame_that_is_shown_last(held, seed):
    rng = random.Random(seed)
    last = LastWanted()
    places = sent(200, held, rng)
    wanted = [rng.random() < 0.2 for _ in places]
    for number, (place, is_wanted) in enumerate(zip(places, wanted, strict=True), 1):
        last.note(number, 3000 * place, is_wanted)
    assert last.number == 1 + max(p for p, w in zip(places, wanted, strict=True) if w)


def test_nothing_is_waited_for_where_nothing_is_wanted():
    last = LastWanted()
    last.note(1, 0, False)
    last.note(2, 3000, False)
    assert last.number == 0
