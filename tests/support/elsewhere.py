"""No .env and no keys of ours: for rooms whose code looks for them."""

import pytest


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    """Run in an empty directory, and keep keys there."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    for name in ("HOST", "AUTH_SECRET", "AUTH_SECRET_FILE", "ALLOW_ORIGIN", "ENCRYPTION_KEY"):
        monkeypatch.delenv(name, raising=False)
