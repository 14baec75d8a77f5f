"""What OpenVINO made of networks, kept in the user's cache, so that a worker starts sooner.

Converting a network and compiling it takes a second of a processor, which every worker would
spend, and the sessions of one that is replaced would wait for. OpenVINO keeps its work in a folder
if it is given one, but writes there while others read; so each time it gets a folder of its own
that links to what there is, and what is new in it is put beside that when it is whole. Nothing is
lost with the cache: what is damaged, or can not be written, is made again.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from platformdirs import user_cache_path

# Of one version of OpenVINO; the oldest go first. Pose has eight, of 6 MB each.
_MAX_FILES = 48
# A full disk is for others to fill: OpenVINO does not say when half a file was written.
_MIN_FREE_BYTES = 200_000_000
# What a process that was killed left behind.
_ABANDONED_AFTER_S = 3600.0
_OWN_PREFIX = ".of-"


class CompiledCache:
    """Reads and compiles networks, or takes what was kept of the last time.

    Parameters
    ----------
    openvino : module
        What one version made is not read by another.
    core : openvino.Core
        Which compiles.
    """

    def __init__(self, openvino: Any, core: Any) -> None:
        self._openvino = openvino
        self._core = core
        version = hashlib.sha256(openvino.get_version().encode()).hexdigest()[:16]
        self._folder = user_cache_path("kinecast") / "compiled" / version

    def compile(self, model: Any, device: str, options: Mapping[str, Any]) -> Any:
        """Compile a network, as `openvino.Core.compile_model` does.

        Raises
        ------
        RuntimeError
            When OpenVINO can not.
        """
        with self._own_folder() as own:
            kept = {} if own is None else {"CACHE_DIR": str(own)}
            return self._core.compile_model(model, device, {**options, **kept})

    def read_tflite(self, source: bytes) -> Any:
        """Read a TFLite network, converted the last time if there was one.

        Raises
        ------
        RuntimeError
            When it is none.
        """
        xml = self._folder / f"{hashlib.sha256(source).hexdigest()[:32]}.xml"
        if (kept := self._read_kept(xml)) is not None:
            return kept
        # OpenVINO reads TFLite from files only.
        with tempfile.TemporaryDirectory(prefix="kinecast-") as directory:
            path = Path(directory, "network.tflite")
            path.write_bytes(source)
            model = self._core.read_model(str(path))
        with self._own_folder() as own:
            if own is not None:
                # Links to files that others have mapped: never written through.
                for path in (own / xml.name, own / xml.with_suffix(".bin").name):
                    path.unlink(missing_ok=True)
                self._openvino.save_model(model, str(own / xml.name), compress_to_fp16=False)
        # The first time like every other: what is compiled of it is found by what it is.
        return self._read_kept(xml) or model

    def _read_kept(self, xml: Path) -> Any:
        if not xml.is_file():
            return None
        try:
            return self._core.read_model(str(xml))
        except RuntimeError:
            return None

    @contextlib.contextmanager
    def _own_folder(self) -> Iterator[Path | None]:
        """Give a folder with all there is; None where nothing can be kept."""
        own = self._make_own()
        if own is None:
            yield None
            return
        try:
            before = {path.name: path.stat().st_ino for path in own.iterdir()}
            yield own
            # The .bin of a network before its .xml, by which it is found.
            after = sorted(own.iterdir())
            self._keep([path for path in after if before.get(path.name) != path.stat().st_ino])
        finally:
            shutil.rmtree(own, ignore_errors=True)

    def _make_own(self) -> Path | None:
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if shutil.disk_usage(self._folder).free < _MIN_FREE_BYTES:
                return None
            own = Path(tempfile.mkdtemp(dir=self._folder, prefix=_OWN_PREFIX))
            for path in self._files():
                with contextlib.suppress(FileNotFoundError):
                    os.link(path, own / path.name)
        except OSError:
            return None
        return own

    def _keep(self, new: list[Path]) -> None:
        with contextlib.suppress(OSError):
            for path in new:
                path.replace(self._folder / path.name)
            if new:
                self._tidy()

    def _tidy(self) -> None:
        for path in self._files()[_MAX_FILES:]:
            path.unlink(missing_ok=True)
        for folder in self._folder.glob(f"{_OWN_PREFIX}*"):
            if time.time() - folder.stat().st_mtime > _ABANDONED_AFTER_S:
                shutil.rmtree(folder, ignore_errors=True)

    def _files(self) -> list[Path]:
        """Return what is kept, the newest first."""
        files = [path for path in self._folder.iterdir() if path.is_file()]
        return sorted(files, key=lambda path: path.stat().st_mtime, reverse=True)
