"""Runs one attack on a server with a bystander, and tells what it cost: a row of the table.

What is looked at: how late the server's event loop was, how much its processes grew, how many
results the bystander still got, and how long the server took to stop.
"""

import asyncio
import contextlib
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil

from bench.harness import stream
from bench.harness.processes import MEGABYTE, ServerKind, in_background, running, started
from bench.harness.report import Check, Report, Table, at_least, at_most
from bench.parts import watched_server
from bench.parts.attack_lines import SECRET, Line, token
from bench.parts.attacked_analyzers import BARCODE

COLUMNS = (
    *("attack", "stall before ms:.0f", "stall ms:.0f", "working ms:.0f", "server MB:+.0f"),
    *(
        "worker MB:+.0f",
        "results kept %:.0f",
        "kept after %:.0f",
        "stopped in s:.1f",
        "what came of it",
    ),
)
MOST_STALL_MS, MOST_GROWTH_MB, LEAST_KEPT_PERCENT = 100.0, 100.0, 90.0
BEFORE_S, AFTER_S, WARM_UP_S = 6.0, 4.0, 2.0
ENDS_WITHIN_S = 90.0
SAMPLE_EVERY_S = 0.05
# The attack's own process needs the first moments to begin.
EDGE_S = 0.3


class Memory:
    """Peaks of resident memory by process: before an attack, and from then on."""

    def __init__(self, root: psutil.Process) -> None:
        self._root = root
        self._before: dict[int, float] = {}
        self._after: dict[int, float] = defaultdict(float)
        self._attacked = False

    def begin(self) -> None:
        """The attack begins."""
        self._before, self._attacked = self._now(), True

    async def watch(self) -> None:
        """Sample until cancelled."""
        while True:
            if self._attacked:
                for pid, megabytes in self._now().items():
                    self._after[pid] = max(self._after[pid], megabytes)
            await asyncio.sleep(SAMPLE_EVERY_S)

    @property
    def of_server(self) -> float:
        """By how many MB the media process grew."""
        return self._after[self._root.pid] - self._before[self._root.pid]

    @property
    def of_worker(self) -> float:
        """By how many MB the worker grew that grew most; a new one is compared with the old."""
        before = {pid: mb for pid, mb in self._before.items() if pid != self._root.pid}
        usual = max(before.values(), default=0.0)
        grown = [
            megabytes - before.get(pid, usual)
            for pid, megabytes in self._after.items()
            if pid != self._root.pid
        ]
        return max(grown, default=0.0)

    def _now(self) -> dict[int, float]:
        found = {}
        for process in (self._root, *self._root.children(recursive=True)):
            with contextlib.suppress(psutil.Error):
                found[process.pid] = process.memory_info().rss / MEGABYTE
        return found


@dataclass(slots=True)
class Outcome:
    """What an attack cost."""

    stall_before_ms: float
    stall: watched_server.Lateness
    server_mb: float
    worker_mb: float
    kept_percent: float
    kept_after_percent: float
    stopped_in_s: float
    seen: dict[str, int]
    checks: dict[str, bool]


async def measure(line: Line, seconds: float) -> Outcome:
    """Run one attack."""
    whole_s = BEFORE_S + seconds + ENDS_WITHIN_S
    with TemporaryDirectory() as folder:
        noted = Path(folder) / "late"
        async with running(_server_of(line, noted, folder)) as server:
            memory = Memory(server.tree.root)
            load = ("--url", server.url, "--seconds", whole_s, "--warm-up", WARM_UP_S)
            who = ("--token", token("bystander")) if line.asks_for_tokens else ()
            only = ("--analyzers", "barcode")
            attacker = ("--attack", line.name, "--url", server.url, "--seconds", seconds)
            where = ("--pid", server.tree.root.pid, "--folder", folder)
            async with (
                started("bench.parts.attacker", *attacker, *where) as attacking,
                started(stream.__name__, *load, *who, *only) as streaming,
                in_background(memory.watch()),
            ):
                await attacking.line(ENDS_WITHIN_S)
                await streaming.line(stream.OVERHEAD_S)
                streaming.go_on()
                window_s = time.monotonic()
                await asyncio.sleep(BEFORE_S)
                memory.begin()
                attacking.go_on()
                began_s = time.monotonic()
                told = await attacking.line(seconds + ENDS_WITHIN_S)
                ended_s = time.monotonic()
                await asyncio.sleep(AFTER_S)
                streaming.go_on()
                (results,) = (await streaming.line(ENDS_WITHIN_S))["streams"]
            stopping_s = time.monotonic()
            await _stop(server.tree.root)
            stopped_in_s = time.monotonic() - stopping_s
        late = noted.read_text()
    at_s = [window_s + second for second, _ in results["results"]]
    usual = _rate(at_s, window_s, began_s)
    after = line.judged == "after"
    then = (ended_s, ended_s + AFTER_S) if after else (began_s + EDGE_S, ended_s)
    return Outcome(
        stall_before_ms=watched_server.read(late, window_s, began_s).late_ms,
        stall=watched_server.read(late, *then),
        server_mb=memory.of_server,
        worker_mb=memory.of_worker,
        kept_percent=100 * _rate(at_s, *then) / usual if usual else 0.0,
        kept_after_percent=100 * _rate(at_s, ended_s, ended_s + AFTER_S) / usual if usual else 0.0,
        stopped_in_s=stopped_in_s,
        **told,
    )


