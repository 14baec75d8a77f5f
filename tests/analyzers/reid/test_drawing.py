"""Boxes are where the matches are, each with its number and distance."""

import numpy as np

from analyzers.reid.drawing import draw_matches


def match(bbox, distance=0.21, track_id=3):
    return {"bbox": list(bbox), "distance": distance, "track_id": track_id, "person_id": None}


def drawn(*matches):
    picture = np.full((480, 640, 3), 128, np.uint8)
    draw_matches(picture, {"matches": list(matches)})
    return picture


def changed(picture):
    return (picture != 128).any(axis=-1)


def test_each_match_has_a_box_and_a_label():
    picture = changed(drawn(match((60, 100, 160, 400)), match((300, 120, 420, 410))))
    for x0, y0, x1, y1 in ((60, 100, 160, 400), (300, 120, 420, 410)):
        assert picture[y0 : y1 + 1, x0].all()
        assert picture[y1, x0 : x1 + 1].all()
        assert not picture[y0 + 6 : y1 - 6, x0 + 6 : x1 - 6].any(), "the person stays visible"
        assert picture[y1 + 8 : y1 + 20, x0 + 4 : x0 + 50].all(), "the label below"
    assert not picture[:, 180:290].any()
    assert not changed(drawn()).any()


def test_number_and_distance_show():
    box = (60, 100, 160, 400)
    one = drawn(match(box))
    assert not np.array_equal(one, drawn(match(box, distance=0.22)))
    assert not np.array_equal(one, drawn(match(box, track_id=4)))


def test_who_fills_the_picture_has_the_label_inside():
    picture = changed(drawn(match((0, 0, 640, 480))))
    assert picture[458:470, 8:50].all()


def test_a_box_may_be_of_no_size():
    drawn(match((100, 100, 100, 100)), match((640, 480, 640, 480)))
