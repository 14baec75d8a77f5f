"""Where recordings go, for how long, and how many."""

from pathlib import Path

import pytest

from server.config import BadSettings, parse_settings
from server.security import private_file
from tests.support.in_process import refusal


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    """No .env of ours."""
    monkeypatch.chdir(tmp_path)
    for name in ("RECORDINGS", "RECORD_OUTPUT_DIR", "RECORD_TO"):
        monkeypatch.delenv(name, raising=False)


def test_the_defaults():
    settings = parse_settings([])
    own = private_file.data_directory() / "recordings"
    assert settings.recordings_directory() == own
    assert settings.recordings_directories() == (own,)
    assert settings.recordings_days == 30
    assert settings.recordings_quota == 10_000_000_000
    assert settings.max_recordings == 4


def test_beside_the_sessions_unless_told_otherwise():
    settings = parse_settings(["--record-to", "kept"])
    assert settings.recordings_directories() == (Path("kept"),)
    settings = parse_settings(["--record-to", "kept", "--recordings", "asked"])
    assert settings.recordings_directory() == Path("asked")
    assert settings.recordings_directories() == (Path("kept"), Path("asked"))


@pytest.mark.parametrize("name", ["RECORDINGS", "RECORD_OUTPUT_DIR"])
def test_by_the_environment(monkeypatch, name):
    monkeypatch.setenv(name, "somewhere")
    assert parse_settings([]).recordings_directory() == Path("somewhere")
    assert parse_settings(["--recordings", "here"]).recordings_directory() == Path("here")


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("0", 0),
        ("500MB", 500_000_000),
        ("1.5 GB", 1_500_000_000),
        ("2t", 2 * 10**12),
        ("1000000", 10**6),
    ],
)
def test_sizes(text, size):
    assert parse_settings(["--recordings-quota", text]).recordings_quota == size


@pytest.mark.parametrize("text", ["", "much", "-1", "10XB", "1kB", "999999", "1e9", "inf"])
def test_what_is_no_size(text):
    with pytest.raises(BadSettings, match="--recordings-quota"):
        parse_settings(["--recordings-quota", text])


@pytest.mark.parametrize(
    "flags", [("--recordings-days", "-1"), ("--recordings-days", "nan"), ("--max-recordings", "-1")]
)
def test_what_else_is_refused(flags):
    with pytest.raises(BadSettings, match=flags[0]):
        parse_settings(list(flags))


async def test_a_directory_that_can_not_be_used_is_told_at_the_start(tmp_path):
    (tmp_path / "file").touch()
    assert await refusal("--recordings", str(tmp_path / "file" / "below")) == (
        f"--recordings: cannot record to {tmp_path}/file/below: Not a directory"
    )
