"""Embeddings on their way between analyzers and clients: plain within, sealed outside."""

from __future__ import annotations

from typing import Any

import orjson

from server.security.embeddings import BadSealedEmbedding, EmbeddingCipher
from server.sessions.values import Values

REID = "reid"
_REFERENCE = "reference"
_PEOPLE = "reid_people"
# The phases of an analyzer in which what is wrong is the reference that was given.
_BEGINNINGS = ("start", "configure")


class EmbeddingGate:
    """Opens what sessions' options bring in, and seals what results take out.

    Parameters
    ----------
    cipher
        Holds the keys.
    """

    def __init__(self, cipher: EmbeddingCipher) -> None:
        self._cipher = cipher

    def opened(self, options: dict[str, Any], subject: str | None = None) -> dict[str, Any]:
        """Re-identification's options as its analyzer takes them.

        Parameters
        ----------
        options
            As a client gave them.
        subject
            Who; what was sealed for others does not open.

        Raises
        ------
        BadSealedEmbedding
            The reference is none that was sealed here.
        """
        reference = options.get(_REFERENCE)
        match reference:
            case str():
                return {**options, _REFERENCE: self._cipher.open(reference, subject)}
            case list() if any(isinstance(entry, str) for entry in reference):
                return {**options, _REFERENCE: [self._open(entry, subject) for entry in reference]}
        # Numbers of a client's own, or nobody.
        return options

    def sealed(self, values: Values, subject: str | None = None) -> Values:
        """A result as it may leave the server, in any form, for whoever owns its session."""
        if _PEOPLE not in values:
            return values
        people = orjson.loads(values.one(_PEOPLE))
        for person in people:
            person["embedding"] = self._cipher.seal(person["embedding"], subject)
        return values.replaced(_PEOPLE, orjson.dumps(people))

    def _open(self, entry: Any, subject: str | None) -> str:
        if not isinstance(entry, str):
            raise BadSealedEmbedding("EMBEDDING_INVALID", "the references are not all embeddings")
        return self._cipher.open(entry, subject)


def refusal_in(notice: dict[str, Any]) -> str | None:
    """What a session's notice says of a reference that can not be used, if it does."""
    is_refusal = (
        notice["type"] == "analyzer_error"
        and notice["analyzer"] == REID
        and notice["phase"] in _BEGINNINGS
    )
    return notice["message"] if is_refusal else None
