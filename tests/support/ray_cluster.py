"""A Ray cluster of two machines, both of which are this one, and `kinecast cluster` on it.

Ray takes 127.0.0.1 for any address of the machine's, and the others of loopback as they are.
"""

import contextlib
import json
import os
import secrets
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil

from tests.support.forked import ROOT
from tests.support.server import COUNTER, free_port

HEAD, SECOND = "127.0.0.2", "127.0.0.3"
# Other tests run at the same time, and Ray imports much.
WITHIN_S = 200.0
_CPUS, _STORE_BYTES = 2, 100_000_000


class RayCluster:
    """Two nodes of Ray's, each a tree of processes.

    Attributes
    ----------
    machines
        The process that `ray start --block` is, by address.
    port
        Of the server; the second node on this machine has that and two.
    client_port
        At which Ray's clients are let in, those that are on no machine of the cluster.
    """

    def __init__(self, directory: Path, session: str) -> None:
        self.machines: dict[str, psutil.Popen] = {}
        self.port = free_port()
        self._address = f"{HEAD}:{_free_port(HEAD)}"
        self.client_port = _free_port(HEAD)
        self._session = session
        self._log = (directory / "ray.log").open("w")
        self.env = {
            **{name: value for name, value in os.environ.items() if not name.startswith("RAY_")},
            "PYTHONPATH": str(ROOT),
            "XDG_DATA_HOME": str(directory / "data"),
            "CLUSTER_SECRET": secrets.token_hex(32),
            "RAY_ADDRESS": self._address,
            "RAY_AUTH_MODE": "token",
            "RAY_AUTH_TOKEN": secrets.token_hex(32),
            "RAY_USAGE_STATS_ENABLED": "0",
            "RAY_worker_niceness": "0",
            "RAY_raylet_start_wait_time_s": "120",
            # Ray's processes end themselves when the head has been away for so long.
            "RAY_gcs_rpc_server_reconnect_timeout_s": "300",
        }

    def start_machine(self, address: str, **env: str) -> None:
        """Have one more machine; the head is the first."""
        port = self._address.rpartition(":")[2]
        client = f"--ray-client-server-port={self.client_port}"
        head = ("--head", f"--port={port}", "--include-dashboard=false", client)
        flags = (
            *((*head, f"--temp-dir={self._session}") if address == HEAD else ()),
            *((f"--address={self._address}",) if address != HEAD else ()),
            f"--node-ip-address={address}",
            f"--num-cpus={_CPUS}",
            f"--object-store-memory={_STORE_BYTES}",
            "--disable-usage-stats",
            "--block",
        )
        self.machines[address] = psutil.Popen(
            [sys.executable, "-m", "ray.scripts.scripts", "start", *flags],
            cwd=ROOT,
            env={**self.env, **env},
            stdout=self._log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def cluster(self, *arguments: str) -> tuple[int, str, str]:
        """Run `kinecast cluster`; its status and what it printed."""
        done = subprocess.run(
            [sys.executable, "-m", "server", "cluster", *arguments],
            cwd=ROOT,
            env=self.env,
            capture_output=True,
            text=True,
            timeout=WITHIN_S,
        )
        return done.returncode, done.stdout, done.stderr

    def start(self, *flags: str) -> tuple[int, str, str]:
        """Start a node on each machine."""
        own = ("--analyzers", COUNTER, "--workers", "1", "--ice-address", "127.0.0.1")
        return self.cluster("start", "--port", str(self.port), "--no-camera-enabled", *own, *flags)

    def status(self) -> dict[int, dict[str, Any]]:
        """What status tells of each node."""
        _, told, _ = self.cluster("status", "--json")
        return {int(node["node"], 16): node for node in json.loads(told or "[]")}

    def wait_until(self, condition: Any) -> dict[int, dict[str, Any]]:
        """Ask for the status until it fulfils a condition."""
        deadline = time.monotonic() + WITHIN_S
        while not condition(nodes := self.status()):
            assert time.monotonic() < deadline, nodes
            time.sleep(0.2)
        return nodes

    def processes(self) -> set[psutil.Process]:
        """All that runs of it, found by its secret; not Ray's own command."""
        found = set()
        for each in psutil.process_iter():
            with contextlib.suppress(psutil.Error):
                if each.environ().get("CLUSTER_SECRET") == self.env["CLUSTER_SECRET"]:
                    found.add(each)
        return found

    def kill_machine(self, address: str) -> None:
        """As when its power goes: every process of Ray's there, by SIGKILL."""
        command = self.machines.pop(address)
        for each in [command, *command.children(recursive=True)]:
            with contextlib.suppress(psutil.NoSuchProcess):
                each.kill()
        command.wait()

    def close(self) -> None:
        """Kill what is left."""
        for address in list(self.machines):
            self.kill_machine(address)
        for each in self.processes():
            with contextlib.suppress(psutil.NoSuchProcess):
                each.kill()
        self._log.close()


@contextlib.contextmanager
def running_ray(directory: Path) -> Iterator[RayCluster]:
    """Two machines that know each other."""
    # Ray's Unix sockets are in it, whose names may have 107 bytes.
    with tempfile.TemporaryDirectory(prefix="ray-") as session:
        ray = RayCluster(directory, session)
        try:
            ray.start_machine(HEAD)
            _wait_for(ray)
            ray.start_machine(SECOND)
            yield ray
        finally:
            ray.close()


def _wait_for(ray: RayCluster) -> None:
    """Until there is somebody to be asked: that nothing of ours runs is an answer."""
    deadline = time.monotonic() + WITHIN_S
    while "no cluster runs here" not in (said := ray.cluster("status")[2]):
        assert ray.machines[HEAD].poll() is None, said
        assert time.monotonic() < deadline, said
        time.sleep(0.2)


def _free_port(address: str) -> int:
    with socket.socket() as one:
        one.bind((address, 0))
        port: int = one.getsockname()[1]
        return port
