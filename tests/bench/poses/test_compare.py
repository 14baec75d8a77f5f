"""Angles, distances and their spread, on bodies whose measures are known by hand."""

import math

import numpy as np
import pytest

from analyzers.pose.landmarks import INDEX
from bench.poses.compare import Agreement, Distances, Spread, angles_deg, spread

LEFT_ELBOW, RIGHT_ELBOW, LEFT_KNEE, RIGHT_KNEE, LEFT_HIP, RIGHT_HIP, LEFT_SHOULDER, _ = range(8)

# Upright, y downwards, the left arm level with the forearm hanging, the right one straight down.
FIGURE = {
    "left_shoulder": (120, 100),
    "left_elbow": (160, 100),
    "left_wrist": (160, 140),
    "left_hip": (120, 200),
    "left_knee": (120, 280),
    "left_ankle": (200, 280),
    "right_shoulder": (80, 100),
    "right_elbow": (80, 140),
    "right_wrist": (80, 190),
    "right_hip": (80, 200),
    "right_knee": (0, 280),
    "right_ankle": (-80, 360),
}


@pytest.fixture
def points() -> np.ndarray:
    """Two frames of the figure, (2, 33, 2)."""
    frame = np.zeros((33, 2))
    for name, place in FIGURE.items():
        frame[INDEX[name]] = place
    return np.stack([frame, frame])


def test_angles_of_a_figure(points: np.ndarray) -> None:
    expected = [90, 180, 90, 180, 180, 135, 90, 0]
    assert angles_deg(points) == pytest.approx(np.array([expected, expected]), abs=1e-4)


def test_an_angle_does_not_depend_on_place_and_size(points: np.ndarray) -> None:
    assert angles_deg(3 * points + 17) == pytest.approx(angles_deg(points), abs=1e-4)


def test_there_is_no_angle_without_a_landmark_or_where_two_fall_together(
    points: np.ndarray,
) -> None:
    points[0, INDEX["left_wrist"]] = np.nan
    points[1, INDEX["left_wrist"]] = points[1, INDEX["left_elbow"]]
    angles = angles_deg(points)
    assert np.isnan(angles[:, LEFT_ELBOW]).all()
    assert not np.isnan(np.delete(angles, LEFT_ELBOW, axis=1)).any()


def test_spread() -> None:
    values = np.arange(101.0)
    assert spread(values) == Spread(50.0, 95.0)
    assert spread(np.append(values, np.nan)) == Spread(50.0, 95.0)
    assert math.isnan(spread(np.array([np.nan])).median)


def test_spread_over_another() -> None:
    assert Spread(3.0, 8.0).over(Spread(2.0, 4.0)) == Spread(1.5, 2.0)
    assert math.isnan(Spread(3.0, 8.0).over(Spread(0.0, 4.0)).median)


def test_distances_of_a_shifted_figure(points: np.ndarray) -> None:
    distances = Distances()
    distances.add_px(points, np.add(points, (3, 4)))
    world = np.zeros((2, 33, 3))
    distances.add_world_cm(world, np.add(world, (2, 3, 6)))
    spreads = distances.spreads()
    assert spreads["px"] == Spread(5.0, 5.0)
    assert spreads["world_cm"] == Spread(7.0, 7.0)
    assert spreads["angle_deg"].p95 == pytest.approx(0.0, abs=1e-4)


def test_distances_over_clips_are_of_all_their_landmarks(points: np.ndarray) -> None:
    distances = Distances()
    for shift in (1, 2, 3):
        distances.add_px(points, np.add(points, (shift, 0)))
    assert distances.spreads()["px"].median == 2.0


def test_a_bent_knee_is_a_difference_of_one_joint(points: np.ndarray) -> None:
    bent = points.copy()
    bent[:, INDEX["left_ankle"]] = (120, 360)
    distances = Distances()
    distances.add_px(points, bent)
    of_joints = distances.angle_deg[0].reshape(2, 8)
    assert of_joints[:, LEFT_KNEE] == pytest.approx(90.0)
    assert np.delete(of_joints, LEFT_KNEE, axis=1) == pytest.approx(0.0)


def test_what_was_not_measured_is_not_told(points: np.ndarray) -> None:
    distances = Distances()
    assert distances.spreads() == {}
    distances.add_px(points, points)
    assert sorted(distances.spreads()) == ["angle_deg", "px"]


def test_agreement() -> None:
    agreement = Agreement()
    agreement.add([True, True, False, False], [True, False, True, False])
    agreement.add([True], [True])
    assert agreement == Agreement(both=2, only_first=1, only_second=1, neither=1)
    with pytest.raises(ValueError, match="shorter"):
        agreement.add([True], [])
