"""What all nodes say together, where several are one server: their lists, health and metrics."""

from __future__ import annotations

import asyncio
import itertools
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import orjson
from aiohttp import web

from server.cluster.member import Member
from server.security.identity import Identity

Told = dict[int, bytes]

_RANK = {"ok": 0, "starting": 1, "degraded": 2}
_SAMPLE = re.compile(rb"^([A-Za-z_:][\w:]*)(\{(.*)\})? (\S.*)$")


async def merge(response: web.Response, path: str, member: Member, by: Identity) -> None:
    """Put what the other nodes answer to whoever asks into this one's answer.

    One that does not answer in time, because it is stopped or starting, is left out.
    """
    if response.status != 200:
        return
    others = member.others
    answers = await asyncio.gather(*(link.get(path, by) for link in others))
    own = response.body
    assert isinstance(own, bytes)
    told = {link.number: each for link, each in zip(others, answers, strict=True) if each}
    told[member.node.number] = own
    response.body = MERGED[path](dict(sorted(told.items())), member)


def _sessions(told: Told, _: Member) -> bytes:
    bodies = [orjson.loads(body)["sessions"] for body in told.values()]
    return orjson.dumps({"sessions": sessions_of(bodies)})


def sessions_of(listed: Sequence[list[dict[str, Any]]]) -> list[dict[str, Any]]:
    """Oldest first, each once: one that moves is at two nodes, until it is where it goes."""
    found: dict[str, dict[str, Any]] = {}
    for each in itertools.chain(*listed):
        known = found.setdefault(each["id"], each)
        if _has_come(each) > _has_come(known):
            found[each["id"]] = each
    return sorted(found.values(), key=lambda each: each["created_at"])


def _has_come(session: dict[str, Any]) -> tuple[bool, int]:
    return session["worker"] is not None, session["frames"]


def _recordings(told: Told, _: Member) -> bytes:
    bodies = [orjson.loads(body)["recordings"] for body in told.values()]
    return orjson.dumps({"recordings": recordings_of(bodies)})


def recordings_of(listed: Sequence[list[dict[str, Any]]]) -> list[dict[str, Any]]:
    """All nodes list one directory; the one that writes a file knows how many frames it has."""
    found: dict[str, dict[str, Any]] = {}
    for each in itertools.chain(*listed):
        known = found.setdefault(each["name"], each)
        if each["frames"] > known["frames"]:
            found[each["name"]] = each
    return sorted(found.values(), key=lambda each: each["started_at"])


def _health(told: Told, member: Member) -> bytes:
    """Ready when a node is; as well as the worst one that answers; workers numbered through."""
    bodies = {number: orjson.loads(body) for number, body in told.items()}
    ready = [body for body in bodies.values() if body["ready"]]
    statuses = [body["status"] for body in bodies.values()]
    if len(bodies) < len(member.expected):
        statuses.append("degraded" if ready else "starting")
    analyzers: dict[str, Any] = {}
    for body in bodies.values():
        for name, state in body["analyzers"].items():
            known = analyzers.setdefault(name, state)
            if (known["ready"], "reason" not in known) > (state["ready"], "reason" not in state):
                analyzers[name] = state
    workers = [each for body in bodies.values() for each in body["workers"]]
    states = member.states
    merged = {
        **bodies[member.node.number],
        "status": max(statuses, key=lambda status: _RANK[status]),
        "ready": bool(ready),
        "analyzers": analyzers,
        "workers": [{**each, "index": index} for index, each in enumerate(workers)],
        "sessions": sum(body["sessions"] for body in bodies.values()),
        "history": history_of([body["history"] for body in bodies.values()]),
        "nodes": [
            {
                "node": number,
                "ready": number in bodies and bodies[number]["ready"],
                "sessions": bodies[number]["sessions"] if number in bodies else None,
                "load": states[number].load if number in states else None,
            }
            for number in member.expected
        ],
    }
    return orjson.dumps(merged)


def history_of(told: Sequence[dict[str, Any] | None]) -> dict[str, Any] | None:
    """How keeping trainings goes: as it does where it goes worst, and all that wait or are lost."""
    kept = [each for each in told if each is not None]
    if not kept:
        return None
    worst = min(kept, key=lambda each: bool(each["written"]))
    return {**worst, **{key: sum(each[key] for each in kept) for key in ("waiting", "lost")}}


def _metrics(told: Told, _: Member) -> bytes:
    """Each sample with its node's label; each metric's explanation once (Prometheus' text)."""
    families: dict[bytes, tuple[list[bytes], list[bytes]]] = {}
    for number, body in told.items():
        for name, head, samples in _families(body):
            families.setdefault(name, (head, []))[1].extend(
                _labelled(sample, number) for sample in samples
            )
    lines = [line for head, samples in families.values() for line in (*head, *samples)]
    return b"\n".join(lines) + b"\n"


def _families(body: bytes) -> Iterator[tuple[bytes, list[bytes], list[bytes]]]:
    name, head, samples = b"", [], []  # type: ignore[var-annotated]
    for line in body.splitlines():
        if line.startswith(b"# HELP "):
            if name:
                yield name, head, samples
            name, head, samples = line.split(b" ", 3)[2], [line], []
        elif line.startswith(b"#"):
            head.append(line)
        elif line:
            samples.append(line)
    if name:
        yield name, head, samples


def _labelled(sample: bytes, number: int) -> bytes:
    match = _SAMPLE.match(sample)
    if match is None:
        return sample
    name, _, labels, value = match.groups()
    label = b'node="%d"' % number
    return b"%s{%s} %s" % (name, label + (b"," + labels if labels else b""), value)


MERGED: dict[str, Callable[[Told, Member], bytes]] = {
    "/sessions": _sessions,
    "/recordings": _recordings,
    "/health": _health,
    "/metrics": _metrics,
}
"""By path, what makes one answer of many."""