async def _stop(process: psutil.Process) -> None:
    """Ask it to stop, and wait; its exit status is left to whoever started it."""
    process.terminate()
    await asyncio.to_thread(_wait_until_ended, process)


def _wait_until_ended(process: psutil.Process) -> None:
    until_s = time.monotonic() + ENDS_WITHIN_S
    while not _has_ended(process):
        if time.monotonic() > until_s:
            raise TimeoutError("the server does not stop")
        time.sleep(SAMPLE_EVERY_S)


def _has_ended(process: psutil.Process) -> bool:
    try:
        return process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def _rate(at_s: list[float], from_s: float, to_s: float) -> float:
    return sum(from_s <= each < to_s for each in at_s) / (to_s - from_s)


def _server_of(line: Line, noted: Path, folder: str) -> ServerKind:
    analyzers = ",".join((BARCODE, *line.analyzers))
    flags = [flag.replace("FOLDER", folder) for flag in line.flags]
    if line.asks_for_tokens:
        flags += ["--auth-secret", SECRET]
    arguments = (watched_server.__name__, str(noted), "--analyzers", analyzers, "--workers", "1")
    # The process that is looked at is the media process.
    flags.append("--no-watchdog")
    return ServerKind(line.name, (*arguments, *flags))


def add_row(table: Table, line: Line, outcome: Outcome) -> None:
    """What an attack cost, as a row."""
    seen = [f"{what}: {count}" for what, count in outcome.seen.items()]
    checks = [f"{what}: {'yes' if so else 'NO'}" for what, so in outcome.checks.items()]
    table.add(
        line.name,
        outcome.stall_before_ms,
        outcome.stall.late_ms,
        outcome.stall.own_ms,
        outcome.server_mb,
        outcome.worker_mb,
        outcome.kept_percent,
        outcome.kept_after_percent,
        outcome.stopped_in_s,
        ", ".join(checks + seen),
    )


def checks_of(line: Line, outcome: Outcome) -> Iterator[Check]:
    """The targets of an attack."""
    yield at_most(f"{line.name}: longest stall, ms", outcome.stall.late_ms, MOST_STALL_MS)
    grown = max(outcome.server_mb, outcome.worker_mb)
    yield at_most(f"{line.name}: growth of a process, MB", grown, MOST_GROWTH_MB)
    kept = outcome.kept_percent
    yield at_least(f"{line.name}: bystander's results kept, %", kept, LEAST_KEPT_PERCENT)
    for what, so in outcome.checks.items():
        yield Check(f"{line.name}: {what}", "yes", "yes" if so else "no", so)


async def measure_again(line: Line, seconds: float, runs: int, report: Report) -> Outcome:
    """The run that missed the fewest targets, of up to so many; the first that missed none ends it.

    What an attack does it does each time; what other programs of the machine do, they do not.
    """
    outcomes: list[Outcome] = []
    for number in range(1, runs + 1):
        try:
            outcomes.append(await measure(line, seconds))
        except (RuntimeError, TimeoutError, psutil.Error) as error:
            if number == runs and not outcomes:
                raise
            report.say(f"  run {number} could not be measured: {error or 'it took too long'}")
            continue
        missed = [check for check in checks_of(line, outcomes[-1]) if not check.reached]
        if not missed:
            break
        report.say(f"  run {number}: " + "; ".join(f"{c.what} {c.measured}" for c in missed))

    def misses(outcome: Outcome) -> tuple[int, float]:
        reached = [check.reached for check in checks_of(line, outcome)]
        return reached.count(False), outcome.stall.late_ms

    return min(outcomes, key=misses)


async def bench(lines: list[Line], seconds: float, runs: int, report: Report) -> None:
    """Each attack, a row."""
    table = report.table("A peer that is let in, and others", *COLUMNS)
    report.settings.append(f"{seconds:g} s of each attack of a peer, the best of up to {runs} runs")
    for line in lines:
        report.say(f"{line.name}: {line.what}")
        try:
            outcome = await measure_again(line, seconds, runs, report)
        except (RuntimeError, TimeoutError, psutil.Error) as error:
            report.say(f"  could not be measured: {error or 'it took too long'}")
            report.failed = True
            continue
        add_row(table, line, outcome)
        report.check(checks_of(line, outcome))
