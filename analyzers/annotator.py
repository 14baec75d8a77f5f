"""Draws into a session's frames what its analyzers found, each by its own `draw`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from analyzers.base_model import BaseModel
from analyzers.faults import FaultLog, describe
from analyzers.lane import Fragments, Problem
from analyzers.signatures import AdaptedCall


class Annotator:
    """Draws for one session.

    Parameters
    ----------
    sid : str
        The session, for the log.
    analyzers : sequence of BaseModel
        Those of the session. What comes later is drawn over what comes before.

    Attributes
    ----------
    at : str or None
        The analyzer that draws just now.
    """

    def __init__(self, sid: str, analyzers: Sequence[BaseModel]) -> None:
        self._faults = FaultLog(sid)
        self._draws = {
            analyzer.name: AdaptedCall(analyzer, "draw")
            for analyzer in analyzers
            if type(analyzer).draw is not BaseModel.draw
        }
        self.at: str | None = None

    def annotate(
        self, rgb: NDArray[np.uint8], said: Mapping[str, Fragments]
    ) -> tuple[NDArray[np.uint8], tuple[Problem, ...]]:
        """Draw.

        Parameters
        ----------
        rgb : ndarray, shape (H, W, 3), uint8
            The frame; it stays as it is.
        said : mapping of str to dict of str to bytes
            By analyzer: the JSON of each key of its last result.

        Returns
        -------
        ndarray, shape (H, W, 3), uint8
            The frame with all of it drawn in, except by analyzers that raised: of
            theirs there is nothing, be it half drawn.
        tuple of Problem
            What these raised.
        """
        results = {
            name: {key: orjson.loads(value) for key, value in said[name].items()}
            for name in self._draws
            if name in said
        }
        problems: list[Problem] = []
        while True:
            picture = rgb.copy()
            problem = self._draw_all(picture, results)
            if problem is None:
                return picture, tuple(problems)
            problems.append(problem)
            del results[problem.analyzer]

    def _draw_all(
        self, picture: NDArray[np.uint8], results: Mapping[str, dict[str, Any]]
    ) -> Problem | None:
        try:
            for name, result in results.items():
                self.at = name
                self._draws[name](frame=picture, result=result)
        except Exception as error:
            assert self.at is not None
            self._faults.log(self.at, "draw", error)
            return Problem(self.at, "draw", describe(error))
        finally:
            self.at = None
        return None
