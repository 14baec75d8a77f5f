"""What is kept of compiled networks changes no result, and no state of the cache stops anything."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from analyzers.networks.runtime import Picture, Runtime
from analyzers.pose import weights

_PICTURE = Picture(layout="NHWC", std=255.0)

# Compiles the pose detector in a process of its own, and prints what it computes.
_COMPUTE = """
import hashlib, sys
import numpy as np
from analyzers.networks.runtime import Picture, Runtime
from analyzers.pose import weights
runtime = Runtime(precision="f32")
network = runtime.compile(
    runtime.read(weights.load(None).detector), Picture(layout="NHWC", std=255.0)
)
network.picture[:] = np.random.default_rng(7).integers(0, 256, network.picture.shape)
network.run()
for name in sorted(network.outputs):
    print(name, hashlib.sha256(network.outputs[name].tobytes()).hexdigest())
"""


@pytest.fixture(name="cache")
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder for what is kept; the networks themselves stay where they are."""
    folder = tmp_path / "cache"
    monkeypatch.setattr(
        "analyzers.networks.compiled_cache.user_cache_path", lambda name: folder / name
    )
    return folder


def _outputs(source: bytes) -> dict[str, bytes]:
    runtime = Runtime(precision="f32")
    network = runtime.compile(runtime.read(source), _PICTURE)
    network.picture[:] = np.random.default_rng(7).integers(0, 256, network.picture.shape)
    network.run()
    return {name: array.tobytes() for name, array in network.outputs.items()}


def _kept(cache: Path) -> dict[str, Path]:
    return {path.name: path for path in cache.rglob("*") if path.is_file()}


@pytest.fixture(name="detector", scope="module")
def _detector() -> bytes:
    return weights.load(None).detector


def test_what_was_kept_computes_the_same_bytes(cache: Path, detector: bytes) -> None:
    first = _outputs(detector)
    kept = _kept(cache)
    assert {Path(name).suffix for name in kept} == {".blob", ".xml", ".bin"}
    assert _outputs(detector) == first
    # Nothing was made again, and no folder of a process is left.
    assert {name: path.stat().st_ino for name, path in _kept(cache).items()} == {
        name: path.stat().st_ino for name, path in kept.items()
    }
    assert not list(cache.rglob(".of-*"))


def test_without_a_place_to_keep_anything_it_computes_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cache: Path, detector: bytes
) -> None:
    first = _outputs(detector)
    file = tmp_path / "a-file"
    file.touch()
    monkeypatch.setattr("analyzers.networks.compiled_cache.user_cache_path", lambda _: file)
    assert _outputs(detector) == first


def test_nothing_is_kept_on_a_disk_that_is_nearly_full(
    monkeypatch: pytest.MonkeyPatch, cache: Path, detector: bytes
) -> None:
    monkeypatch.setattr("analyzers.networks.compiled_cache._MIN_FREE_BYTES", 1 << 62)
    assert _outputs(detector)
    assert not _kept(cache)


@pytest.mark.parametrize("suffix", [".blob", ".xml", ".bin"])
def test_what_is_damaged_is_made_again(cache: Path, detector: bytes, suffix: str) -> None:
    first = _outputs(detector)
    (damaged,) = (path for name, path in _kept(cache).items() if name.endswith(suffix))
    whole_bytes = damaged.stat().st_size
    damaged.chmod(0o600)
    os.truncate(damaged, 100)
    assert _outputs(detector) == first
    # Two compilations of one network differ by a few bytes of what OpenVINO notes of itself.
    assert damaged.stat().st_size == pytest.approx(whole_bytes, rel=0.01)
    made_again = damaged.stat().st_ino
    assert _outputs(detector) == first
    assert damaged.stat().st_ino == made_again


def test_processes_that_begin_at_once_share_it(tmp_path: Path) -> None:
    # The networks are found in the real cache; only what is compiled goes elsewhere.
    program = (
        "from pathlib import Path\n"
        "import analyzers.networks.compiled_cache as cache\n"
        f"cache.user_cache_path = lambda name: Path({str(tmp_path)!r}) / name\n" + _COMPUTE
    )
    processes = [
        subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    told = {process.communicate(timeout=120)[0] for process in processes}
    assert [process.returncode for process in processes] == [0, 0, 0]
    assert len(told) == 1
    assert told.pop().count("\n") >= 2
    assert len(_kept(tmp_path)) == 3


def test_what_a_killed_process_left_behind_goes(cache: Path, detector: bytes) -> None:
    _outputs(detector)
    (blob,) = (path for name, path in _kept(cache).items() if name.endswith(".blob"))
    old, young = blob.parent / ".of-old", blob.parent / ".of-young"
    for folder in (old, young):
        folder.mkdir()
    long_ago = time.time() - 7200
    os.utime(old, (long_ago, long_ago))
    blob.unlink()
    _outputs(detector)
    assert not old.exists()
    assert young.exists()


def test_it_does_not_grow_for_ever(
    monkeypatch: pytest.MonkeyPatch, cache: Path, detector: bytes
) -> None:
    monkeypatch.setattr("analyzers.networks.compiled_cache._MAX_FILES", 5)
    _outputs(detector)
    (blob,) = (path for name, path in _kept(cache).items() if name.endswith(".blob"))
    long_ago = time.time() - 7200
    for number in range(20):
        older = blob.with_name(f"{number}.blob")
        older.touch()
        os.utime(older, (long_ago, long_ago))
    blob.unlink()
    _outputs(detector)
    assert len(_kept(cache)) == 5
    assert blob.exists()
