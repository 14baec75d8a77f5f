"""Calls an analyzer's method with those arguments that its signature takes.

Models differ in what they declare: ``end(self, sid)``, ``start(self, session,
ts)``, ``frame(self, sid, frame, timestamp, *args, **kwargs)``. The signature is
read once, when the model is loaded; a call then costs a few dictionary look-ups.

A timestamp that is annotated as ``int`` is a whole number. Older servers' models have
``Optional[int]`` in ``start`` and ``end``, and were given None there: so they are here, also
where they say nothing of it. Their frame is their own, to write into.
"""

from __future__ import annotations

import enum
import inspect
import typing
from collections.abc import Callable
from inspect import Parameter
from typing import Any, Optional

from analyzers import older_models
from analyzers.base_model import BaseModel

# What each method is offered: first in the order of the contract, then by name only.
_OFFERS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "start": (("sid", "timestamp"), ("options",)),
    "frame": (("sid", "frame", "timestamp"), ("results",)),
    "draw": (("frame", "result"), ()),
    "configure": (("sid", "options"), ()),
    "end": (("sid", "timestamp"), ()),
}


_TIMESTAMP = "timestamp"
# As older servers' models have it.
_OLDER = Optional[int]  # noqa: UP045 - what is compared with.


class _Time(enum.Enum):
    """How a method wants its timestamp."""

    AS_IT_IS = enum.auto()
    WHOLE = enum.auto()
    NONE = enum.auto()


class SignatureError(TypeError):
    """A method asks for something that an analyzer's method is never given."""


class AdaptedCall:
    """One method of an analyzer; call it with everything that is on offer, by name.

    Parameters
    ----------
    model : BaseModel
        The analyzer.
    name : {"start", "frame", "draw", "configure", "end"}
        The method.

    Raises
    ------
    SignatureError
        When the method cannot be called with what it is offered.
    """

    __slots__ = ("_by_name", "_by_position", "_copies_frame", "_function", "_is_older", "_time")

    def __init__(self, model: BaseModel, name: str) -> None:
        self._function: Callable[..., Any] = getattr(model, name)
        label = f"{type(model).__name__}.{name}"
        if inspect.iscoroutinefunction(self._function):
            raise SignatureError(f"{label} is a coroutine: write it with def, not async def")
        self._is_older = older_models.has(self._function)
        self._copies_frame = self._is_older and name == "frame"
        in_order, named = _OFFERS[name]
        parameters = inspect.signature(self._function).parameters
        self._time = _Time.AS_IT_IS
        unclaimed = [offer for offer in in_order if offer not in parameters]
        self._by_position: list[str] = []
        self._by_name: list[tuple[str, str]] = []
        # A parameter that keeps its default leaves a gap; what stands behind it goes by name.
        gap = False
        for parameter in parameters.values():
            if parameter.kind is Parameter.VAR_POSITIONAL:
                if not gap:
                    self._by_position += unclaimed
                    unclaimed = []
            elif parameter.kind is Parameter.VAR_KEYWORD:
                unclaimed += [offer for offer in named if offer not in parameters]
                self._by_name += [(offer, offer) for offer in unclaimed]
            elif parameter.name in in_order + named:
                self._pass(parameter, parameter.name, gap, name)
            elif unclaimed and parameter.kind is not Parameter.KEYWORD_ONLY:
                self._pass(parameter, unclaimed.pop(0), gap, name)
            elif parameter.default is not Parameter.empty:
                gap = True
            else:
                raise SignatureError(
                    f"{label} needs {parameter.name!r}, which no analyzer is given;"
                    f" there are {', '.join(in_order + named)}"
                )

    def _pass(self, parameter: Parameter, offer: str, gap: bool, method: str) -> None:
        if offer == _TIMESTAMP:
            annotation = _annotation(self._function, parameter)
            if annotation is None and self._is_older:
                annotation = _OLDER
            self._time = _time_of(annotation, method)
        if gap or parameter.kind is Parameter.KEYWORD_ONLY:
            self._by_name.append((parameter.name, offer))
        else:
            self._by_position.append(offer)

    def __call__(self, **offered: Any) -> Any:
        if self._time is not _Time.AS_IT_IS:
            time = offered[_TIMESTAMP]
            offered[_TIMESTAMP] = None if self._time is _Time.NONE else round(time)
        if self._copies_frame:
            # Some draw into it, and nobody else is to see that.
            offered["frame"] = offered["frame"].copy()
        return self._function(
            *[offered[offer] for offer in self._by_position],
            **{parameter: offered[offer] for parameter, offer in self._by_name},
        )


def _annotation(function: Callable[..., Any], parameter: Parameter) -> Any:
    try:
        return typing.get_type_hints(function).get(parameter.name)
    except Exception:
        # One that names what is not there says nothing.
        return None


def _time_of(annotation: Any, method: str) -> _Time:
    if annotation is int:
        return _Time.WHOLE
    if annotation == _OLDER:
        return _Time.WHOLE if method == "frame" else _Time.NONE
    return _Time.AS_IT_IS


def adapted_calls(model: BaseModel) -> dict[str, AdaptedCall]:
    """Return an analyzer's methods by name, ready to be called.

    Raises
    ------
    SignatureError
        When one of them cannot be called with what it is offered.
    """
    return {name: AdaptedCall(model, name) for name in _OFFERS}
