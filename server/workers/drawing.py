"""Draws annotated frames, and shows those that nothing is drawn into, on a thread of its own.

No result waits for it. For each session the newest frame waits, and nothing else; sessions take
turns. What is drawn goes into a mailbox of the worker's, which the server reads.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from analyzers.annotator import Annotator
from analyzers.base_model import BaseModel
from analyzers.lane import Fragments
from server.media.decoding import Array
from server.workers.lane_frame import LaneFrame, as_planes
from server.workers.mailbox import MailboxWriter
from server.workers.messages import Drawn, Problems
from server.workers.small_picture import small_jpeg

logger = logging.getLogger(__name__)

# A small picture of what came longer ago would not be of now.
_NEW_S = 2.0
# A draw that is stuck is left to the end of the process.
_CLOSE_WITHIN_S = 1.0

Key = tuple[str, bool]
"""A session's id, and whether its frames are annotated."""


@dataclass(slots=True, eq=False)
class _Canvas:
    """One session that is drawn."""

    annotator: Annotator | None
    """Draws into its frames; None leaves them as they are."""
    mailbox: MailboxWriter = field(default_factory=MailboxWriter)
    waiting: tuple[LaneFrame, Mapping[str, Fragments]] | None = None
    is_over: bool = False
    lacks_memory: bool = False


class Drawing:
    """A worker's sessions whose frames somebody watches, annotated or as they are.

    `begin`, `put` and `end` do not wait and may be called under a lock that `send` takes.

    Parameters
    ----------
    send
        Takes the messages for the server, on the drawing thread.
    """

    def __init__(self, send: Callable[[object], None]) -> None:
        self._send = send
        self._canvases: dict[Key, _Canvas] = {}
        self._over: list[_Canvas] = []
        self._shots: dict[str, LaneFrame | None] = {}
        self._changed = threading.Condition()
        self._closing = False
        self._thread: threading.Thread | None = None
        self._busy: tuple[Annotator, str, float] | None = None

    def begin(self, sid: str, analyzers: Sequence[BaseModel] | None) -> None:
        """Show a session's frames from now on.

        Parameters
        ----------
        analyzers
            Draw what each of these says, later ones over earlier ones; None shows frames as they
            are, beside the annotated ones.
        """
        annotator = None if analyzers is None else Annotator(sid, analyzers)
        with self._changed:
            self._canvases[sid, annotator is not None] = _Canvas(annotator)
        self._start()

    def shoot(self, sid: str, frame: LaneFrame | None) -> None:
        """Make a small picture of a session's newest frame, if it is new enough."""
        with self._changed:
            self._shots[sid] = frame
            self._changed.notify()
        self._start()

    def _start(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="drawing", daemon=True)
            self._thread.start()

    def put(self, sid: str, frame: LaneFrame, said: Mapping[str, Fragments] | None = None) -> None:
        """Show a frame in place of one that still waits, annotated with what each analyzer said."""
        with self._changed:
            # None when this process is about to end.
            if (canvas := self._canvases.get((sid, said is not None))) is not None:
                canvas.waiting = (frame, said or {})
                self._changed.notify()

    def end(self, sid: str, annotated: bool) -> None:
        """Show no more of a session, and give its memory back."""
        with self._changed:
            canvas = self._canvases.pop((sid, annotated))
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
                shots, self._shots = self._shots, {}
                turn = self._take_turn()
                is_last = self._closing
            for canvas in over:
                canvas.mailbox.close()
            for sid, frame in shots.items():
                self._send(Drawn(sid, "", False, _shot(sid, frame)))
            if turn is None:
                if is_last:
                    return
                continue
            try:
                self._draw(*turn)
            except Exception:
                # Analyzers' exceptions are problems already; this is a fault of ours.
                logger.exception("Session %s: a frame could not be drawn", turn[0][0])
            finally:
                self._busy = None

    def _has_work(self) -> bool:
        waits = any(canvas.waiting for canvas in self._canvases.values())
        return waits or bool(self._over) or bool(self._shots) or self._closing

    def _take_turn(self) -> tuple[Key, _Canvas, LaneFrame, Mapping[str, Fragments]] | None:
        for key, canvas in self._canvases.items():
            if canvas.waiting is not None:
                (frame, said), canvas.waiting = canvas.waiting, None
                # To the end of the row.
                self._canvases[key] = self._canvases.pop(key)
                return key, canvas, frame, said
        return None

    def _draw(
        self, key: Key, canvas: _Canvas, frame: LaneFrame, said: Mapping[str, Fragments]
    ) -> None:
        sid, annotated = key
        planes = self._drawn(sid, canvas.annotator, frame, said)
        if planes is None:
            return
        height, width = planes.shape[0] * 2 // 3, planes.shape[1]
        try:
            canvas.mailbox.put_planes(planes, replace(frame.info, width=width, height=height))
        except OSError as error:
            if not canvas.lacks_memory:
                logger.error("Session %s: no memory for frames to be shown: %s", sid, error)
            canvas.lacks_memory = True
            return
        if not canvas.is_over and canvas.mailbox.name is not None:
            self._send(Drawn(sid, canvas.mailbox.name, annotated))

    def _drawn(
        self,
        sid: str,
        annotator: Annotator | None,
        frame: LaneFrame,
        said: Mapping[str, Fragments],
    ) -> Array | None:
        if annotator is None:
            return frame.planes()
        rgb = frame.rgb()
        if rgb is None:
            return None
        self._busy = (annotator, sid, time.monotonic())
        picture, problems = annotator.annotate(rgb, said)
        if problems:
            self._send(Problems(sid, problems))
        return as_planes(picture)


def _shot(sid: str, frame: LaneFrame | None) -> bytes:
    """A small picture; empty if there is no frame that is new, or it can not be decoded."""
    if frame is None or time.monotonic() - frame.info.received_monotonic_s > _NEW_S:
        return b""
    try:
        planes = frame.planes()
        return small_jpeg(planes) if planes is not None else b""
    except Exception:
        logger.exception("Session %s: no small picture could be made", sid)
        return b""
