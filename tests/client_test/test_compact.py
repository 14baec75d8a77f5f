"""Results that come as CBOR, as the client reads them: the bytes are a server's."""

import json
from pathlib import Path
from typing import Any

import pytest

from client_test.compact import CompactReader
from client_test.peer import ClientPeer

# Made by tests/support/compact_samples.py; the page's tests read it, too.
FILE = Path(__file__).parent.parent / "web" / "compact.json"
LAYOUT, SAMPLES = json.loads(FILE.read_bytes()).values()
ONE_PERSON = bytes.fromhex(SAMPLES["one person"]["cbor"])


@pytest.fixture
def reader() -> CompactReader:
    return CompactReader(LAYOUT)


@pytest.mark.parametrize("name", list(SAMPLES))
def test_what_comes_is_what_json_would_have_given(reader: CompactReader, name: str) -> None:
    sample = SAMPLES[name]
    expected: Any = json.loads(sample["json"])
    said = reader.read(bytes.fromhex(sample["cbor"]))
    assert said == expected
    assert list(said) == list(expected)


def test_one_that_is_cut_off_is_refused(reader: CompactReader) -> None:
    for length in range(len(ONE_PERSON)):
        with pytest.raises(ValueError, match="no result"):
            reader.read(ONE_PERSON[:length])


@pytest.mark.parametrize(
    "damaged",
    [
        *("00", "f6", "ff", "1f", "80", "a0", "bbffffffffffffffff", "d82880", "c000", "1c00"),
        *("a118ff01", "a120f5", "a18001", "d84d4161", "d828828218210400", "d82882820104d84d41"),
        "81" * 5000,
    ],
)
def test_one_that_is_damaged_is_refused(reader: CompactReader, damaged: str) -> None:
    with pytest.raises(ValueError, match="no result"):
        reader.read(bytes.fromhex(damaged))


def test_a_peer_passes_over_what_it_can_not_read() -> None:
    heard: list[Any] = []
    peer = ClientPeer(on_result=heard.append)
    peer._read(ONE_PERSON)
    assert heard == [], "there is no layout yet"
    peer._read(json.dumps({"type": "layout", **LAYOUT}))
    for damaged in (b"", b"\xff", ONE_PERSON[:-1]):
        peer._read(damaged)
    assert heard == []
    peer._read(ONE_PERSON)
    assert heard == [json.loads(SAMPLES["one person"]["json"])]
