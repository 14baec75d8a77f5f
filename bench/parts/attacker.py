"""The process of an attack: says that it is there, waits for a line, attacks, tells what it saw."""

import argparse
import asyncio
import json
import sys
from pathlib import Path

from bench.parts import (
    door_lines,
    frame_lines,
    page_lines,
    peer_lines,
    recording_lines,
    session_lines,
    video_lines,
)
from bench.parts.attack_lines import LINES, Attacker

# Each makes lines when it is imported.
ROOMS = (
    *(peer_lines, frame_lines, video_lines, door_lines, session_lines, page_lines),
    recording_lines,
)


def main() -> None:
    """Attack once."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--attack", choices=LINES, required=True)
    parser.add_argument("--url", required=True)
    parser.add_argument("--pid", type=int, required=True, help="the server's")
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--seconds", type=float, required=True)
    asked = parser.parse_args()
    print(json.dumps({"ready": asked.attack}), flush=True)
    sys.stdin.readline()
    attacker = Attacker(asked.url, asked.pid, asked.folder, asked.seconds)
    asyncio.run(LINES[asked.attack].attack(attacker))
    print(json.dumps({"seen": attacker.seen, "checks": attacker.checks}), flush=True)


if __name__ == "__main__":
    main()
