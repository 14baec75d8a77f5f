"""The sequences that the network is trained on: bodies that are bodies, labels that are true."""

import numpy as np
import pytest

from analyzers.exercise.network.classes import CLASSES, NONE
from tools.exercise_network import others
from tools.exercise_network.body import BONES, Figure, some_build
from tools.exercise_network.sequence import HELD, MOVEMENTS, PADDING, repetitions, sequence


def posed(pose, seed, count=40):
    rng = np.random.default_rng(seed)
    figure = Figure(rng, some_build(rng), count)
    pose(figure)
    return figure, figure.joints()


def lengths_vary(joints):
    return max(np.ptp(np.linalg.norm(joints[:, b] - joints[:, a], axis=-1)) for a, b in BONES)


@pytest.mark.parametrize("name", sorted(MOVEMENTS))
@pytest.mark.parametrize("seed", range(5))
def test_bones_keep_their_lengths_in_every_exercise(name, seed):
    depth, number = np.linspace(0.0, 1.0, 40), np.zeros(40, int)
    _, joints = posed(lambda figure: MOVEMENTS[name](figure, depth, number), seed)
    assert np.isfinite(joints).all()
    # Knees and elbows are placed to within what a straight limb is short of its bones.
    assert lengths_vary(joints) < 0.01


@pytest.mark.parametrize("name", others.NAMES)
def test_bones_keep_their_lengths_in_everything_else(name):
    _, joints = posed(lambda figure: others.pose(name, figure, 15.0), 3)
    assert np.isfinite(joints).all()
    assert lengths_vary(joints) < 0.01


@pytest.mark.parametrize("name", ["squat", "push_up", "sit_up", "pull_up", "deadlift"])
def test_a_repetition_moves_the_shoulders_up_or_down(name):
    depth, number = np.array([0.0, 1.0]), np.zeros(2, int)
    for seed in range(8):
        _, joints = posed(lambda figure: MOVEMENTS[name](figure, depth, number), seed, 2)
        moved = joints[1, 1:3, 1].mean() - joints[0, 1:3, 1].mean()
        assert np.sign(moved) == (1 if name in ("sit_up", "pull_up") else -1)


def test_depth_and_phase_go_together():
    depth, phase, _, inside = repetitions(np.random.default_rng(5), "squat", 1500, 0.05)
    assert inside.any()
    assert (depth[~inside & (phase == 0)] < 0.35).all()
    at_turn = inside & (np.abs(phase - 0.5) < 0.02)
    assert depth[at_turn].min() > 0.5
    assert depth[inside & (phase < 0.02)].max() < 0.1


def test_a_sequence_is_the_same_for_the_same_seed_and_another_for_another():
    one, same, other = sequence(3), sequence(3), sequence(4)
    assert one.features.tobytes() == same.features.tobytes()
    assert one.exercise.tobytes() == same.exercise.tobytes()
    assert one.features.tobytes() != other.features.tobytes()


def test_labels_are_of_what_is_done():
    held, none = CLASSES.index(HELD), CLASSES.index(NONE)
    seen = set()
    for seed in range(40):
        made = sequence(seed)
        asked = made.exercise != PADDING
        assert np.isfinite(made.features).all()
        assert not made.inside[made.exercise == none].any()
        assert (made.phase[(made.exercise == none) | (made.exercise == held)] == 0).all()
        assert made.inside[made.exercise == held].all()
        assert (made.features[~asked] == 0).all()
        seen |= set(made.exercise[asked].tolist())
    assert len(seen) >= 10
