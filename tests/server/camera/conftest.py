"""A camera that stands on a double of libcamera, in the process of the tests."""

import pytest

from tests.support import fake_pi


@pytest.fixture
def pi(tmp_path, monkeypatch):
    """The wires of the only camera of a Raspberry Pi."""
    monkeypatch.setenv(fake_pi.FOLDER, str(tmp_path))
    fake_pi.install()
    return fake_pi.Wires(tmp_path)
