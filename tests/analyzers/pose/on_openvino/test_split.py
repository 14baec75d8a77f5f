"""A network is cut only where everything passes."""

import numpy as np
import pytest

from analyzers.pose.on_openvino.split import narrow_places

openvino = pytest.importorskip("openvino", reason="OpenVINO is not installed")
ops = pytest.importorskip("openvino.opset8")


def named(name, node):
    node.set_friendly_name(name)
    return node


def entry():
    return named("in", ops.parameter([1, 4], np.float32))


def weights(name):
    """Return a constant in half precision and what makes it single: two nodes beside the way."""
    constant = named(f"{name}_half", ops.constant(np.ones((1, 4), np.float16)))
    return named(name, ops.convert(constant, "f32"))


def places(start, *ends, outputs=None):
    """Return the names of the narrow places between `start` and some ends' outputs."""
    model = openvino.Model(list(ends), [start], "network")
    wanted = [model.outputs[number] for number in outputs or range(len(ends))]
    return [place.get_node().get_friendly_name() for place in narrow_places(model, wanted)]


def test_a_chain_is_narrow_everywhere():
    start = entry()
    a = named("a", ops.relu(start))
    b = named("b", ops.sigmoid(a))
    c = named("c", ops.tanh(b))
    assert places(start, c) == ["in", "a", "b", "c"]


def test_a_network_that_does_nothing_is_its_input():
    start = entry()
    assert places(start, start) == ["in"]


def test_beside_a_skip_connection_nothing_is_narrow():
    start = entry()
    a = named("a", ops.relu(start))
    b = named("b", ops.sigmoid(a))
    c = named("c", ops.tanh(b))
    # Past b and c.
    d = named("d", ops.add(a, c))
    e = named("e", ops.relu(d))
    assert places(start, e) == ["in", "a", "d", "e"]


def test_in_a_diamond_neither_side_is_narrow():
    start = entry()
    left = named("left", ops.relu(start))
    right = named("right", ops.sigmoid(start))
    further = named("further", ops.tanh(right))
    joined = named("joined", ops.concat([left, further], 1))
    assert places(start, joined) == ["in", "joined"]


def test_diamonds_one_behind_the_other_are_narrow_between():
    start = entry()
    a = named("a", ops.add(ops.relu(start), ops.sigmoid(start)))
    b = named("b", ops.add(ops.relu(a), ops.sigmoid(a)))
    assert places(start, b) == ["in", "a", "b"]


def test_skip_connections_that_overlap_leave_nothing_narrow_between():
    start = entry()
    a = named("a", ops.relu(start))
    b = named("b", ops.add(a, start))
    c = named("c", ops.sigmoid(b))
    # From before b to behind it.
    d = named("d", ops.add(c, a))
    assert places(start, d) == ["in", "d"]


def test_the_same_node_twice_is_no_skip_connection():
    start = entry()
    a = named("a", ops.relu(start))
    b = named("b", ops.multiply(a, a))
    assert places(start, b) == ["in", "a", "b"]


def test_weights_are_beside_the_way():
    start = entry()
    a = named("a", ops.multiply(start, weights("w")))
    b = named("b", ops.add(a, weights("v")))
    assert places(start, b) == ["in", "a", "b"]


def test_weights_that_are_used_twice_are_no_skip_connection():
    start = entry()
    shared = weights("w")
    a = named("a", ops.multiply(start, shared))
    b = named("b", ops.relu(a))
    c = named("c", ops.multiply(b, shared))
    assert places(start, c) == ["in", "a", "b", "c"]


def test_a_head_that_is_not_asked_for_does_not_count():
    start = entry()
    a = named("a", ops.relu(start))
    aside = named("aside", ops.sigmoid(ops.tanh(a)))
    b = named("b", ops.exp(a))
    c = named("c", ops.negative(b))
    assert places(start, aside, c, outputs=[1]) == ["in", "a", "b", "c"]


def test_up_to_where_two_heads_part_it_is_as_narrow_as_with_one():
    start = entry()
    a = named("a", ops.relu(start))
    b = named("b", ops.add(ops.sigmoid(a), a))
    one = named("one", ops.reduce_sum(ops.tanh(b), 1))
    two = named("two", ops.reduce_max(ops.exp(b), 1))
    assert places(start, one, two) == ["in", "a", "b"]


def test_an_output_on_the_way_to_another_is_the_last_narrow_place():
    start = entry()
    a = named("a", ops.relu(start))
    b = named("b", ops.tanh(ops.sigmoid(a)))
    assert places(start, a, b) == ["in", "a"]


def test_a_node_with_two_outputs_is_no_narrow_place():
    start = entry()
    halves = named("halves", ops.split(start, 1, 2))
    joined = named("joined", ops.add(ops.relu(halves.output(0)), ops.sigmoid(halves.output(1))))
    assert places(start, joined) == ["in", "joined"]
