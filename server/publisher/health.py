"""How the machine under a camera does: its temperature, and whether it is slowed down."""

from __future__ import annotations

import asyncio
import shutil
import time
from pathlib import Path

_ZONES = "class/thermal"
# Raspberry Pi's firmware driver; the number of the bus stands in the name on a Pi 5.
_FIRMWARE = "devices/platform/soc*/soc*:firmware/get_throttled"
_VCGENCMD_WITHIN_S = 2.0
# https://www.raspberrypi.com/documentation/computers/os.html#get_throttled
_BITS = {
    0: "under-voltage",
    1: "frequency capped",
    2: "throttled",
    3: "soft temperature limit",
}
_HAS_BEEN = 16
"""The same four, since the machine was started."""


def decode_throttled(bits: int) -> list[str]:
    """What ``vcgencmd get_throttled`` says, in words; empty when all is well."""
    now = [word for bit, word in _BITS.items() if bits >> bit & 1]
    earlier = [
        f"{word} earlier"
        for bit, word in _BITS.items()
        if bits >> (bit + _HAS_BEEN) & 1 and word not in now
    ]
    return now + earlier


def temperature_c(sys: Path = Path("/sys")) -> float | None:
    """The processor's temperature, or else the hottest that there is; None without a sensor."""
    found: list[tuple[bool, float]] = []
    for zone in sorted((sys / _ZONES).glob("thermal_zone*")):
        try:
            kind = (zone / "type").read_text().strip()
            found.append((kind == "cpu-thermal", int((zone / "temp").read_text()) / 1000))
        except (OSError, ValueError):
            # A sensor that can not be read now says so with an error.
            continue
    return round(max(found)[1], 1) if found else None


async def throttled(sys: Path = Path("/sys")) -> list[str] | None:
    """Whether and why the machine is slowed down; None where nothing tells, as on no Pi."""
    said = await _vcgencmd()
    if said is None:
        said = await asyncio.to_thread(_firmware_file, sys)
    try:
        return None if said is None else decode_throttled(int(said, 16))
    except ValueError:
        return None


async def _vcgencmd() -> str | None:
    """What it prints behind ``throttled=``. It asks the firmware; the file is as old as the last
    time that the kernel did."""
    program = shutil.which("vcgencmd")
    if program is None:
        return None
    try:
        process = await asyncio.create_subprocess_exec(
            program,
            "get_throttled",
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
    except OSError:
        return None
    try:
        printed, _ = await asyncio.wait_for(process.communicate(), _VCGENCMD_WITHIN_S)
    except TimeoutError:
        process.kill()
        await process.wait()
        return None
    name, _, value = printed.decode(errors="replace").strip().partition("=")
    return value if name == "throttled" else None


def _firmware_file(sys: Path) -> str | None:
    for path in sys.glob(_FIRMWARE):
        try:
            return path.read_text().strip()
        except OSError:
            continue
    return None


def uptime_s() -> float:
    """Seconds since the machine was started, those in which it slept too."""
    return round(time.clock_gettime(time.CLOCK_BOOTTIME), 1)
