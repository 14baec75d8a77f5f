"""Open files and sockets: as many as the system lets the process have."""

from __future__ import annotations

import contextlib
import logging
import resource

logger = logging.getLogger(__name__)

# Sockets of media, recordings, shared memory, workers.
_BESIDE_CONNECTIONS = 512


def raise_limit(connections: int) -> None:
    """Raise the soft limit of open files, which is 1024 on most systems, to the hard one.

    Out of them, nobody is let in any more, and asyncio logs thousands of errors a second.

    Parameters
    ----------
    connections
        How many are accepted at once; 0 is no limit.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(OSError, ValueError):
        # Some systems have a hard limit that they do not allow.
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        soft = hard
    if soft != resource.RLIM_INFINITY and soft < connections + _BESIDE_CONNECTIONS:
        logger.warning(
            "The system allows %d open files (ulimit -n), too few for %d connections and media:"
            " allow more, or lower --max-connections",
            soft,
            connections,
        )
