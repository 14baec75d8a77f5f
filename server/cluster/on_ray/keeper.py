"""The actor of one node: has it as its child, and tells it where the registry is."""

from __future__ import annotations

import logging
import os
import signal
import threading
from contextlib import suppress
from importlib.metadata import version
from typing import Any

import ray
import ray.util

from server.cluster.kept_node import KeptNode, warnings_of_machine
from server.cluster.node import tag_of
from server.cluster.on_ray.names import NAMESPACE, RAYS_ERRORS, REGISTRY, check_tokens
from server.config import BadSettings, parse_settings

logger = logging.getLogger(__name__)

# A registry that was started again elsewhere is found as soon.
LOOK_EVERY_S = 0.5
ANSWER_WITHIN_S = 3.0
# A node whose keeper was killed: its sessions get their final results.
ENDS_WITHIN_S = 25.0


class Keeper:
    """Keeps one node.

    What is wrong is told by `status`: an exception here would only say that the actor is dead.

    Parameters
    ----------
    number
        Which one.
    flags
        The server's; what is secret stands in the environment of this machine.
    """

    def __init__(self, number: int, flags: list[str]) -> None:
        logging.basicConfig(level=logging.INFO)
        self._number = number
        self._address = ray.util.get_node_ip_address()
        self._stopped = threading.Event()
        self._node: KeptNode | None = None
        self._problem = ""
        try:
            settings = parse_settings(flags)
            self._address = settings.cluster_address or self._address
            check_tokens(self._address, os.environ)
            if not settings.cluster_secret.get_secret_value():
                raise BadSettings(
                    "its machine has no CLUSTER_SECRET: set it where ray start is called, the"
                    " same on all machines (openssl rand -hex 32 makes one)"
                )
            # Killed, and started again: the node before is ending, and clients know its ports.
            is_again = ray.get_runtime_context().was_current_actor_reconstructed
            patience_s = ENDS_WITHIN_S if is_again else 0.0
            place = self._place_before() if is_again else 0
            self._node = KeptNode(number, flags, settings, self._address, patience_s, place)
        except (BadSettings, SystemExit) as error:
            self._problem = str(error)
            return
        threading.Thread(target=self._follow_registry, name="registry", daemon=True).start()
        self._node.start()

    def status(self) -> dict[str, Any]:
        """How it does, for `kinecast cluster status`."""
        node = self._node
        pid = node.pid if node else None
        return {
            "node": tag_of(self._number),
            "machine": self._address,
            "ray_node": ray.get_runtime_context().get_node_id(),
            "url": node.url if node else None,
            "pid": pid,
            "keeper": os.getpid(),
            "starts": node.starts if node else 0,
            "version": version("kinecast"),
            "problem": self._problem or (node.problem if node and pid is None else ""),
            "warnings": warnings_of_machine(pid) if pid else [],
        }

    def drain(self) -> None:
        """End the node in order, and start it again."""
        if self._node is not None:
            self._node.drain()

    def stop(self, with_all: bool) -> None:
        """End the node in order, alone or with all others; the actor is of no use then."""
        self._stopped.set()
        if self._node is not None:
            self._node.stop(signal.SIGINT if with_all else signal.SIGTERM)

    def _place_before(self) -> int:
        """Which node of its machine a killed keeper's was: others may have the first ports."""
        with suppress(*RAYS_ERRORS):
            registry = ray.get_actor(REGISTRY, NAMESPACE)
            asked = registry.place_of.remote(self._number, self._address)
            return int(ray.get(asked, timeout=ANSWER_WITHIN_S))
        return 0

    def _follow_registry(self) -> None:
        """Ray's own errors are many; whatever it is, the node goes on, and we ask again."""
        assert self._node is not None
        told = ""
        while not self._stopped.wait(LOOK_EVERY_S):
            with suppress(*RAYS_ERRORS):
                registry = ray.get_actor(REGISTRY, NAMESPACE)
                address = ray.get(registry.address.remote(), timeout=ANSWER_WITHIN_S)
                if address != told:
                    self._node.tell_registry(address)
                    registry.remember_place.remote(self._number, self._address, self._node.place)
                    told = address
