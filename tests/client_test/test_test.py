"""The command, run as a user runs it."""

import asyncio
import json
import signal
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
AS_FILE = ("client_test/test.py",)
AS_MODULE = ("-m", "client_test.test")


async def start(*arguments: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        *arguments,
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


async def run(*arguments: str) -> tuple[int | None, str, str]:
    """Exit status, standard output and standard error of one run."""
    process = await start(*arguments)
    out, err = await asyncio.wait_for(process.communicate(), 60)
    return process.returncode, out.decode(), err.decode()


def port_of(url: str) -> str:
    return url.rpartition(":")[2]


@pytest.mark.parametrize("how", [AS_FILE, AS_MODULE])
async def test_tells_what_came_back(
    how: tuple[str, ...], http_only: str, clip: Path, tmp_path: Path
) -> None:
    record = tmp_path / "results.jsonl"
    status, out, err = await run(
        *how, "--port", port_of(http_only), "--video", str(clip), "--results-to", str(record)
    )
    assert (status, err) == (0, "")
    assert "final result" in out
    assert "p95" in out
    lines = [json.loads(line) for line in record.read_text().splitlines()]
    assert [line["final"] for line in lines] == [False] * (len(lines) - 1) + [True]
    assert lines[-1]["frames"] >= len(lines) - 1 > 20


async def test_the_older_clients_flags(http_only: str, clip: Path, tmp_path: Path) -> None:
    """That server sends nothing back, and so nothing is recorded."""
    where, movie = ("--port", port_of(http_only)), tmp_path / "received.mp4"
    status, out, err = await run(
        *(*AS_FILE, *where, "--role", "offer", "--use-http"),
        *("--play-from", str(clip), "--record-to", str(movie)),
    )
    assert (status, err) == (0, "")
    assert "final result" in out
    assert "no video back" in " ".join(out.split())
    assert not movie.exists()


async def test_json_is_all_that_is_printed(http_only: str, clip: Path) -> None:
    status, out, _ = await run(
        *AS_FILE, "--port", port_of(http_only), "--video", str(clip), "--json", "--use-http"
    )
    summary = json.loads(out)
    assert status == summary["exit_status"] == 0
    assert summary["door"] == f"{http_only}/offer"
    assert summary["frames_sent"] >= summary["results"] > 20
    assert summary["with_pose"] == summary["results"]
    assert 0 < summary["latency_ms"]["p50"] < 1000
    assert summary["final"]["final"] is True


async def test_no_pose_is_status_1(poseless: str, clip: Path) -> None:
    status, out, _ = await run(*AS_FILE, "--port", port_of(poseless), "--video", str(clip))
    assert status == 1
    assert "0 of" in out


async def test_interrupt_ends_the_session(http_only: str, clip: Path) -> None:
    process = await start(*AS_FILE, "--port", port_of(http_only), "--video", str(clip), "--loop")
    assert process.stdout is not None
    async with asyncio.timeout(60):
        while b"pose yes" not in await process.stdout.readline():
            pass
    process.send_signal(signal.SIGINT)
    out, err = await asyncio.wait_for(process.communicate(), 60)
    assert (process.returncode, err) == (0, b"")
    assert b"final result" in out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--video", "missing.mp4"), "test.py: missing.mp4: No such file or directory"),
        (("--video", "README.md"), "test.py: README.md: Invalid data"),
        (("--record-to", "/nowhere/x"), "test.py: /nowhere/x: No such file or directory"),
        (("--results-to", "/nowhere/x"), "test.py: /nowhere/x: No such file or directory"),
        (("--play-from", "missing.mp4"), "test.py: missing.mp4: No such file or directory"),
        (("--begin", "1e9"), "cannot play"),
        (("--begin", "-1"), "no number of seconds"),
        (("--duration", "soon"), "invalid"),
        ((), "Connection refused"),
    ],
)
async def test_what_cannot_work_is_one_line_and_status_2(
    arguments: tuple[str, ...], said: str, unused_tcp_port: int, clip: Path
) -> None:
    video = () if {"--video", "--play-from"} & set(arguments) else ("--video", str(clip))
    status, out, err = await run(*AS_FILE, "--port", str(unused_tcp_port), *video, *arguments)
    assert status == 2
    assert out == ""
    assert said in err
    assert "Traceback" not in err
