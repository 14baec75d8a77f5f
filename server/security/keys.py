"""The keys that seal embeddings: given, or made once and kept."""

from __future__ import annotations

import logging
from collections.abc import Iterable

from cryptography.fernet import Fernet

from server.security import private_file
from server.security.private_file import data_directory

logger = logging.getLogger(__name__)

FILE_NAME = "embeddings.key"


def parse(keys: Iterable[str]) -> tuple[str, ...]:
    """Keys that were given.

    Raises
    ------
    ValueError
        One is no Fernet key; it is not shown.
    """
    checked = []
    for number, key in enumerate(keys, 1):
        try:
            Fernet(key)
        except ValueError:
            raise ValueError(
                f"--encryption-key: key {number} is not 32 bytes in URL-safe base64: make one with:"
                " openssl rand -base64 32 | tr +/ -_"
            ) from None
        checked.append(key)
    return tuple(checked)


def kept() -> tuple[str, ...]:
    """The key that was made once and is kept in the user's data directory.

    Where nothing can be kept there, a key for as long as the server runs.
    """
    path = data_directory() / FILE_NAME
    try:
        private_file.write_once(path, Fernet.generate_key() + b"\n")
        return parse([path.read_text(encoding="ascii").strip()])
    except (OSError, ValueError) as error:
        logger.warning(
            "The key for embeddings can not be kept in %s (%s): what is sealed now can not be"
            " opened after a restart; set ENCRYPTION_KEY, or XDG_DATA_HOME to a directory of this"
            " user's",
            path,
            error,
        )
        return (Fernet.generate_key().decode(),)
