"""The keys that seal embeddings: given, or made once and kept where nobody else reads them."""

import logging
import os
import stat
import threading

import pytest
from cryptography.fernet import Fernet

from server.config import BadSettings, parse_settings
from server.security import keys, private_file


def test_keys_that_are_given(monkeypatch):
    first, second = Fernet.generate_key().decode(), Fernet.generate_key().decode()
    monkeypatch.setenv("ENCRYPTION_KEY", f"{first}, {second}")
    assert parse_settings([]).encryption_keys() == (first, second)
    assert first not in repr(parse_settings([]))


@pytest.mark.parametrize("bad", ["short", "A" * 43, "!" * 44])
def test_what_is_no_key_is_told_without_showing_it(bad):
    with pytest.raises(BadSettings, match="key 2") as raised:
        parse_settings([f"--encryption-key={Fernet.generate_key().decode()},{bad}"])
    assert bad not in str(raised.value)


def test_a_key_is_made_once_and_only_its_user_may_read_it():
    (key,) = keys.kept()
    path = private_file.data_directory() / keys.FILE_NAME
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert keys.kept() == (key,)
    assert Fernet(key)


def test_servers_that_start_together_have_the_same_one():
    found, barrier = [], threading.Barrier(8)

    def start():
        barrier.wait(60)
        found.append(keys.kept())

    threads = [threading.Thread(target=start) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(found) == 8
    assert len(set(found)) == 1
    assert os.listdir(private_file.data_directory()) == [keys.FILE_NAME]


@pytest.mark.parametrize("fault", ["others may read it", "damaged", "no directory"])
def test_without_a_place_to_keep_one_it_lasts_as_long_as_the_server(fault, caplog):
    folder = private_file.data_directory()
    if fault == "no directory":
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.write_text("a file in its place")
    else:
        keys.kept()
        path = folder / keys.FILE_NAME
        if fault == "damaged":
            path.write_text("nonsense")
        else:
            path.chmod(0o644)
    with caplog.at_level(logging.WARNING):
        first, second = keys.kept(), keys.kept()
    assert first != second
    assert "after a restart" in caplog.text
    assert not any(key in caplog.text for key in (*first, *second))
