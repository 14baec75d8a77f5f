"""What a person looks like, as a vector that belongs to the network that made it."""

from __future__ import annotations

import base64
import binascii
import struct
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

# A token is the vector's float32, little-endian, then the network's name, then how many values and
# how many bytes of name there were, then this. The vector comes first, so that a client that knows
# the length may read it as an array.
_MARK = b"KCE1"
_TAIL = struct.Struct("<HH4s")
_MAX_VALUES = 4096
_MAX_NAME_BYTES = 200


class BadEmbedding(ValueError):
    """What was given as an embedding is none: one line that says why."""


class OtherModel(BadEmbedding):
    """Two embeddings are of different networks, and can not be compared."""


@dataclass(frozen=True, slots=True, eq=False)
class Embedding:
    """A person as one network sees them.

    Attributes
    ----------
    model : str
        The network's name. Only embeddings of one network can be compared.
    vector : ndarray, shape (N,), float32
        Of length 1 and read-only; what is given is scaled to it.

    Raises
    ------
    BadEmbedding
        When the vector is not one of finite numbers, or zero.
    """

    model: str
    vector: NDArray[np.float32]

    def __post_init__(self) -> None:
        vector = np.asarray(self.vector, np.float64)
        if vector.ndim != 1 or not 1 <= len(vector) <= _MAX_VALUES:
            raise BadEmbedding(
                f"an embedding has shape {vector.shape}, not (N,) with N up to {_MAX_VALUES}"
            )
        length = float(np.linalg.norm(vector))
        if not np.isfinite(length) or length == 0.0:
            raise BadEmbedding("an embedding is all zeros, or not of finite numbers")
        if not 1 <= len(self.model.encode()) <= _MAX_NAME_BYTES:
            raise BadEmbedding("an embedding has no model's name, or one that is too long")
        unit = (vector / length).astype(np.float32)
        unit.setflags(write=False)
        object.__setattr__(self, "vector", unit)

    def distance(self, other: Embedding) -> float:
        """Return the cosine distance: 0 for the same direction, 1 for none, 2 for the opposite.

        Raises
        ------
        OtherModel
            When they are not of the same network.
        """
        self.check_comparable(other.model, len(other.vector))
        cosine = float(np.dot(self.vector, other.vector))
        return min(max(1.0 - cosine, 0.0), 2.0)

    def check_comparable(self, model: str, size: int) -> None:
        """Refuse to be compared with embeddings of another network.

        Raises
        ------
        OtherModel
            Which names both.
        """
        if (self.model, len(self.vector)) != (model, size):
            raise OtherModel(
                f"the embedding was made with {self.model} ({len(self.vector)} values) and can not"
                f" be compared with those of {model} ({size} values): make it anew"
            )

    def token(self) -> str:
        """Return it as text, for a client to keep and give back; see `from_token`."""
        name = self.model.encode()
        tail = _TAIL.pack(len(self.vector), len(name), _MARK)
        return base64.b64encode(self.vector.astype("<f4").tobytes() + name + tail).decode()

    @classmethod
    def from_token(cls, token: str) -> Embedding:
        """Read what `token` returned.

        Raises
        ------
        BadEmbedding
            When it is something else, or damaged.
        """
        try:
            data = base64.b64decode(token, validate=True)
            values, name_bytes, mark = _TAIL.unpack(data[-_TAIL.size :])
            if mark != _MARK or len(data) != 4 * values + name_bytes + _TAIL.size:
                raise BadEmbedding("its end is not that of a token")
            vector = np.frombuffer(data, "<f4", values)
            return cls(data[4 * values :][:name_bytes].decode(), vector)
        except (binascii.Error, struct.error, ValueError) as error:
            raise BadEmbedding(f"the text is no embedding of this server's: {error}") from error


def mean(embeddings: Iterable[Embedding]) -> Embedding:
    """Return the direction between several pictures of one person.

    Raises
    ------
    BadEmbedding
        When there is none.
    OtherModel
        When they are of different networks.
    """
    several = list(embeddings)
    if not several:
        raise BadEmbedding("there is no embedding")
    first = several[0]
    for other in several[1:]:
        other.check_comparable(first.model, len(first.vector))
    return Embedding(first.model, np.sum([e.vector for e in several], axis=0))


def parse(reference: Any) -> Embedding:
    """Read what a client gave as a reference.

    Parameters
    ----------
    reference
        A token; a list of tokens, several pictures of one person; or
        ``{"model": name, "vector": [numbers]}``.

    Raises
    ------
    BadEmbedding
        When it is something else: one line that says what.
    """
    match reference:
        case str():
            return Embedding.from_token(reference)
        case Mapping() if reference.keys() == {"model", "vector"}:
            return _from_numbers(reference["model"], reference["vector"])
        case Sequence() if reference and all(isinstance(entry, str) for entry in reference):
            return mean(Embedding.from_token(token) for token in reference)
        case Sequence() if reference and all(_is_number(entry) for entry in reference):
            raise BadEmbedding(
                "the reference is a list of numbers without its model's name: give it as"
                ' {"model": name, "vector": [numbers]}'
            )
    raise BadEmbedding(
        "the reference is neither an embedding's text, nor a list of these, nor"
        ' {"model": name, "vector": [numbers]}'
    )


def _from_numbers(model: Any, vector: Any) -> Embedding:
    if not isinstance(model, str) or not isinstance(vector, Sequence) or isinstance(vector, str):
        raise BadEmbedding("the reference's model is not text, or its vector not a list")
    if not all(map(_is_number, vector)):
        raise BadEmbedding("the reference's vector holds something that is not a number")
    try:
        return Embedding(model, np.array(vector, np.float64))
    except OverflowError as error:
        raise BadEmbedding("an embedding is all zeros, or not of finite numbers") from error


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
