#!/usr/bin/env python3
"""Runs the tests, group by group, and says how long each took.

    tools/tests.py [--all | GROUP ...] [--coverage]

A test of real peers, browsers and killed processes can miss its deadline on a machine that does
something else meanwhile. So what fails is run once more, by itself, and is named at the end:
more than two such tests are a failure, and each is a fault to be found. docs/testing.md lists those
that are known, with their causes.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[1]
LAST_FAILED = ROOT / ".pytest_cache/v/cache/lastfailed"
MAX_PASSED_AGAIN = 2
# A file's tests share servers, so they stay together; files go to whoever is idle, in their order.
IN_ORDER = ("--dist", "loadfile", "--no-loadscope-reorder")


@dataclass(frozen=True)
class Group:
    """Tests that are run together.

    Attributes
    ----------
    paths
        Files and folders.
    without
        What is in them, and in another group.
    first
        What takes longest, and begins first, so that no core waits for it in the end.
    at_once
        How many files: most tests wait for other processes more than they compute.
    is_usual
        Whether every change needs them; the others are for before a merge.
    """

    paths: tuple[str, ...]
    without: tuple[str, ...] = ()
    first: tuple[str, ...] = ()
    at_once: int = 2
    is_usual: bool = True

    def files(self) -> list[str]:
        """Its files, in the order in which they begin: pytest puts files of one folder together."""
        named = [*self.first, *self.paths]
        found = [file for path in named for file in _files_in(ROOT / path)]
        without = [ROOT / path for path in self.without]
        return [
            str(file.relative_to(ROOT))
            for file in dict.fromkeys(found)
            if not any(file.is_relative_to(path) for path in without)
        ]


def _files_in(path: Path) -> list[Path]:
    return sorted(path.rglob("test_*.py")) if path.is_dir() else [path]


GROUPS = {
    "analyzers": Group(("tests/analyzers",)),
    "server": Group(
        ("tests/server", "tests/signaling"),
        first=(
            # Beside those that start nodes, some that mostly wait.
            "tests/server/cluster/test_drain.py",
            "tests/server/watchdog/test_supervisor.py",
            "tests/server/publisher/test_publisher.py",
            "tests/server/cluster/test_watching_elsewhere.py",
            "tests/server/person_search/test_lookouts.py",
            "tests/server/cluster/test_nodes.py",
            "tests/server/cli/test_find.py",
            "tests/server/person_search",
            "tests/server/sessions",
            "tests/server/broadcast",
        ),
        # These wait for processes that begin and end: two at once leave a third of two cores idle.
        at_once=3,
    ),
    "clients": Group(
        ("tests/client_test", "tests"),
        without=(
            "tests/analyzers",
            "tests/server",
            "tests/signaling",
            "tests/browser",
            "tests/interop",
            "tests/fuzz",
        ),
    ),
    # While somebody trains, a browser, a server and what it analyzes with keep two cores busy.
    "browser": Group(("tests/browser",), at_once=1, is_usual=False),
    "interop": Group(("tests/interop",), is_usual=False),
    # The bystander whose rate it measures wants a core.
    "fuzz": Group(("tests/fuzz",), at_once=1, is_usual=False),
}


@dataclass
class Outcome:
    """How a group ended."""

    seconds: float
    passed_again: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)


def main() -> int:
    """Run what was asked for; returns the exit status."""
    parser = argparse.ArgumentParser(
        description=__doc__.split("\n\n", 1)[0],
        epilog="groups: " + ", ".join(GROUPS),
    )
    parser.add_argument("groups", nargs="*", choices=[*GROUPS, []], metavar="GROUP")
    parser.add_argument("--all", action="store_true", help="every group")
    parser.add_argument("--coverage", action="store_true", help="measure which code is run")
    asked = parser.parse_args()
    usual = [name for name, group in GROUPS.items() if group.is_usual or asked.all]
    options = ("--hypothesis-profile=others",) if asked.all else ()
    outcomes = {name: run(name, asked.coverage, options) for name in asked.groups or usual}
    return tell(outcomes)


def run(name: str, coverage: bool, options: tuple[str, ...] = ()) -> Outcome:
    """Run a group, and what failed in it once more."""
    group = GROUPS[name]
    print(f"\n== {name}", flush=True)
    began_s = time.monotonic()
    LAST_FAILED.unlink(missing_ok=True)
    status = pytest(coverage, "-n", str(group.at_once), *IN_ORDER, *options, *group.files())
    failed = last_failed()
    passed_again: list[str] = []
    if failed and status == 1:
        print(f"\n== {name}: what failed, once more by itself", flush=True)
        status = pytest(coverage, "--last-failed", *options, *failed)
        still = last_failed()
        passed_again, failed = sorted(set(failed) - set(still)), still
    if status and not failed:
        failed = [f"the group {name} itself: pytest ended with {status}"]
    return Outcome(time.monotonic() - began_s, passed_again, failed)


def pytest(coverage: bool, *arguments: str) -> int:
    """Run pytest here; returns its exit status."""
    measured = ["-m", "coverage", "run", "--parallel-mode"] if coverage else []
    slowest = ["--durations=15", "--durations-min=5"]
    command = [sys.executable, *measured, "-m", "pytest", "-q", *slowest, *arguments]
    # Compiled once, not in each of some hundred processes, whatever is set here.
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    return subprocess.run(command, cwd=ROOT, env=environment).returncode


def last_failed() -> list[str]:
    """The tests that failed when pytest ran last."""
    return sorted(json.loads(LAST_FAILED.read_text())) if LAST_FAILED.exists() else []


def tell(outcomes: dict[str, Outcome]) -> int:
    """Say how it went; returns the exit status."""
    print("\n== how long it took")
    for name, outcome in outcomes.items():
        print(f"{name:10} {outcome.seconds / 60:5.1f} min")
    print(f"{'together':10} {sum(o.seconds for o in outcomes.values()) / 60:5.1f} min")
    again = [test for outcome in outcomes.values() for test in outcome.passed_again]
    failed = [test for outcome in outcomes.values() for test in outcome.failed]
    if again:
        print(f"\n== failed first, and passed when run by itself: {len(again)}")
        print(*again, sep="\n")
    if len(again) > MAX_PASSED_AGAIN:
        print(f"More than {MAX_PASSED_AGAIN} such tests are a failure.")
    if failed:
        print(f"\n== failed: {len(failed)}")
        print(*failed, sep="\n")
    return int(bool(failed) or len(again) > MAX_PASSED_AGAIN)


if __name__ == "__main__":
    raise SystemExit(main())
