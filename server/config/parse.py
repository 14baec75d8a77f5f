"""How settings are read that are more than a word or a number."""

from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import Iterable
from typing import Any

from analyzers.registry import find
from signaling.ice import parse_ice_servers

_UNITS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12}
_LEAST_SIZE = 10**6
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def words(value: Any) -> list[str]:
    """The parts of a list given with commas, by repeating, or both."""
    given: Iterable[str] = [value] if isinstance(value, str) else value
    return [part.strip() for text in given for part in text.split(",") if part.strip()]


def analyzer_names(value: Any) -> Any:
    """Analyzers by name or as package.module:Class, with commas between."""
    names = value.split(",") if isinstance(value, str) else value
    return find([name.strip() for name in names])


def directory(value: Any) -> Any:
    """A directory; an empty text is none, and not the working directory."""
    return None if isinstance(value, str) and not value.strip() else value


def addresses(value: Any) -> Any:
    """IP addresses."""
    for address in words(value):
        try:
            ipaddress.ip_address(address)
        except ValueError:
            raise ValueError(f"{address!r} is not an IP address of this machine") from None
    return tuple(words(value))


def ports(value: Any) -> Any:
    """A range of ports, FIRST-LAST."""
    if value is None or isinstance(value, range):
        return value
    match = re.fullmatch(r"(\d+)-(\d+)", str(value).strip())
    if not match or not 1024 <= int(match[1]) <= int(match[2]) <= 65535:
        raise ValueError(f"{value!r} is not FIRST-LAST with both within 1024 to 65535")
    return range(int(match[1]), int(match[2]) + 1)


def nodes(value: Any) -> Any:
    """A number of media processes; auto is one for four cores."""
    return max(cores() // 4, 1) if value == "auto" else value


def ice_servers(value: Any) -> Any:
    """STUN and TURN servers."""
    return parse_ice_servers(value) if isinstance(value, str) else value


def seconds(value: Any) -> Any:
    """A time: seconds, or a number with s, m, h or d behind it."""
    if not isinstance(value, str):
        return value
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([smhd]?)", value.strip())
    if not match:
        raise ValueError(f"{value!r} is no time: give seconds, or 10m, 12h, 30d")
    return float(match[1]) * _SECONDS[match[2] or "s"]


def size(value: Any) -> Any:
    """Bytes: a number with k, M, G or T behind it."""
    if not isinstance(value, str):
        return value
    match = re.fullmatch(r"(\d{1,15}(?:\.\d{1,3})?)\s*([kmgt]?)b?", value.strip().lower())
    in_bytes = int(float(match[1]) * _UNITS[match[2]]) if match else -1
    if in_bytes and in_bytes < _LEAST_SIZE:
        raise ValueError(f"{value!r} is no size: give 500MB or 10GB, 1MB at least, or 0")
    return in_bytes


def cores() -> int:
    """How many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
