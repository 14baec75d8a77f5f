"""A function of someone's own that changes the camera's pictures before anyone sees them."""

from __future__ import annotations

import importlib
import logging
import threading
from collections.abc import Callable
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from server.media.capture import Capture

logger = logging.getLogger(__name__)

Array = NDArray[np.uint8]
HookFunction = Callable[[Array], Array | None]

# A hook that takes longer than this is not waited for: that picture goes out as it came.
PATIENCE_S = 0.050


class BadHook(ValueError):
    """The hook can not be loaded: one line that says why."""


def load(name: str) -> HookFunction:
    """Find ``module:function``.

    Raises
    ------
    BadHook
        There is none.
    """
    module_name, separator, function_name = name.partition(":")
    if not separator or not module_name or not function_name:
        raise BadHook(f"{name!r} is not module:function")
    try:
        function = getattr(importlib.import_module(module_name), function_name)
    except Exception as error:
        raise BadHook(f"{name!r} can not be loaded: {error}") from error
    if not callable(function):
        raise BadHook(f"{name!r} is no function")
    return function  # type: ignore[no-any-return]


class Hook:
    """Runs the function on a thread of its own, one picture at a time.

    Parameters
    ----------
    function
        Gets a picture, (H, W, 3) uint8 RGB, its own to write into; returns one to show instead, of
        any size, or None to leave it as it came.
    """

    def __init__(self, function: HookFunction) -> None:
        self._function = function
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
            self._given = np.array(capture.frame.to_ndarray(format="rgb24"), np.uint8)
            self._wake.notify_all()
            if not self._wake.wait_for(lambda: not self._busy, PATIENCE_S):
                self._skipped += 1
                return capture
            changed = self._changed
        if changed is None:
            return capture
        return Capture(av.VideoFrame.from_ndarray(changed, format="rgb24"), capture.captured_s)

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
            changed = self._function(picture)
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
