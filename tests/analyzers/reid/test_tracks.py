"""Who is followed how: by places and looks that are made up here."""

import numpy as np
import pytest

from analyzers.networks.boxes import Box
from analyzers.reid.embedding import Embedding
from analyzers.reid.tracks import Sighting, Tracks, visible_parts

THRESHOLD = 0.4
ANNA, BERT = np.eye(8)[0], np.eye(8)[1]


def seen(x, looks, *, y=100, height=200, blend=None):
    """Someone 80 pixels wide whose box begins at x."""
    vector = looks if blend is None else looks + blend
    return Sighting(Box(x, y, x + 80, y + height, 0.9), Embedding("net", vector))


def numbers(tracks, people, time_ms):
    return [track.number for track in tracks.update(people, time_ms)]


def test_people_keep_their_numbers_when_they_cross():
    tracks = Tracks(THRESHOLD)
    for look in range(11):
        left, right = seen(50 * look, ANNA), seen(500 - 50 * look, BERT)
        # In either order.
        people = [left, right] if look % 2 else [right, left]
        got = numbers(tracks, people, 200 * look)
        assert dict(zip([p is left for p in people], got, strict=True)) == {False: 1, True: 2}
    assert tracks.count == 2


def test_someone_who_comes_back_within_three_seconds_is_known():
    tracks = Tracks(THRESHOLD)
    assert numbers(tracks, [seen(0, ANNA)], 0) == [1]
    assert numbers(tracks, [], 200) == []
    assert numbers(tracks, [seen(400, ANNA)], 2900) == [1]
    assert numbers(tracks, [seen(400, ANNA)], 6000) == [2]


def test_somebody_else_in_the_same_place_is_new():
    tracks = Tracks(THRESHOLD)
    assert numbers(tracks, [seen(0, ANNA)], 0) == [1]
    assert numbers(tracks, [seen(0, BERT)], 200) == [2]


def test_nobody_jumps_across_the_picture():
    tracks = Tracks(THRESHOLD)
    assert numbers(tracks, [seen(0, ANNA)], 0) == [1]
    assert numbers(tracks, [seen(600, ANNA)], 200) == [2]


def test_one_bad_crop_does_not_decide():
    tracks = Tracks(THRESHOLD)
    for look in range(6):
        (track,) = tracks.update([seen(0, ANNA)], 200 * look)
    bad = seen(0, ANNA, blend=1.5 * BERT)
    anna = Embedding("net", ANNA)
    assert bad.embedding.distance(anna) > THRESHOLD
    (again,) = tracks.update([bad], 1200)
    assert again is track
    assert track.embedding.distance(anna) < 0.1
    assert np.linalg.norm(track.embedding.vector) == pytest.approx(1)


def test_what_is_covered_is_not_averaged_in():
    tracks = Tracks(THRESHOLD)
    tracks.update([seen(0, ANNA)], 0)
    # Bert stands before her, his feet lower in the picture.
    mixed = seen(0, ANNA, blend=0.8 * BERT)
    track, _ = tracks.update([mixed, seen(10, BERT, y=110)], 200)
    assert track.number == 1
    assert track.embedding.distance(Embedding("net", ANNA)) == pytest.approx(0, abs=1e-6)


def test_someone_who_is_covered_from_the_start_has_a_look_all_the_same():
    tracks = Tracks(THRESHOLD)
    covered, _ = tracks.update([seen(0, ANNA), seen(10, BERT, y=110)], 0)
    assert covered.embedding.distance(Embedding("net", ANNA)) == pytest.approx(0, abs=1e-6)


def test_what_can_be_seen_of_someone():
    front, behind = Box(50, 20, 150, 120), Box(0, 0, 100, 100)
    # 50 x 80 of 100 x 100 are covered.
    assert visible_parts([behind, front, Box(300, 0, 310, 10)]) == pytest.approx([0.6, 1, 1])
    assert visible_parts([]) == []
