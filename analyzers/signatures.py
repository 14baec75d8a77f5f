"""Calls an analyzer's method with those arguments that its signature takes.

Models differ in what they declare: ``end(self, sid)``, ``start(self, session,
ts)``, ``frame(self, sid, frame, timestamp, *args, **kwargs)``. The signature is
read once, when the model is loaded; a call then costs a few dictionary look-ups.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from inspect import Parameter
from typing import Any

from analyzers.base_model import BaseModel

# What each method is offered: first in the order of the contract, then by name only.
_OFFERS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "start": (("sid", "timestamp"), ("options",)),
    "frame": (("sid", "frame", "timestamp"), ("results",)),
    "draw": (("frame", "result"), ()),
    "configure": (("sid", "options"), ()),
    "end": (("sid", "timestamp"), ()),
}

_MAX_DESCRIPTION = 400


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

    __slots__ = ("_by_name", "_by_position", "_function")

    def __init__(self, model: BaseModel, name: str) -> None:
        self._function: Callable[..., Any] = getattr(model, name)
        label = f"{type(model).__name__}.{name}"
        if inspect.iscoroutinefunction(self._function):
            raise SignatureError(f"{label} is a coroutine: write it with def, not async def")
        parameters = list(inspect.signature(self._function).parameters.values())
        in_order, named = _OFFERS[name]
        sources = _sources(parameters, in_order, named)
        for parameter in parameters:
            if parameter.name not in sources and _is_required(parameter):
                raise SignatureError(
                    f"{label} needs {parameter.name!r}, which no analyzer is given;"
                    f" there are {', '.join(in_order + named)}"
                )
        self._by_position, self._by_name = _plan(parameters, sources, in_order, named)

    def __call__(self, **offered: Any) -> Any:
        return self._function(
            *[offered[source] for source in self._by_position],
            **{parameter: offered[source] for parameter, source in self._by_name},
        )


def describe(error: Exception) -> str:
    """Say on one line what was raised, for someone who will not see the stack trace."""
    # MediaPipe's texts run to thousands of characters; what went wrong is at their beginning.
    text = " ".join(str(error).split())
    # A file's name may hold bytes that are no text; JSON could not tell of it.
    text = text.encode(errors="backslashreplace").decode()
    if len(text) > _MAX_DESCRIPTION:
        text = f"{text[:_MAX_DESCRIPTION]}…"
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


class AdaptedCalls:
    """An analyzer's methods, ready to be called.

    Raises
    ------
    SignatureError
        When one of them cannot be called with what it is offered.
    """

    __slots__ = ("configure", "draw", "end", "frame", "start")

    def __init__(self, model: BaseModel) -> None:
        self.start = AdaptedCall(model, "start")
        self.frame = AdaptedCall(model, "frame")
        self.draw = AdaptedCall(model, "draw")
        self.configure = AdaptedCall(model, "configure")
        self.end = AdaptedCall(model, "end")


def _is_variadic(parameter: Parameter) -> bool:
    return parameter.kind in (Parameter.VAR_POSITIONAL, Parameter.VAR_KEYWORD)


def _is_required(parameter: Parameter) -> bool:
    return parameter.default is Parameter.empty and not _is_variadic(parameter)


def _sources(
    parameters: list[Parameter], in_order: tuple[str, ...], named: tuple[str, ...]
) -> dict[str, str]:
    """Say which offer fills which parameter: the one of its name, or else the next in order."""
    fixed = [parameter for parameter in parameters if not _is_variadic(parameter)]
    sources = {p.name: p.name for p in fixed if p.name in in_order + named}
    unclaimed = [source for source in in_order if source not in sources]
    for parameter in fixed:
        if parameter.name in sources or parameter.kind is Parameter.KEYWORD_ONLY:
            continue
        if unclaimed:
            sources[parameter.name] = unclaimed.pop(0)
    return sources


def _plan(
    parameters: list[Parameter],
    sources: dict[str, str],
    in_order: tuple[str, ...],
    named: tuple[str, ...],
) -> tuple[list[str], list[tuple[str, str]]]:
    """Split the arguments into those passed by position and those passed by name."""
    kinds = {parameter.kind for parameter in parameters}
    by_position: list[str] = []
    by_name: list[tuple[str, str]] = []
    # A parameter that keeps its default leaves a gap; what stands behind it goes by name.
    gap = False
    for parameter in parameters:
        if _is_variadic(parameter):
            continue
        if parameter.name not in sources:
            gap = True
        elif gap or parameter.kind is Parameter.KEYWORD_ONLY:
            by_name.append((parameter.name, sources[parameter.name]))
        else:
            by_position.append(sources[parameter.name])
    left = [source for source in in_order if source not in sources.values()]
    if Parameter.VAR_POSITIONAL in kinds and not gap:
        by_position += left
        left = []
    if Parameter.VAR_KEYWORD in kinds:
        left += [source for source in named if source not in sources.values()]
        by_name += [(source, source) for source in left]
    return by_position, by_name
