"""The re-identification analyzer: where in the picture a reference person is."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analyzers.base_model import BaseModel
from analyzers.networks.priority import with_low_priority
from analyzers.reid.drawing import draw_matches
from analyzers.reid.embedding import Embedding, parse
from analyzers.reid.recognizer import Recognizer
from analyzers.reid.session import ReidSession
from analyzers.reid.sightings import posed_people

_MAX_RATE_HZ = 60.0
_SWITCHES = ("every_frame", "enrol")
_OPTIONS = ("reference", "threshold", *_SWITCHES)


class Reid(BaseModel):
    """Finds a reference person among those in the picture.

    A frame's result holds `matches`, the nearest first: `bbox` (x0, y0, x1,
    y1 in pixels), cosine `distance` to the reference, the detector's
    `confidence`, a `track_id` that stays, and `person_id`, the number that pose has
    given the person (None where it does not follow them). `reid`
    says what looked: `model`, whether it is the `fallback`, `detector`,
    `threshold`, `has_reference`, how many `people` there were, and
    `looked_at_ms`.

    People are looked at `rate_hz` times a second, in a thread of their own, and
    no frame waits for it: in between, boxes move with the people whom pose sees.

    A session's options are `reference`, see `embedding.parse` (None for
    nobody), `threshold`, `every_frame` and `enrol`. With `every_frame` each frame
    is looked at at once and its `matches` are of this frame, however long that
    takes. With `enrol` each frame is looked at at once too, and its result has
    `reid_people`, everyone in it, the largest first: `bbox`, `confidence`, and
    `embedding`, a token to give as a reference.

    Parameters
    ----------
    model, detector, device, precision
        See `Recognizer`.
    threshold : float, optional
        The largest cosine distance, 0..2, of a match; by default the model's,
        chosen on data.
    rate_hz : float
        How often people are looked at.

    Raises
    ------
    AnalyzerUnavailable
        When a network or OpenVINO is missing.
    ValueError
        When a setting is wrong.
    """

    requires = ("pose",)

    def __init__(
        self,
        model: str | None = None,
        detector: str | None = None,
        *,
        device: str = "CPU",
        precision: str = "auto",
        threshold: float | None = None,
        rate_hz: float = 5.0,
    ) -> None:
        if not 0.0 < rate_hz <= _MAX_RATE_HZ:
            raise ValueError(f"rate_hz is {rate_hz!r}; it must be over 0, up to {_MAX_RATE_HZ:g}")
        # Its networks give way to pose's.
        self._recognizer = with_low_priority(
            lambda: Recognizer(model, detector, device=device, precision=precision)
        )
        extractor = self._recognizer.extractor
        self._threshold = extractor.threshold if threshold is None else _checked(threshold)
        self._interval_ms = 1000.0 / rate_hz
        # One, since a network computes for one at a time; sessions take turns.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="reid")
        self._sessions: dict[str, ReidSession] = {}

    def start(
        self,
        sid: str,
        timestamp: float | None = None,
        *args: Any,
        options: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        session = ReidSession(self._recognizer, self._thread, self._threshold, self._interval_ms)
        self._apply(session, options or {})
        self._sessions[sid] = session

    def configure(self, sid: str, options: Mapping[str, Any]) -> None:
        self._apply(self._sessions[sid], options)

    def frame(
        self,
        sid: str,
        frame: NDArray[np.uint8],
        timestamp: float,
        *args: Any,
        results: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> dict[str, Any]:
        session = self._sessions[sid]
        height, width = frame.shape[:2]
        pose = (results or {}).get("pose") if session.is_looking else None
        return session.frame(frame, timestamp, posed_people(pose, width, height))

    def draw(
        self, frame: NDArray[np.uint8], result: Mapping[str, Any], *args: Any, **kwargs: Any
    ) -> None:
        draw_matches(frame, result)

    def end(
        self, sid: str, timestamp: float | None = None, *args: Any, **kwargs: Any
    ) -> dict[str, Any]:
        """Return how many people were seen, and who of them was the reference, when."""
        return self._sessions.pop(sid).end()

    def save(self, sid: str) -> bytes:
        """Return who was seen and matched; whom to look for, options say."""
        return self._sessions[sid].save()

    def restore(self, sid: str, state: bytes) -> None:
        self._sessions[sid].restore(state)

    def _apply(self, session: ReidSession, options: Mapping[str, Any]) -> None:
        """Check all options, then take them: a wrong one changes nothing."""
        for key in options:
            if key not in _OPTIONS:
                raise ValueError(f"reid has no option {key!r}, only {', '.join(_OPTIONS)}")
        threshold = options.get("threshold")
        checked = None if threshold is None else _checked(threshold)
        switches = {key: _switch(key, options[key]) for key in _SWITCHES if key in options}
        if "reference" in options:
            session.reference = self._reference(options["reference"])
        if checked is not None:
            session.threshold = checked
        session.every_frame = switches.get("every_frame", session.every_frame)
        session.enrol = switches.get("enrol", session.enrol)

    def _reference(self, given: Any) -> Embedding | None:
        if given is None:
            return None
        reference = parse(given)
        extractor = self._recognizer.extractor
        reference.check_comparable(extractor.name, extractor.size)
        return reference


def _checked(threshold: Any) -> float:
    is_number = isinstance(threshold, int | float) and not isinstance(threshold, bool)
    if not is_number or not 0.0 <= threshold <= 2.0:
        raise ValueError(f"the threshold is {threshold!r}; it must be a cosine distance, 0 to 2")
    return float(threshold)


def _switch(key: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"{key} is {value!r}; it must be true or false")
    return value
