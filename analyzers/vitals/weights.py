"""Where the two networks for faces come from."""

from __future__ import annotations

from dataclasses import dataclass

from analyzers.base_model import AnalyzerUnavailable
from analyzers.networks import catalogue, fetching, model_cache, wheels
from analyzers.networks.errors import FetchError


@dataclass(frozen=True, slots=True)
class Weights:
    """Both networks.

    Attributes
    ----------
    detector, mesh : bytes
        TFLite files.
    """

    detector: bytes
    mesh: bytes


def load() -> Weights:
    """Load the networks from the user's cache, where they are put if they are not there.

    Raises
    ------
    AnalyzerUnavailable
        When they can not be had.
    """
    packed = catalogue.FACE.packed
    assert packed is not None
    try:
        networks = wheels.read(packed, fetching.fetch(catalogue.FACE, model_cache.directory()))
    except (FetchError, OSError, ValueError) as error:
        raise AnalyzerUnavailable(f"vitals has no networks: {error}") from error
    return Weights(*(networks[member.name] for member in packed.members))
