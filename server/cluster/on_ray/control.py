"""Starts, counts and ends the nodes of a Ray cluster: what `kinecast cluster` does."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import ray
import ray.exceptions
import ray.util
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from server.cluster import kept_node
from server.cluster.node import MAX_NODES, tag_of
from server.cluster.on_ray.keeper import Keeper
from server.cluster.on_ray.names import (
    LASTING,
    NAMESPACE,
    RAYS_ERRORS,
    REGISTRY,
    name_of,
    number_of,
)
from server.cluster.on_ray.registry_actor import RegistryActor
from server.cluster.placing import NodeState
from server.cluster.rollout import BACK_WITHIN_S, refusal_of_last
from server.config import BadSettings
from server.config.cluster import ON_THIS_MACHINE

# An actor begins in 3 s; a node loads its networks in its workers, and serves before.
STARTS_WITHIN_S = 90.0
ASK_S = 4.0
# Of a node, and what Ray takes to ask for it.
ENDS_WITHIN_S = kept_node.ENDS_WITHIN_S + 20
LOOK_EVERY_S = 0.2
# A keeper does next to nothing, but its node takes what there is: one a machine, if possible.
_KEEPER_CPUS = 1
# Some ask while one waits for its node's end.
_CALLS_AT_ONCE = 8


@dataclass(frozen=True, slots=True)
class NodeStatus:
    """One line of the table.

    Attributes
    ----------
    number
        Of the node.
    kept
        What its keeper says; None if that does not answer.
    told
        What the registry knows of it; None if nothing.
    """

    number: int
    kept: dict[str, Any] | None
    told: dict[str, Any] | None

    @property
    def serves(self) -> bool:
        """Whether the other nodes know it."""
        return self.told is not None

    @property
    def problem(self) -> str:
        """Why it does not, or will not for long."""
        if self.kept is None:
            return "its keeper does not answer: its machine is gone, or Ray starts it again"
        return str(self.kept["problem"])


@contextlib.contextmanager
def connected(cluster: str) -> Iterator[None]:
    """Be a client of a Ray cluster.

    Parameters
    ----------
    cluster
        `ray` for this machine's, or `ray://HOST:PORT`.

    Raises
    ------
    BadSettings
        There is none.
    """
    try:
        ray.init(
            address="auto" if cluster == ON_THIS_MACHINE else cluster,
            namespace=NAMESPACE,
            log_to_driver=False,
            logging_level="ERROR",
        )
    except (*RAYS_ERRORS, ImportError) as error:
        hint = (
            "start one with: RAY_worker_niceness=0 ray start --head, and on the other machines"
            " ray start --address=HOST:6379"
            if cluster == ON_THIS_MACHINE
            else "is that its client port, which is 10001 by default? It gives up after 30 s where"
            " its machine is busy: try again"
        )
        what = (str(error) or type(error).__name__).strip().splitlines()[-1]
        raise BadSettings(f"there is no Ray cluster to be reached: {what} ({hint})") from error
    try:
        yield
    finally:
        ray.shutdown()


def start(flags: list[str], count: int | None) -> list[NodeStatus]:
    """Start the registry and nodes, those that are there already included.

    Parameters
    ----------
    flags
        The server's.
    count
        How many nodes; None is one for each machine.

    Raises
    ------
    BadSettings
        A node can not be started: none is left that was not there before.
    """
    registry = _registry()
    if registry is None:
        registry = (
            _actor(RegistryActor)
            .options(**LASTING, name=REGISTRY, num_cpus=0, scheduling_strategy="SPREAD")
            .remote(flags)
        )
        problem = _ask([registry.status.remote()], STARTS_WITHIN_S)[0]
        if problem is None or problem["problem"]:
            ray.kill(registry, no_restart=True)
            raise BadSettings(problem["problem"] if problem else "the registry did not start")
    elif _ask([registry.flags.remote()])[0] not in (flags, None):
        raise BadSettings(
            "the cluster runs with other flags: change its size with kinecast cluster scale N, or"
            " end it with kinecast cluster stop"
        )
    return scale(len(_machines()) if count is None else count)


def scale(count: int) -> list[NodeStatus]:
    """Have so many nodes: start further ones, or end those with the highest numbers in order.

    Raises
    ------
    BadSettings
        There is no cluster, or a node can not be started.
    """
    registry = _registry()
    flags = _ask([registry.flags.remote()])[0] if registry is not None else None
    if flags is None:
        raise _no_cluster()
    if not 1 <= count <= MAX_NODES:
        raise BadSettings(f"a cluster has 1 to {MAX_NODES} nodes")
    keepers = _keepers()
    _stop(sorted(keepers)[count:], keepers)
    missing = [n for n in range(MAX_NODES) if n not in keepers][: max(count - len(keepers), 0)]
    made = {}
    for number, machine in zip(missing, _emptiest(len(missing)), strict=True):
        made[number] = (
            _actor(Keeper)
            .options(
                **LASTING,
                name=name_of(number),
                num_cpus=_KEEPER_CPUS,
                max_concurrency=_CALLS_AT_ONCE,
                scheduling_strategy=NodeAffinitySchedulingStrategy(machine, soft=True),
            )
            .remote(number, flags)
        )
    return _await_start(made)


def drain(number: int) -> Iterator[str]:
    """End a node in order, and wait until the one in its place takes sessions; yields how it goes.

    Raises
    ------
    BadSettings
        There is no such node, it is the last one, or it is gone.
    """
    keeper, tag = _keepers().get(number), tag_of(number)
    if keeper is None:
        raise BadSettings(f"there is no node {tag}: see kinecast cluster status")
    states = _states()
    if not states:
        raise BadSettings("the registry does not answer: try again in a moment")
    if (refusal := refusal_of_last(number, states)) is not None:
        raise BadSettings(refusal)
    before = states.get(number, NodeState(""))
    yield f"Node {tag} drains: {before.sessions} sessions go to other nodes"
    try:
        ray.get(keeper.drain.remote(), timeout=ENDS_WITHIN_S)
    except ray.exceptions.RayError as error:
        raise BadSettings(f"node {tag} was lost meanwhile: {error}") from error
    yield f"Node {tag} has ended; another one is started in its place"
    until_s = time.monotonic() + BACK_WITHIN_S
    while True:
        state = _states().get(number, before)
        if state.incarnation != before.incarnation and state.ready:
            yield f"Node {tag} takes sessions again"
            return
        if time.monotonic() > until_s:
            raise BadSettings(
                f"no node {tag} has come within {BACK_WITHIN_S:.0f} s: see kinecast cluster status"
            )
        time.sleep(LOOK_EVERY_S)


def stop() -> int:
    """End all nodes in order, and the registry; returns how many nodes there were.

    Raises
    ------
    BadSettings
        There is no cluster.
    """
    registry, keepers = _registry(), _keepers()
    if registry is None and not keepers:
        raise _no_cluster()
    _stop(keepers, keepers, with_all=True)
    if registry is not None:
        ray.kill(registry, no_restart=True)
    return len(keepers)


def status() -> list[NodeStatus]:
    """All nodes, by number.

    Raises
    ------
    BadSettings
        There is no cluster.
    """
    keepers, registry = _keepers(), _registry()
    if registry is None and not keepers:
        raise _no_cluster()
    asked = [keeper.status.remote() for keeper in keepers.values()]
    asked += [registry.status.remote()] if registry is not None else []
    told = _ask(asked)
    table = (told.pop() or {}).get("nodes", {}) if registry is not None else {}
    return [
        NodeStatus(number, kept, table.get(str(number)))
        for number, kept in sorted(zip(keepers, told, strict=True), key=lambda each: each[0])
    ]


# ---- Ray


def _actor(made: type) -> Any:
    return ray.remote(made)


def _registry() -> Any:
    with contextlib.suppress(ValueError):
        return ray.get_actor(REGISTRY, NAMESPACE)
    return None


def _keepers() -> dict[int, Any]:
    found = {}
    for name in ray.util.list_named_actors():
        number = number_of(name)
        if number is not None:
            with contextlib.suppress(ValueError):
                found[number] = ray.get_actor(name, NAMESPACE)
    return found


def _states() -> dict[int, NodeState]:
    """The nodes that the registry knows of; none while it does not answer."""
    registry = _registry()
    told = _ask([registry.status.remote()])[0] if registry is not None else None
    table = (told or {}).get("nodes", {})
    return {int(number): NodeState.read(state) for number, state in table.items()}


def _ask(asked: list[Any], within_s: float = ASK_S) -> list[Any]:
    """Answers; None for each that does not come in time, or from an actor that is gone."""
    ray.wait(asked, num_returns=len(asked), timeout=within_s) if asked else None
    answers = []
    for each in asked:
        try:
            answers.append(ray.get(each, timeout=0))
        except ray.exceptions.RayError:
            answers.append(None)
    return answers


def _machines() -> list[str]:
    """Ray's nodes that have a processor to give."""
    return [
        each["NodeID"]
        for each in ray.nodes()
        if each["Alive"] and each["Resources"].get("CPU", 0) >= _KEEPER_CPUS
    ]


