"""Results in both forms, for readers in other languages.

``python -m tests.support.compact_samples`` writes tests/web/compact.json, for the page's tests.
"""

import json
from pathlib import Path

import orjson

from analyzers.compact import LAYOUT, Form
from analyzers.landmark_names import LANDMARK_NAMES
from server.sessions.results import Result, Timing
from server.sessions.values import Values
from server.workers.mailbox import FrameInfo

FILE = Path(__file__).parent.parent / "web" / "compact.json"


def landmarks(offset=0.0):
    """33 of them, in steps that the compact form has."""
    return [
        {
            "index": index,
            "name": name,
            "x": round(offset + 0.0123 * index, 4),
            "y": round(-1.5 + 0.1 * index, 4),
            "z": round(0.0001 * (16 - index), 4),
            "visibility": 1.0,
        }
        for index, name in enumerate(LANDMARK_NAMES)
    ]


REPETITION = {"exercise": "squat", "start_ms": 300, "score": 91.5, "faults": ["too_fast"]}
VALUES = {
    "one person": {
        "has_pose": True,
        "track_id": 1,
        "landmarks": landmarks(),
        "world_landmarks": landmarks(-0.2),
        "exercise": "squat",
        "reps": 1,
        "held_s": 0.0,
        "score": 91.5,
        "repetition": REPETITION,
        "warnings": [],
    },
    "vitals": {
        "vitals": {
            "heart_rate_bpm": 71.5,
            "confidence": 0.93,
            "reason": None,
            "respiration_per_min": None,
            "signal": [0.12, -1.0, 0.5],
        }
    },
    "several": {"people": [{"id": n, "landmarks": landmarks(n)} for n in (1, 2)]},
    "nobody": {"has_pose": False, "track_id": None, "landmarks": []},
    "numbers": {
        "whole": [0, 1, 23, 24, 255, 256, 65535, 65536, 2**32 - 1, 2**32, 2**53, 2**63, 2**64 - 1],
        "below": [-1, -24, -25, -256, -257, -65537, -(2**32) - 1, -(2**53), -(2**63)],
        "floats": [1.0, -0.0, 0.1, -1e-9, 1.5, 1e20, 1.7976931348623157e308, 5e-324],
    },
    "text": {
        "plain": ["", "a", "x" * 23, "x" * 24, "x" * 300, '\0\n"', "Kniebeuge \u00fc \U0001f3cb"]
    },
    "keys": {"length": 1, "at": 2, "__proto__": {"0": 3, "": 4}, "x" * 40: {"score": {"score": 5}}},
    "long lists": {"list": [[None, True, False]] * 300, "map": {f"key {n}": n for n in range(300)}},
    "landmarks that do not fit": {"landmarks": landmarks(3.3)},
}


def samples():
    """Each as hex and as what JSON says, and the layout."""
    made = {}
    for name, values in VALUES.items():
        fragments = {key: orjson.dumps(value) for key, value in values.items()}
        frame = FrameInfo(7, 233.33, 1795239531243.9, 5.0, 640, 480)
        timing = Timing(1.25, {"pose": 12.9}, {"exercise": 6})
        result = Result(frame, Values(fragments), timing, 3, timestamp_ms=1795239531930)
        made[name] = {"cbor": result.encode(form=Form.CBOR).hex(), "json": result.text()}
    return {"layout": LAYOUT, "samples": made}


if __name__ == "__main__":
    FILE.write_text(json.dumps(samples(), indent=1) + "\n")
