"""The analyzers of one session, and what the client set for each."""

from __future__ import annotations

import pickle
from collections.abc import Collection, Sequence
from typing import Any

from server.sessions.embedding_gate import REID, EmbeddingGate
from server.sessions.shown_exercises import EXERCISE, check_shown
from server.workers.messages import Start
from server.workers.pool import WorkerPool
from signaling.errors import TooLarge

Options = dict[str, dict[str, Any]]

# They are kept for as long as the session, and sent again to each worker: two references as plain
# numbers take 25 kB.
MAX_OPTIONS_BYTES = 64 * 1024


class ChosenAnalyzers:
    """Analyzers by the names they were asked for with; a worker knows them by their own.

    Parameters
    ----------
    pool
        Knows what each calls itself, once a worker is ready.
    names
        Those that the session wants.
    options
        For each analyzer, by name, what the client set.
    gate
        Opens sealed embeddings; None leaves them as they are.
    owner
        The session's subject, who can use what was sealed for them.
    """

    def __init__(
        self,
        pool: WorkerPool,
        names: Sequence[str],
        options: Options,
        gate: EmbeddingGate | None,
        owner: str | None = None,
    ) -> None:
        self.names = tuple(names)
        self._pool = pool
        self.options = dict(options)
        self._gate = gate
        self._owner = owner

    @property
    def want_all(self) -> bool:
        """Whether some are to see every frame."""
        return any(name in self._pool.consecutive for name in self.names)

    def change(self, options: Options) -> tuple[Options, list[str]]:
        """Take options that the client changed.

        Returns
        -------
        changed
            What a worker has to be told.
        unknown
            Names that are not of this session's analyzers; their options change nothing.

        Raises
        ------
        BadMessage
            An exercise in them can not be used; nothing is changed.
        BadSealedEmbedding
            An embedding in them is none that was sealed here; nothing is changed.
        TooLarge
            With them, more would be kept than `MAX_OPTIONS_BYTES`; nothing is changed.
        """
        own_names = {name: self._pool.names.get(name, name) for name in self.names}
        asked_names = {own: asked for asked, own in own_names.items()} | {n: n for n in own_names}
        known = {asked_names[n]: values for n, values in options.items() if n in asked_names}
        if self._gate is not None and (reid := asked_names.get(REID)) in known:
            known[reid] = self._gate.opened(known[reid], self._owner)
        if (exercise := asked_names.get(EXERCISE)) in known:
            check_shown(known[exercise])
        kept = {name: {**self.options.get(name, {}), **values} for name, values in known.items()}
        check_size({**self.options, **kept})
        self.options.update(kept)
        changed = {own_names[name]: values for name, values in known.items()}
        return changed, [name for name in options if name not in asked_names]

    def leave_out(self, own_names: Collection[str]) -> None:
        """Go on without some, by the names they give themselves."""
        names, elsewhere = self._pool.names, self._pool.consecutive
        self.names = tuple(
            name
            for name in self.names
            # What sees every frame is in another lane than what it requires.
            if not {names.get(name, name), *elsewhere.get(name, ())} & set(own_names)
        )

    def start(self, sid: str, began_ms: float) -> Start:
        """What a worker is told to begin with."""
        names = self._pool.names
        return Start(
            sid,
            tuple(names[name] for name in self.names if name in names),
            {names.get(name, name): values for name, values in self.options.items()},
            began_ms,
        )


def check_size(options: Options) -> None:
    """Refuse options that are more than are kept for a session.

    Raises
    ------
    TooLarge
        How much is kept.
    """
    # As they go to the worker: JSON can not tell of every number that it brought.
    if len(pickle.dumps(options)) > MAX_OPTIONS_BYTES:
        raise TooLarge(f"options of more than {MAX_OPTIONS_BYTES} bytes are not kept")
