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
    on_the_way: dict[str, int] = {}
    nodes: list[Any] = []
    for node in model.get_ordered_ops():
        name = node.get_friendly_name()
        begins = node.get_type_name() == "Parameter"
        follows = any(_source(end).get_friendly_name() in on_the_way for end in node.inputs())
        # Weights lie beside the way from input to output.
        if name in needed and (begins or follows):
            on_the_way[name] = len(nodes)
            nodes.append(node)
    places = []
    furthest = 0
    for position, node in enumerate(nodes):
        # Nothing before this node is read by anything behind it.
        if position >= furthest:
            places.append(node.output(0))
        for reader in node.output(0).get_target_inputs():
            furthest = max(furthest, on_the_way.get(reader.get_node().get_friendly_name(), 0))
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
