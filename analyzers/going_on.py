"""Has an analyzer say what it remembers of a session, and go on from that elsewhere.

Whatever goes wrong is told in the log: the session goes on, and that analyzer begins anew in it.
"""

from __future__ import annotations

import logging

from analyzers.base_model import MAX_STATE_BYTES, BaseModel
from analyzers.faults import describe

logger = logging.getLogger(__name__)


def keeps_state(analyzer: BaseModel) -> bool:
    """Tell whether an analyzer can go on with a session in another process."""
    cls = type(analyzer)
    return cls.save is not BaseModel.save and cls.restore is not BaseModel.restore


def is_missed(analyzer: BaseModel) -> bool:
    """Tell whether a client has to know that an analyzer begins anew: it counts something."""
    return keeps_state(analyzer) and bool(type(analyzer).events)


def saved(analyzer: BaseModel, sid: str) -> bytes | None:
    """Return what an analyzer remembers of a session; None where it can not be told."""
    try:
        state = analyzer.save(sid)
    except Exception as error:
        logger.warning("Session %s: %s can not be saved: %s", sid, analyzer.name, describe(error))
        return None
    if state is None or (isinstance(state, bytes) and len(state) <= MAX_STATE_BYTES):
        return state
    what = f"{len(state)} bytes" if isinstance(state, bytes) else f"a {type(state).__name__}"
    logger.warning(
        "Session %s: %s is not saved: save() gave %s, and may give %d bytes",
        *(sid, analyzer.name, what, MAX_STATE_BYTES),
    )
    return None


def restored(analyzer: BaseModel, sid: str, state: bytes | None) -> bool:
    """Have an analyzer go on; return whether it does."""
    if state is None:
        return False
    try:
        if len(state) > MAX_STATE_BYTES:
            raise ValueError(f"it has {len(state)} bytes, of {MAX_STATE_BYTES} at most")
        analyzer.restore(sid, state)
    except Exception as error:
        logger.warning(
            "Session %s: what %s knew can not be restored: %s", sid, analyzer.name, describe(error)
        )
        return False
    return True
