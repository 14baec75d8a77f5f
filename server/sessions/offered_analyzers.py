"""The analyzers of a server, out of which each session chooses."""

from __future__ import annotations

from collections.abc import Sequence

from server.sessions.chosen_analyzers import Options, check_size
from server.sessions.embedding_gate import REID, EmbeddingGate
from server.sessions.shown_exercises import EXERCISE, check_shown
from server.workers.pool import WorkerPool
from signaling.errors import BadMessage


class OfferedAnalyzers:
    """Knows them by the names that they were configured with, and by those that they have.

    Parameters
    ----------
    pool
        Knows what each calls itself, and which can not run, once a worker is ready.
    names
        As they were configured, in order.
    gate
        Opens sealed embeddings; None leaves them as they are.
    """

    def __init__(self, pool: WorkerPool, names: Sequence[str], gate: EmbeddingGate | None) -> None:
        self._pool = pool
        self._names = tuple(names)
        self._gate = gate

    def choose(
        self, wanted: Sequence[str] | None, options: Options, owner: str | None
    ) -> tuple[tuple[str, ...], Options]:
        """The names that a session gets, and its options by those names.

        Parameters
        ----------
        wanted
            By either name; None wants all that can run.
        options
            For each analyzer, by either name, what the client set.
        owner
            The session's subject, who can use what was sealed for them.

        Raises
        ------
        BadMessage
            There is no such analyzer, or it can not run here; an exercise in the options can not
            be used.
        BadSealedEmbedding
            An embedding in the options is none that was sealed here for this subject.
        TooLarge
            The options are more than are kept.
        """
        chosen = self._choose(wanted)
        known = {self._known(name): values for name, values in options.items()}
        if self._gate is not None:
            for name in known:
                if self._pool.names.get(name) == REID:
                    known[name] = self._gate.opened(known[name], owner)
        for name in known:
            # Before a worker is ready, they are known by the names they were configured with.
            if self._pool.names.get(name, name) == EXERCISE:
                check_shown(known[name])
        check_size(known)
        return chosen, known

    def can_run(self, name: str) -> bool:
        """Whether there is an analyzer of this name, and it can run."""
        try:
            return bool(self._choose([name]))
        except BadMessage:
            return False

    def _choose(self, wanted: Sequence[str] | None) -> tuple[str, ...]:
        unavailable = self._pool.unavailable
        if wanted is None:
            return tuple(name for name in self._names if name not in unavailable)
        chosen = {self._known(name) for name in wanted}
        for name in chosen & set(unavailable):
            raise BadMessage(f"the analyzer {name!r} can not run here: {unavailable[name]}")
        return tuple(name for name in self._names if name in chosen)

    def _known(self, name: str) -> str:
        """The configured analyzer of this name, be it its own or the one it was asked for with."""
        for asked, own in ((n, self._pool.names.get(n)) for n in self._names):
            if name in (asked, own):
                return asked
        raise BadMessage(f"this server has no analyzer {name!r}: it has {', '.join(self._names)}")
