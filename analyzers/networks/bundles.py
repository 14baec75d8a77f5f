"""Several networks in one file, a zip, as MediaPipe's bundles (.task) are."""

from __future__ import annotations

import io
import os
import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path


def pack(networks: Mapping[str, bytes]) -> bytes:
    """Put networks into a zip, uncompressed, since MediaPipe maps them from where they are.

    Returns
    -------
    bytes
        The same for the same networks, every time.
    """
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_STORED) as bundle:
        for name, network in networks.items():
            # ZipInfo dates from 1980, so the bytes do not depend on the time.
            bundle.writestr(zipfile.ZipInfo(name), network)
    return content.getvalue()


def write(path: Path, content: bytes) -> None:
    """Write a file that is there whole or not at all; any number of processes may do so at once.

    Raises
    ------
    OSError
        When it can not be written; nothing is left behind.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
