"""Finds where a network can be cut in two."""

from __future__ import annotations

from typing import Any


def narrow_places(model: Any, outputs: list[Any]) -> list[Any]:
    """Return the outputs of single nodes that everything from input to `outputs` passes through.

    Parameters
    ----------
    model : openvino.Model
        With one input.
    outputs : list of openvino.Output
        Some of its outputs.

    Returns
    -------
    list of openvino.Output
        From the input on.
    """
    needed = _ancestors(outputs)
    position: dict[str, int] = {}
    nodes: list[Any] = []
    for node in model.get_ordered_ops():
        name = node.get_friendly_name()
        begins = node.get_type_name() == "Parameter"
        follows = any(_source(end).get_friendly_name() in position for end in node.inputs())
        # Weights lie beside the way from input to output.
        if name in needed and (begins or follows):
            position[name] = len(nodes)
            nodes.append(node)
    ends = {output.node.get_friendly_name() for output in outputs}
    places = []
    furthest = 0
    for here, node in enumerate(nodes):
        # Nothing before this node is read by anything behind it.
        if here >= furthest and node.get_output_size() == 1:
            places.append(node.output(0))
        for reader in _readers(node):
            if reader in ends:
                # An output is read behind everything.
                furthest = len(nodes)
            furthest = max(furthest, position.get(reader, 0))
    return places


def _ancestors(outputs: list[Any]) -> set[str]:
    found: set[str] = set()
    waiting = [output.node for output in outputs]
    while waiting:
        for end in waiting.pop().inputs():
            node = _source(end)
            if node.get_friendly_name() not in found:
                found.add(node.get_friendly_name())
                waiting.append(node)
    return found


def _source(end: Any) -> Any:
    return end.get_source_output().get_node()


def _readers(node: Any) -> list[str]:
    return [
        end.get_node().get_friendly_name()
        for output in node.outputs()
        for end in output.get_target_inputs()
    ]
