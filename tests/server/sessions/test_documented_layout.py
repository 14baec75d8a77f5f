"""The example of docs/protocol.md is what is sent."""

import re

import orjson

from analyzers.compact import KEYS, LAYOUT, Form
from analyzers.landmark_names import LANDMARK_NAMES
from server.sessions.results import Result, Timing
from server.sessions.values import Values
from server.workers.mailbox import FrameInfo
from tests.support.server import ROOT

DOCUMENT = (ROOT / "docs" / "protocol.md").read_text()


def documented():
    """The bytes of the example: what stands left of two spaces and words."""
    (block,) = re.findall(r"^```\n(aa .*?)^```$", DOCUMENT, re.MULTILINE | re.DOTALL)
    columns = [re.split(r" {3,}", line.strip())[0] for line in block.splitlines()]
    return bytes.fromhex("".join(columns).replace("…", "00" * 8 * 32))


def test_the_example_is_what_is_sent():
    landmarks = [
        {"index": index, "name": name, "x": 0, "y": 0, "z": 0, "visibility": 0}
        for index, name in enumerate(LANDMARK_NAMES)
    ]
    landmarks[0].update(x=0.5191, y=0.3326, z=-0.2859, visibility=1.0)
    values = {"has_pose": True, "landmarks": landmarks, "reps": 2, "score": 91.5, "my_key": None}
    result = Result(
        FrameInfo(376, 12933.32, 1795239531243.9, 0.0, 640, 480),
        Values({key: orjson.dumps(value) for key, value in values.items()}),
        Timing(1.25, {"pose": 12.9}, {}),
        3,
        timestamp_ms=1795239531930,
    )
    assert documented() == result.encode(form=Form.CBOR)


def test_the_layout_is_as_it_is_told():
    assert f'"keys": ["{KEYS[0]}", "{KEYS[1]}", …]' in DOCUMENT
    scale = LAYOUT["landmarks"]["scale"]
    assert f'"columns": ["x", "y", "z", "visibility"], "scale": {scale}}}' in DOCUMENT
