"""Wheels that a test makes, and pip and uv finding those and no others."""

import hashlib
import os
import zipfile

from analyzers.networks.installers import Release
from analyzers.networks.wheels import Member, Packed


def packed(project, networks, version="1.0"):
    """Describe networks, their contents by name, in a release of a project."""
    return Packed(
        Release(project, version, python="3.11", glibc="2_28"),
        1000,
        tuple(
            Member(
                name, f"{project}/parts/{name}", len(content), hashlib.sha256(content).hexdigest()
            )
            for name, content in networks.items()
        ),
    )


def write_wheel(folder, release, files):
    """Write a wheel with these files, contents by path, for Linux on x86_64; returns its path."""
    name = f"{release.project}-{release.version}"
    tag = f"cp311-cp311-manylinux_{release.glibc}_x86_64"
    about = {
        "METADATA": f"Metadata-Version: 2.1\nName: {release.project}\nVersion: {release.version}\n",
        "WHEEL": f"Wheel-Version: 1.0\nRoot-Is-Purelib: false\nTag: {tag}\n",
        "RECORD": "".join(f"{path},,\n" for path in files),
    }
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}-{tag}.whl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as wheel:
        for inside, content in files.items():
            wheel.writestr(inside, content)
        for inside, content in about.items():
            wheel.writestr(f"{name}.dist-info/{inside}", content)
    return path


def only_from(monkeypatch, folder=None, index=None):
    """Let pip and uv find wheels in a folder, or at an index, and nowhere else."""
    for name in [name for name in os.environ if name.startswith(("PIP_", "UV_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("UV_NO_CONFIG", "1")
    # What was fetched before does not count.
    monkeypatch.setenv("PIP_NO_CACHE_DIR", "1")
    monkeypatch.setenv("UV_NO_CACHE", "1")
    if index is not None:
        monkeypatch.setenv("PIP_INDEX_URL", index)
        monkeypatch.setenv("UV_INDEX_URL", index)
        return
    for installer in ("PIP", "UV"):
        monkeypatch.setenv(f"{installer}_NO_INDEX", "1")
        monkeypatch.setenv(f"{installer}_FIND_LINKS", str(folder))
