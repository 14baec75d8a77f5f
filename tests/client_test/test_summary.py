"""The summary's exit status and what it shows."""

import dataclasses
import io

import pytest
from rich.console import Console

from client_test.summary import Summary, elide, print_summary

GOOD = Summary(
    door="ws://127.0.0.1:8083/signaling",
    session_id="ab12",
    video="clip.mp4",
    seconds=2.0,
    frames_sent=60,
    frames_skipped=0,
    results=58,
    results_per_s=29.9,
    latency_ms={"p50": 20.0, "p95": 30.0, "p99": 40.0},
    server_ms=None,
    with_pose=57,
    dropped=2,
    final={"final": True, "landmarks": [{"x": n} for n in range(33)]},
    trouble=None,
)
PROBLEMS = ({"analyzer": "mine", "phase": "frame", "message": "[no] weights"},)


def test_what_failed_is_told() -> None:
    out = io.StringIO()
    summary = dataclasses.replace(GOOD, problems=PROBLEMS)
    print_summary(Console(file=out, width=100), summary, full=False)
    assert "mine failed in frame: [no] weights" in out.getvalue()


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({}, 0),
        ({"final": None}, 1),
        ({"with_pose": 0}, 1),
        ({"with_pose": 1}, 0),
        ({"with_pose": None}, 0),
        ({"with_pose": None, "final": None}, 1),
        ({"with_pose": None, "results": 0}, 0),
        ({"problems": PROBLEMS}, 3),
        ({"problems": PROBLEMS, "with_pose": 0}, 3),
        ({"problems": PROBLEMS, "final": None}, 1),
    ],
)
def test_exit_status(changes: dict, status: int) -> None:
    summary = dataclasses.replace(GOOD, **changes)
    assert summary.exit_status == status
    assert summary.as_json()["exit_status"] == status


def test_table_has_the_figures_and_a_short_final_result() -> None:
    out = io.StringIO()
    print_summary(Console(file=out, width=100), GOOD, full=False)
    text = out.getvalue()
    assert "p50 20.0 ms, p95 30.0 ms, p99 40.0 ms" in text
    assert "57 of 58 (98 %)" in text
    assert "… 32 more" in text


def test_trouble_is_told() -> None:
    out = io.StringIO()
    summary = dataclasses.replace(GOOD, final=None, trouble="no final result within 10 s")
    print_summary(Console(file=out, width=100), summary, full=False)
    assert "no final result within 10 s" in out.getvalue()


def test_elides_lists_at_every_depth() -> None:
    assert elide({"a": [[1, 2, 3], 2], "b": "text"}) == {
        "a": [[1, "… 2 more"], "… 1 more"],
        "b": "text",
    }
