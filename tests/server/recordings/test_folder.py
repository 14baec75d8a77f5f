"""The directory: private, and only what was recorded is a recording."""

import os
import stat
import subprocess
import sys

import pytest

from server.recordings.folder import Folder, NameTaken
from server.recordings.movie import Movie
from server.recordings.movie_file import is_being_written
from server.recordings.status import RecordingNote, State
from tests.server.recordings.pictures import encode
from tests.support.server import ROOT


@pytest.fixture
def folder(tmp_path):
    return Folder(tmp_path / "made" / "here")


def begun(name, started_at=1000):
    return RecordingNote(
        name=name,
        source="camera",
        state=State.RECORDING,
        started_at=started_at,
        seconds=0,
        bytes=0,
        frames=0,
        error=None,
    )


def record(folder, name, started_at=1000):
    """A recording of ten frames that is not finished yet."""
    packets = encode([500 + index / 20 for index in range(10)])
    file = folder.create(begun(name, started_at))
    movie = Movie(file, packets[0], 500)
    for packet in packets:
        movie.write(packet, 500)
    return file, movie


def finish(folder, name, started_at=1000, **known):
    file, movie = record(folder, name, started_at)
    movie.close()
    ended = begun(name, started_at).model_copy(
        update={"state": State.FINISHED, "bytes": file.bytes_written, **known}
    )
    folder.note(ended)
    return ended


def test_only_their_owner_may_read_them(folder):
    finish(folder, "a")
    modes = {
        path: stat.S_IMODE(path.stat().st_mode) for path in [folder.path, *folder.path.iterdir()]
    }
    assert modes.pop(folder.path) == 0o700
    assert set(modes.values()) == {0o600}
    assert len(modes) == 2


def test_they_are_found_again_oldest_first(folder):
    assert Folder(folder.path).all() == []
    ended = [finish(folder, name, at) for name, at in (("b", 2000), ("c", 3000), ("a", 1000))]
    assert Folder(folder.path).all() == sorted(ended, key=lambda status: status.started_at)
    assert Folder(folder.path).find("b") == ended[0]
    assert folder.find("nobody") is None


def test_nothing_is_written_over(folder):
    ended = finish(folder, "a")
    data = folder.movie("a").read_bytes()
    with pytest.raises(NameTaken):
        folder.create(begun("a"))
    folder.movie("foreign").write_bytes(b"of somebody else's")
    with pytest.raises(NameTaken):
        folder.create(begun("foreign"))
    assert folder.movie("a").read_bytes() == data
    assert folder.all() == [ended]


def test_a_directory_that_everybody_may_change_is_refused(folder):
    folder.prepare()
    folder.path.chmod(0o777)
    with pytest.raises(PermissionError, match="chmod o-w"):
        folder.create(begun("a"))
    # As /tmp is: nobody removes or replaces another's files there.
    folder.path.chmod(0o1777)
    finish(folder, "a")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_only_ones_own_files_are_opened(folder, tmp_path):
    finish(folder, "a")
    os.close(folder.open_movie("a"))
    os.chown(folder.movie("a"), 12345, 12345)
    with pytest.raises(PermissionError, match="belongs to another user"):
        folder.open_movie("a")
    folder.movie("a").unlink()
    # Nobody waits for who would write into it.
    os.mkfifo(folder.movie("a"))
    with pytest.raises(PermissionError, match="no regular file"):
        folder.open_movie("a")


def test_a_link_is_nothing_that_is_written_to_or_read(folder, tmp_path):
    outside = tmp_path / "outside.mp4"
    folder.prepare()
    folder.movie("dangling").symlink_to(outside)
    with pytest.raises(NameTaken):
        folder.create(begun("dangling"))
    assert not outside.exists()
    outside.write_bytes(b"secret")
    finish(folder, "a")
    folder.movie("a").unlink()
    folder.movie("a").symlink_to(outside)
    assert folder.find("a") is None
    # Nor is what is known of one that leads elsewhere.
    finish(folder, "b")
    note = folder.path / ".b.json"
    note.rename(tmp_path / "note")
    note.symlink_to(tmp_path / "note")
    assert folder.all() == []
    with pytest.raises(OSError, match="symbolic link"):
        folder.note(begun("b"))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        "[]",
        '{"name": "a"}',
        begun("b").model_dump_json(),
        begun("../a").model_dump_json(),
        begun("a").model_dump_json().replace('"frames"', '"more":1,"frames"'),
    ],
)
def test_files_of_others_are_no_recordings(folder, text):
    folder.prepare()
    folder.movie("a").write_bytes(b"of somebody else's")
    (folder.path / ".a.json").write_text(text)
    (folder.path / "notes.json").write_text(begun("notes").model_dump_json())
    (folder.path / ".c.json").mkdir()
    assert folder.all() == []
    assert folder.find("a") is None


def test_one_that_runs_is_left_alone_and_one_whose_server_is_gone_is_given_up(folder):
    file, movie = record(folder, "a")
    assert is_being_written(folder.movie("a"))
    running = folder.find("a")
    assert running.state is State.RECORDING
    assert running.bytes == file.bytes_written > 0
    movie.close()
    given_up = folder.find("a")
    assert given_up.state is State.FAILED
    assert (given_up.frames, given_up.seconds) == (10, pytest.approx(0.45))
    assert "the server ended" in given_up.error
    assert Folder(folder.path).all() == [given_up]


def test_another_process_sees_that_it_runs(folder):
    _, movie = record(folder, "a")
    program = (
        "import sys; from pathlib import Path; from server.recordings.folder import Folder;"
        "print(Folder(Path(sys.argv[1])).find('a').state)"
    )
    command = [sys.executable, "-c", program, str(folder.path)]
    seen = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=True)
    assert seen.stdout.strip() == "recording"
    movie.close()


def test_what_is_known_grows_no_file(folder):
    """Or it could not be kept when the disk is full."""
    finish(folder, "a")
    note = folder.path / ".a.json"
    before = note.stat()
    folder.note(begun("a").model_copy(update={"state": State.FAILED, "error": "é" * 5000}))
    assert (note.stat().st_size, note.stat().st_ino) == (before.st_size, before.st_ino)
    assert folder.find("a").error.startswith("éé")


def test_removed_is_gone(folder):
    finish(folder, "a")
    finish(folder, "b")
    folder.remove("a")
    assert [status.name for status in folder.all()] == ["b"]
    assert {path.name for path in folder.path.iterdir()} == {"b.mp4", ".b.json"}


def test_what_somebody_deletes_by_hand_is_forgotten(folder):
    finish(folder, "a")
    folder.movie("a").unlink()
    assert folder.all() == []
    assert list(folder.path.iterdir()) == []
