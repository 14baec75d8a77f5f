"""What the command's flags about results ask of the peer."""

from pathlib import Path
from typing import Any

import pytest

from client_test import test as command
from client_test.errors import ClientError

PLAIN = {"results": None, "events": False, "ordered": True, "max_retransmits": None}
DROPPABLE = {"events": True, "ordered": False, "max_retransmits": 0}


@pytest.mark.parametrize(
    ("flags", "asked"),
    [
        ([], {}),
        (["--results", "cbor"], {"results": "cbor"}),
        (["--results", "json"], {"results": "json"}),
        (["--droppable"], DROPPABLE),
        (["--droppable", "--results", "cbor"], {"results": "cbor", **DROPPABLE}),
    ],
)
def test_flags(
    clip: Path, monkeypatch: pytest.MonkeyPatch, flags: list[str], asked: dict[str, Any]
) -> None:
    settings: dict[str, Any] = {}

    def make_peer(url: str, **given: Any) -> None:
        settings.update(given)
        raise ClientError("asked for")

    monkeypatch.setattr(command, "ClientPeer", make_peer)
    assert command.main(["--video", str(clip), *flags]) == command.USAGE_ERROR
    assert {key: settings[key] for key in PLAIN} == {**PLAIN, **asked}


def test_there_is_no_other_form() -> None:
    with pytest.raises(SystemExit) as refusal:
        command.parse_arguments(["--results", "xml"])
    assert refusal.value.code == command.USAGE_ERROR
