"""A function of someone's own that changes the camera's pictures before anyone sees them."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import logging
import sys
import threading
import time
from collections.abc import Callable
from inspect import Parameter
from pathlib import Path
from types import ModuleType
from typing import Any, Literal

import av
import numpy as np
from numpy.typing import NDArray

from server.media.capture import Capture

logger = logging.getLogger(__name__)

Array = NDArray[np.uint8]
HookFunction = Callable[..., Array | None]
Colors = Literal["rgb", "bgr"]

# A hook that takes longer than this is not waited for: that picture goes out as it came.
PATIENCE_S = 0.050


class BadHook(ValueError):
    """The hook can not be loaded: one line that says why."""


# What an older camera server calls it, in its hooks.py.
USUAL_NAME = "annotate_frame"


def load(name: str) -> HookFunction:
    """Find ``module:function``, or ``file.py:function``; without a function, ``annotate_frame``.

    Raises
    ------
    BadHook
        There is none.
    """
    where, separator, function_name = name.partition(":")
    if not where or (separator and not function_name):
        raise BadHook(f"{name!r} is not module:function, and no file.py:function")
    try:
        module = _run(where) if where.endswith(".py") else importlib.import_module(where)
        function = getattr(module, function_name or USUAL_NAME)
    except Exception as error:
        raise BadHook(f"{name!r} can not be loaded: {error}") from error
    if not callable(function):
        raise BadHook(f"{name!r} is no function")
    return function  # type: ignore[no-any-return]


def _run(file: str) -> ModuleType:
    """Run a file, which finds what lies beside it: of a package, by the package's name."""
    path = Path(file).resolve()
    is_in_package = (path.parent / "__init__.py").is_file()
    folder = path.parent.parent if is_in_package else path.parent
    if str(folder) not in sys.path:
        # Last: what lies there may be called as ours is.
        sys.path.append(str(folder))
    name = f"{path.parent.name}.{path.stem}" if is_in_package else path.stem
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _takes_time(function: HookFunction) -> bool:
    """Whether it is to be told when the picture was taken, too."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return False
    kinds = (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD)
    in_order = [p for p in parameters if p.kind in kinds]
    return len(in_order) > 1 and in_order[1].default in (Parameter.empty, None)


class Hook:
    """Runs the function on a thread of its own, one picture at a time.

    Parameters
    ----------
    function
        Gets a picture, (H, W, 3) uint8, its own to write into, and if it takes a second argument
        when it was taken, in seconds since the epoch; returns one to show instead, of any size, or
        None to leave it as it came.
    colors
        The order of the three, in what it gets and returns.
    """

    def __init__(self, function: HookFunction, colors: Colors = "rgb") -> None:
        self._function = function
        self._format = f"{colors}24"
        self._takes_time = _takes_time(function)
        self._taken_s = 0.0
        self._wake = threading.Condition()
        self._given: Array | None = None
        self._changed: Array | None = None
        self._busy = False
        self._failures = 0
        self._skipped = 0
        self._error: str | None = None
        threading.Thread(target=self._work, name="camera hook", daemon=True).start()

    def apply(self, capture: Capture) -> Capture:
        """Have a picture changed; if the function fails or is slow, it stays as it was."""
        with self._wake:
            if self._busy:
                self._skipped += 1
                return capture
            self._busy = True
            # A copy: of an RGB frame the array is the frame's own memory.
            self._given = np.array(capture.frame.to_ndarray(format=self._format), np.uint8)
            self._taken_s = time.time() - (time.monotonic() - capture.captured_s)
            self._wake.notify_all()
            if not self._wake.wait_for(lambda: not self._busy, PATIENCE_S):
                self._skipped += 1
                return capture
            changed = self._changed
        if changed is None:
            return capture
        shown = av.VideoFrame.from_ndarray(changed, format=self._format)
        return Capture(shown, capture.captured_s)

    def status(self) -> dict[str, Any]:
        """How it goes."""
        return {"failures": self._failures, "skipped": self._skipped, "error": self._error}

    def _work(self) -> None:
        while True:
            with self._wake:
                self._wake.wait_for(lambda: self._given is not None)
                assert self._given is not None
                picture, self._given = self._given, None
            changed = self._call(picture)
            with self._wake:
                self._busy, self._changed = False, changed
                self._wake.notify_all()

    def _call(self, picture: Array) -> Array | None:
        try:
            more = (self._taken_s,) if self._takes_time else ()
            changed = self._function(picture, *more)
            if changed is None:
                return None
            return _checked(changed)
        except Exception as error:
            self._failures += 1
            told = f"{type(error).__name__}: {error}"
            if told != self._error:
                logger.exception("The camera's hook failed")
            self._error = told
            return None


def _checked(picture: Any) -> Array:
    if not isinstance(picture, np.ndarray) or picture.dtype != np.uint8:
        raise TypeError("the hook must return an array of uint8, or None")
    if picture.ndim != 3 or picture.shape[2] != 3 or 0 in picture.shape:
        raise ValueError(f"the hook returned an array of shape {picture.shape}, not (H, W, 3)")
    return np.ascontiguousarray(picture)
