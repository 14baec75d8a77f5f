"""How the actors are called, and what Ray is to have been told of them."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import Any

from ray.exceptions import RayError

from server.cluster.node import tag_of
from server.config import BadSettings

# They have no common class.
RAYS_ERRORS = (RayError, RuntimeError, ValueError, OSError)

NAMESPACE = "kinecast"
REGISTRY = "registry"
_NODE = "node-"

# They outlive whoever started them, and are started again wherever there is room.
LASTING: dict[str, Any] = {"namespace": NAMESPACE, "lifetime": "detached", "max_restarts": -1}


def name_of(number: int) -> str:
    """A keeper's."""
    return _NODE + tag_of(number)


def number_of(name: str) -> int | None:
    """The node of a keeper; None for another actor."""
    return int(name.removeprefix(_NODE), 16) if name.startswith(_NODE) else None


def check_tokens(address: str, environ: Mapping[str, str]) -> None:
    """Refuse a Ray cluster that lets in everybody.

    Parameters
    ----------
    address
        Of a machine of it.
    environ
        What Ray was started with there.

    Raises
    ------
    BadSettings
        One sentence that says what to do.
    """
    if environ.get("RAY_AUTH_MODE") == "token" or ipaddress.ip_address(address).is_loopback:
        return
    raise BadSettings(
        f"whoever reaches Ray's ports at {address} can run programs there: set"
        " RAY_AUTH_MODE=token where ray start is called on each machine (ray get-auth-token"
        " --generate makes the token), and restart Ray"
    )
