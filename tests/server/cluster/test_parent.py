"""What the parent does about nodes that end, and about those that can not be started."""

import asyncio
import os

import pytest

from server.cluster import parent
from server.cluster.node import Node
from server.cluster.parent import Parent
from server.config import parse_settings
from server.security import development_certificate, private_file

WITHIN_S = 60.0


@pytest.fixture
def node(tmp_path):
    ends, held = os.pipe()
    yield Node(0, 1, str(tmp_path), (), (), ends)
    os.close(ends)
    os.close(held)


def write_script(path, text):
    """All at once: what is still written can not be run."""
    written = path.with_suffix(".new")
    written.write_text(f"#!/bin/sh\n{text}\n")
    written.chmod(0o700)
    written.rename(path)


async def until(condition):
    async with asyncio.timeout(WITHIN_S):
        while not condition():
            await asyncio.sleep(0.01)


async def test_a_node_that_can_not_be_started_is_tried_again(tmp_path, node, caplog):
    script, ran = tmp_path / "script", tmp_path / "ran"
    one = Parent(None, [str(script)])
    keeping = asyncio.create_task(one._keep(node))
    await until(lambda: "Node 00 can not be started" in caplog.text)
    write_script(script, f"touch {ran}; exec sleep 60")
    await until(ran.exists)
    one._stop()
    await asyncio.wait_for(keeping, WITHIN_S)


@pytest.mark.parametrize(("steady_s", "grows"), [(0.0, False), (1e9, True)])
async def test_pauses_grow_for_those_that_never_last(
    tmp_path, node, caplog, monkeypatch, steady_s, grows
):
    monkeypatch.setattr(parent, "FIRST_PAUSE_S", 0.01)
    monkeypatch.setattr(parent, "STEADY_S", steady_s)
    script = tmp_path / "script"
    write_script(script, "exit 1")
    one = Parent(None, [str(script)])
    keeping = asyncio.create_task(one._keep(node))
    await until(lambda: len(caplog.records) >= 4)
    one._stop()
    await asyncio.wait_for(keeping, WITHIN_S)
    pauses = [record.args[-1] for record in caplog.records[:4]]
    assert pauses == ([0.01, 0.02, 0.04, 0.08] if grows else [0.01] * 4)


async def test_nodes_have_one_key_for_embeddings_where_none_can_be_kept(
    tmp_path, node, monkeypatch
):
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "file"))
    monkeypatch.delenv("ENCRYPTION_KEY", raising=False)
    script, told = tmp_path / "script", tmp_path / "told"
    write_script(script, f"echo $ENCRYPTION_KEY >{told}; exit 1")
    one = Parent(parse_settings(["--nodes", "2"]), [str(script)])
    one._make_shared()
    keeping = asyncio.create_task(one._keep(node))
    await until(lambda: told.exists() and told.read_text().endswith("\n"))
    one._stop()
    await asyncio.wait_for(keeping, WITHIN_S)
    monkeypatch.setenv("ENCRYPTION_KEY", told.read_text().strip())
    assert len(parse_settings(["--nodes", "2"]).encryption_keys()) == 1


def test_the_certificate_is_there_before_the_nodes_are(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    Parent(parse_settings(["--nodes", "2", "--self-signed"]), [])._make_shared()
    assert (private_file.data_directory() / development_certificate.FILE_NAME).exists()
