"""Room around a picture, and the way back."""

import numpy as np
import pytest

from analyzers.networks.margins import with_margins


@pytest.mark.parametrize(
    ("height", "width"), [(160, 60), (1080, 1920), (1, 1), (3, 700), (700, 3), (2, 9000)]
)
@pytest.mark.parametrize(("above", "shape"), [(0.3, 1.0), (0.5, 1.7)])
def test_all_of_the_picture_is_within_and_the_size_is_one(height, width, above, shape):
    roomy = with_margins(np.full((height, width, 3), 90, np.uint8), above=above, shape=shape)
    assert roomy.picture.shape == (480, round(480 * shape), 3)
    corners = np.array([(0, 0), (width, height)]) * roomy.scale + (roomy.left, roomy.top)
    assert (corners >= -1).all()
    assert (corners[1] <= (roomy.picture.shape[1] + 1, 481)).all()
    assert roomy.top >= 480 * above / (1 + 2 * above) - 1


def test_a_point_is_found_again():
    rgb = np.zeros((100, 50, 3), np.uint8)
    rgb[20:30, 30:40] = 255
    roomy = with_margins(rgb, above=0.5, shape=1.7)
    rows, columns = np.nonzero(roomy.picture[..., 0] > 127)
    middle = roomy.back(np.array([(columns.mean() + 0.5, rows.mean() + 0.5)]))
    assert middle[0] == pytest.approx((35, 25), abs=0.5)


def test_margins_go_on_with_what_is_at_the_edge():
    rgb = np.zeros((100, 50, 3), np.uint8)
    rgb[:, :25] = 200
    picture = with_margins(rgb, above=0.5, shape=1.7).picture
    assert (picture[:, 0] == 200).all()
    assert (picture[:, -1] == 0).all()