def _emptiest(count: int) -> list[str]:
    """Machines for so many further nodes: those with the fewest first."""
    has = dict.fromkeys(_machines(), 0)
    if not has:
        raise BadSettings("no machine of the Ray cluster has a CPU: see ray status")
    for each in status():
        if each.kept is not None and each.kept["ray_node"] in has:
            has[each.kept["ray_node"]] += 1
    chosen = []
    for _ in range(count):
        chosen.append(min(has, key=lambda machine: has[machine]))
        has[chosen[-1]] += 1
    return chosen


def _await_start(made: dict[int, Any]) -> list[NodeStatus]:
    """Wait until the nodes are known to the others; those that can not be started are ended."""
    until_s = time.monotonic() + STARTS_WITHIN_S
    while True:
        all_nodes = status()
        new = [each for each in all_nodes if each.number in made]
        wrong = next((each for each in new if each.kept and each.kept["problem"]), None)
        if wrong is None and all(each.serves for each in new):
            return all_nodes
        if wrong is not None or time.monotonic() > until_s:
            late = next(each for each in new if not each.serves) if wrong is None else wrong
            problem = (late.kept or {}).get("problem") or (
                f"it did not come up within {STARTS_WITHIN_S:.0f} s: is there a CPU free (ray"
                " status), and what does its log say (ray logs)?"
            )
            _stop(made, made)
            if len(new) == len(all_nodes) and (registry := _registry()) is not None:
                ray.kill(registry, no_restart=True)
            raise BadSettings(f"node {tag_of(late.number)}: {problem}")
        time.sleep(LOOK_EVERY_S)


def _stop(numbers: Iterable[int], keepers: dict[int, Any], *, with_all: bool = False) -> None:
    """Have the keepers end their nodes; to kill an actor runs nothing of it."""
    ended = [keepers[number] for number in numbers]
    _ask([keeper.stop.remote(with_all) for keeper in ended], ENDS_WITHIN_S)
    for keeper in ended:
        ray.kill(keeper, no_restart=True)


def _no_cluster() -> BadSettings:
    return BadSettings("no cluster runs here: start one with kinecast cluster start")
