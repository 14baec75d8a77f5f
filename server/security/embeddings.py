"""Embeddings for clients to keep: encrypted, so that only this server can read or make them."""

from __future__ import annotations

import base64
import binascii
import hashlib
import time
from collections.abc import Callable, Sequence

from cryptography.fernet import Fernet, InvalidToken

from analyzers.reid.embedding import BadEmbedding, Embedding
from signaling.errors import SignalingError

_KEY_ID_BYTES = 4
# Longer than any embedding, sealed.
_MAX_SEALED_CHARS = 64 * 1024
# In no subject, which is printable without spaces.
_BEHIND_SUBJECT = "\n"
# As those of servers that share keys may be.
_CLOCKS_APART_S = 300.0


class BadSealedEmbedding(SignalingError):
    """What a client gave as a sealed embedding can not be used.

    Parameters
    ----------
    error_code
        EMBEDDING_INVALID, EMBEDDING_FOREIGN, EMBEDDING_TAMPERED or EMBEDDING_EXPIRED.
    message
        One line for the client.
    """

    def __init__(self, error_code: str, message: str) -> None:
        super().__init__(message)
        self.error_code = error_code


class EmbeddingCipher:
    """Seals embeddings and opens them again.

    A sealed one is base64 of four bytes that say which key it was, and a Fernet token: AES and a
    signature over the content and the time. The content is whom it was made for, and
    `Embedding.token`, which names the model and the number of values.

    Parameters
    ----------
    keys
        Fernet keys: the first seals, all open.
    ttl_s
        Seconds that a sealed one is good for; 0 is for ever.
    now_s
        The clock, seconds since the epoch.
    """

    def __init__(
        self, keys: Sequence[str], ttl_s: float, now_s: Callable[[], float] = time.time
    ) -> None:
        if not keys:
            raise ValueError("a cipher needs a key")
        self._keys = {_key_id(key): Fernet(key) for key in reversed(keys)}
        self._sealing = _key_id(keys[0])
        self._ttl_s = ttl_s
        self._now_s = now_s

    def seal(self, embedding_token: str, subject: str | None = None) -> str:
        """Return an embedding as text that only this server can read, and one subject can use.

        Parameters
        ----------
        embedding_token
            What `Embedding.token` returned.
        subject
            Whom it is for; None where nobody is asked who they are.
        """
        fernet = self._keys[self._sealing]
        content = f"{subject or ''}{_BEHIND_SUBJECT}{embedding_token}".encode()
        token = fernet.encrypt_at_time(content, int(self._now_s()))
        return base64.b64encode(self._sealing + base64.urlsafe_b64decode(token)).decode()

    def open(self, sealed: str, subject: str | None = None) -> str:
        """Return what `seal` was given for this subject.

        Raises
        ------
        BadSealedEmbedding
            It is no sealed embedding, of a key that this server has not, changed, too old, of a
            time to come, or somebody else's.
        """
        key_id, token = _split(sealed)
        fernet = self._keys.get(key_id)
        if fernet is None:
            raise BadSealedEmbedding(
                "EMBEDDING_FOREIGN",
                "the embedding was made by another server, or with a key that was retired: make it"
                " anew",
            )
        try:
            content = fernet.decrypt(token)
        except InvalidToken:
            raise BadSealedEmbedding(
                "EMBEDDING_TAMPERED", "the embedding was changed on its way: send it as it was made"
            ) from None
        age_s = self._now_s() - fernet.extract_timestamp(token)
        if self._ttl_s and age_s > self._ttl_s:
            raise BadSealedEmbedding("EMBEDDING_EXPIRED", "the embedding is too old: make it anew")
        if age_s < -_CLOCKS_APART_S:
            raise BadSealedEmbedding(
                "EMBEDDING_EXPIRED", "the embedding is of a time to come: make it anew"
            )
        # One that was sealed before there were subjects has none, as where nobody is asked.
        owner, _, embedding = content.rpartition(_BEHIND_SUBJECT.encode())
        if owner != (subject or "").encode():
            raise BadSealedEmbedding(
                "EMBEDDING_FOREIGN", "the embedding was made for somebody else: make your own"
            )
        return _checked(embedding)


def _split(sealed: str) -> tuple[bytes, bytes]:
    if len(sealed) > _MAX_SEALED_CHARS:
        raise _no_embedding()
    try:
        raw = base64.b64decode(sealed, validate=True)
    except (binascii.Error, ValueError):
        raise _no_embedding() from None
    if len(raw) <= _KEY_ID_BYTES:
        raise _no_embedding()
    return raw[:_KEY_ID_BYTES], base64.urlsafe_b64encode(raw[_KEY_ID_BYTES:])


def _checked(content: bytes) -> str:
    try:
        text = content.decode()
        Embedding.from_token(text)
    except (UnicodeDecodeError, BadEmbedding):
        raise _no_embedding() from None
    return text


def _no_embedding() -> BadSealedEmbedding:
    return BadSealedEmbedding(
        "EMBEDDING_INVALID",
        "this is no embedding of this server's: send the text that it gave, as it is",
    )


def _key_id(key: str) -> bytes:
    """Tells keys apart and says nothing of them."""
    return hashlib.sha256(b"kinecast embedding key: " + key.encode()).digest()[:_KEY_ID_BYTES]
