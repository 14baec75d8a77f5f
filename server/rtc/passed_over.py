"""What is passed over of a peer is told once: it may send thousands a second."""

from __future__ import annotations

import logging
from typing import Any

logger = logging.getLogger(__name__)


def pass_over(owner: Any, what: str, why: object) -> None:
    """Log that something of a peer's was passed over; again only for debugging.

    Parameters
    ----------
    owner
        What lives as long as the connection, and remembers what was told.
    what
        Begins a sentence: ``"An RTP packet"``.
    why
        Ends it.
    """
    told: set[str] = vars(owner).setdefault("_kinecast_passed_over", set())
    logger.log(logging.DEBUG if what in told else logging.INFO, "%s was passed over: %s", what, why)
    told.add(what)
