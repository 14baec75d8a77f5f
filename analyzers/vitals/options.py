"""What a client may ask of the vitals analyzer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

_OPTIONS = ("signal", "num_faces")
MAX_FACES = 4


@dataclass(frozen=True, slots=True)
class Options:
    """Of a session.

    Attributes
    ----------
    signal : bool
        Results bring the pulse's curve.
    num_faces : int
        How many people are measured where pose does not say who is there.
    """

    signal: bool = False
    num_faces: int = 1


def read(asked: Mapping[str, Any], before: Options) -> Options:
    """Return what options ask for; what they leave out stays.

    Raises
    ------
    ValueError
        One line that says what is wrong.
    """
    for key in asked:
        if key not in _OPTIONS:
            raise ValueError(f"vitals has no option {key!r}, only {' and '.join(_OPTIONS)}")
    options = replace(before, **asked)
    if not isinstance(options.signal, bool):
        raise ValueError(f"signal is {options.signal!r}; it must be true or false")
    count = options.num_faces
    if isinstance(count, bool) or not isinstance(count, int) or not 1 <= count <= MAX_FACES:
        raise ValueError(f"num_faces is {count!r}; it must be a whole number from 1 to {MAX_FACES}")
    return options
