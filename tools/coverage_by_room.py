#!/usr/bin/env python3
"""Puts the coverage of all processes together, and prints it by room, as a table of Markdown."""

from __future__ import annotations

import json
import tempfile
from collections import defaultdict
from pathlib import Path, PurePosixPath

from coverage import Coverage

ROOT = Path(__file__).parents[1]
PACKAGES = ("server", "analyzers", "signaling")
LEAST_PERCENT = 90.0


def main() -> int:
    """Print the tables; the exit status is 1 if a package is below what is asked."""
    measured = Coverage(config_file=str(ROOT / "pyproject.toml"))
    measured.combine([str(ROOT)])
    measured.save()
    with tempfile.NamedTemporaryFile(suffix=".json") as file:
        measured.json_report(outfile=file.name)
        files = json.loads(Path(file.name).read_text())["files"]
    counts: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for name, figures in files.items():
        summary = figures["summary"]
        of = summary["num_statements"] + summary["num_branches"]
        covered = summary["covered_lines"] + summary["covered_branches"]
        parts = PurePosixPath(name).parts
        for room in {parts[0], "/".join(parts[:2]) if len(parts) > 2 else parts[0]}:
            counts[room][0] += covered
            counts[room][1] += of
    print("| room | lines and branches | run |\n|---|---|---|")
    for room, (covered, of) in sorted(counts.items()):
        name = f"**{room}**" if room in PACKAGES else room
        print(f"| {name} | {of} | {100 * covered / of:.1f} % |" if of else f"| {name} | 0 | |")
    low = [p for p in PACKAGES if 100 * counts[p][0] < LEAST_PERCENT * counts[p][1]]
    if low:
        print(f"\nBelow {LEAST_PERCENT:g} %: {', '.join(low)}")
    return int(bool(low))


if __name__ == "__main__":
    raise SystemExit(main())
