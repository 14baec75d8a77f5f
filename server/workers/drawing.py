"""Draws annotated frames, on a thread that no result waits for.

For each session the newest frame waits, and nothing else; sessions take turns. What is drawn goes
into a mailbox of the worker's, which the server reads.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import cast

import cv2
import numpy as np

from analyzers.annotator import Annotator
from analyzers.base_model import BaseModel
from analyzers.lane import Fragments
from server.media.decoding import Array
from server.workers.lane_frame import LaneFrame
from server.workers.mailbox import MailboxWriter
from server.workers.messages import Drawn, Problems

logger = logging.getLogger(__name__)

# A draw that is stuck is left to the end of the process.
_CLOSE_WITHIN_S = 1.0


@dataclass(slots=True, eq=False)
class _Canvas:
    """One session that is drawn."""

    annotator: Annotator
    mailbox: MailboxWriter = field(default_factory=MailboxWriter)
    waiting: tuple[LaneFrame, Mapping[str, Fragments]] | None = None
    is_over: bool = False
    lacks_memory: bool = False


class Drawing:
    """A worker's sessions that somebody watches annotated.

    `begin`, `put` and `end` do not wait and may be called under a lock that `send` takes.

    Parameters
    ----------
    send
        Takes the messages for the server, on the drawing thread.
    """

    def __init__(self, send: Callable[[object], None]) -> None:
        self._send = send
        self._canvases: dict[str, _Canvas] = {}
        self._over: list[_Canvas] = []
        self._changed = threading.Condition()
        self._closing = False
        self._thread: threading.Thread | None = None
        self._busy: tuple[Annotator, str, float] | None = None

    def begin(self, sid: str, analyzers: Sequence[BaseModel]) -> None:
        """Draw a session's frames from now on; later analyzers' over earlier ones'."""
        with self._changed:
            self._canvases[sid] = _Canvas(Annotator(sid, analyzers))
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="drawing", daemon=True)
            self._thread.start()

    def put(self, sid: str, frame: LaneFrame, said: Mapping[str, Fragments]) -> None:
        """Draw into a frame what each analyzer said, in place of a frame that still waits."""
        with self._changed:
            # None when this process is about to end.
            if (canvas := self._canvases.get(sid)) is not None:
                canvas.waiting = (frame, said)
                self._changed.notify()

    def end(self, sid: str) -> None:
        """Draw no more of a session, and give its memory back."""
        with self._changed:
            canvas = self._canvases.pop(sid)
            canvas.is_over = True
            self._over.append(canvas)
            self._changed.notify()

    def busy(self, now: float) -> tuple[str, str, float] | None:
        """Analyzer, session and seconds of the drawing that is under way, if one is."""
        if (busy := self._busy) is None:
            return None
        annotator, sid, began_s = busy
        return (annotator.at or "", sid, now - began_s)

    def close(self) -> None:
        """End all."""
        with self._changed:
            for canvas in self._canvases.values():
                canvas.is_over = True
            self._over += self._canvases.values()
            self._canvases.clear()
            self._closing = True
            self._changed.notify()
        if self._thread is not None:
            self._thread.join(_CLOSE_WITHIN_S)

    # ---- on its thread

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(self._has_work)
                over, self._over = self._over, []
                turn = self._take_turn()
                is_last = self._closing
            for canvas in over:
                canvas.mailbox.close()
            if turn is None:
                if is_last:
                    return
                continue
            try:
                self._draw(*turn)
            except Exception:
                # Analyzers' exceptions are problems already; this is a fault of ours.
                logger.exception("Session %s: a frame could not be drawn", turn[0])
            finally:
                self._busy = None

    def _has_work(self) -> bool:
        waits = any(canvas.waiting for canvas in self._canvases.values())
        return waits or bool(self._over) or self._closing

    def _take_turn(self) -> tuple[str, _Canvas, LaneFrame, Mapping[str, Fragments]] | None:
        for sid, canvas in self._canvases.items():
            if canvas.waiting is not None:
                (frame, said), canvas.waiting = canvas.waiting, None
                # To the end of the row.
                self._canvases[sid] = self._canvases.pop(sid)
                return sid, canvas, frame, said
        return None

    def _draw(
        self, sid: str, canvas: _Canvas, frame: LaneFrame, said: Mapping[str, Fragments]
    ) -> None:
        rgb = frame.rgb()
        if rgb is None:
            return
        self._busy = (canvas.annotator, sid, time.monotonic())
        picture, problems = canvas.annotator.annotate(rgb, said)
        if problems:
            self._send(Problems(sid, problems))
        height, width = (length & ~1 for length in picture.shape[:2])
        if not height or not width:
            return
        planes = cv2.cvtColor(
            np.ascontiguousarray(picture[:height, :width]), cv2.COLOR_RGB2YUV_I420
        )
        try:
            canvas.mailbox.put_planes(
                cast(Array, planes), replace(frame.info, width=width, height=height)
            )
        except OSError as error:
            if not canvas.lacks_memory:
                logger.error("Session %s: no memory for its annotated frames: %s", sid, error)
            canvas.lacks_memory = True
            return
        if not canvas.is_over and canvas.mailbox.name is not None:
            self._send(Drawn(sid, canvas.mailbox.name))
