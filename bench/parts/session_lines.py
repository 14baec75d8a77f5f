"""Attacks on sessions: places in the server, workers, names, embeddings."""

import asyncio
import base64
import io
import os
import signal
import time

import numpy as np
from aiohttp import ClientSession
from PIL import Image

from analyzers.reid.embedding import Embedding
from bench.parts.attack_lines import CAMERA, SOMEBODY, Attacker, an_offer, line
from bench.parts.attacked_analyzers import CRASHER, LEAKER
from client_test.errors import ClientError
from server.security.embeddings import EmbeddingCipher
from server.security.identity import Scope

STOPPED_S = 7.0
AT_ONCE_S = 3.0
SDP = {"Content-Type": "application/sdp"}


# ---- places


@line("16 offers of a subject that never connect: who else gets in?")
async def offers_never_connected(attacker: Attacker) -> None:
    connection, sdp = await an_offer()
    await connection.close()
    offer = {"type": "offer", "sdp": sdp}
    async with attacker.http() as http:
        for _ in range(16):
            await attacker.ask(http, "POST", "/offer", json=offer)
        await somebody_gets_in(attacker)
        # Whoever loses a place comes back.
        async for _ in attacker.rounds(2.0):
            await attacker.ask(http, "POST", "/offer", "again", json=offer)


async def somebody_gets_in(attacker: Attacker) -> None:
    """Whether somebody else's offer leads to a session at once."""
    began_s = time.monotonic()
    try:
        async with asyncio.timeout(AT_ONCE_S), attacker.peer(SOMEBODY) as peer:
            attacker.checks["somebody else gets in"] = await peer.is_alive()
    except (ClientError, TimeoutError) as error:
        attacker.checks["somebody else gets in"] = False
        attacker.seen[f"somebody: {str(error)[:60] or 'no answer'}"] += 1
    attacker.seen["ms for somebody"] = round(1000 * (time.monotonic() - began_s))


@line("64 offers to watch (WHEP) that never connect: who else may watch?", flags=CAMERA)
async def watchers_never_connected(attacker: Attacker) -> None:
    connection, sdp = await an_offer("recvonly")
    await connection.close()
    async with attacker.http("viewer", Scope.VIEW) as http:
        for _ in range(64):
            await attacker.ask(http, "POST", "/whep/camera", data=sdp, headers=SDP)
        began_s = time.monotonic()
        async with attacker.http(SOMEBODY, Scope.VIEW) as other:
            status, _ = await attacker.ask(
                other, "POST", "/whep/camera", "somebody", data=sdp, headers=SDP
            )
        attacker.seen["ms for somebody"] = round(1000 * (time.monotonic() - began_s))
        attacker.checks["somebody else may watch"] = status == 201
        async for _ in attacker.rounds(2.0):
            await attacker.ask(http, "POST", "/whep/camera", "again", data=sdp, headers=SDP)


@line("70 offers a second that resume one session")
async def resumed_again(attacker: Attacker) -> None:
    connection, sdp = await an_offer()
    await connection.close()
    offer = {"type": "offer", "sdp": sdp}
    async with attacker.http() as http:
        async with http.post("/offer", json=offer) as answer:
            resume = (await answer.json())["session"]["resume"]
        asking: set[asyncio.Task[object]] = set()
        async for _ in attacker.rounds(70.0):
            again = {**offer, "resume": resume}
            task = asyncio.create_task(attacker.ask(http, "POST", "/offer", json=again))
            asking.add(task)
            task.add_done_callback(asking.discard)
        await asyncio.gather(*asking)


# ---- workers


@line(
    "an analyzer that ends its process on each frame, by exit and by a fault of memory",
    analyzers=(CRASHER,),
)
async def crashing_analyzer(attacker: Attacker) -> None:
    before = await attacker.workers()
    for how in ("exit", "segfault"):
        began_s = time.monotonic()
        peer = attacker.peer(analyzers=["crasher"], options={"crasher": {"how": how}})
        try:
            async with peer:
                await asyncio.sleep(attacker.seconds / 2)
                for message in peer.peer.received:
                    attacker.seen[f"{how}: {message.get('type', 'result')}"] += 1
        except ClientError:
            attacker.seen[f"{how}: not let in"] += 1
        await asyncio.sleep(max(began_s + attacker.seconds / 2 - time.monotonic(), 0.0))
    await count_replaced(attacker, before)


# What a worker takes with the analyzers of this line is 195 to 205 MB.
@line(
    "an analyzer that keeps 5 MB, then 14 MB with each frame, and a bound on the memory of workers",
    analyzers=(LEAKER,),
    flags=("--worker-memory", "256MB"),
)
async def leaking_analyzer(attacker: Attacker) -> None:
    before = await attacker.workers()
    for megabytes in (5, 14):
        began_s = time.monotonic()
        options = {"leaker": {"mb": megabytes}}
        async with attacker.peer(analyzers=["leaker"], options=options) as peer:
            await asyncio.sleep(max(began_s + attacker.seconds / 2 - time.monotonic(), 0.0))
            for message in peer.peer.received:
                if "type" in message:
                    attacker.seen[f"{megabytes} MB: {message['type']}"] += 1
    await count_replaced(attacker, before)


async def count_replaced(attacker: Attacker, before: list[tuple[int, int]]) -> None:
    """How often workers were replaced."""
    after = await attacker.workers()
    attacker.seen["workers replaced"] = sum(n for _, n in after) - sum(n for _, n in before)


@line("the server's process stands still for 7 s: what becomes of its workers?", judged="after")
async def process_stopped(attacker: Attacker) -> None:
    before = await attacker.workers()
    os.kill(attacker.pid, signal.SIGSTOP)
    try:
        await asyncio.sleep(STOPPED_S)
    finally:
        os.kill(attacker.pid, signal.SIGCONT)
    # Whoever judges workers by silence does so with the first look.
    await asyncio.sleep(2.0)
    attacker.checks["workers stay"] = await attacker.workers() == before


# ---- names, and what was made for others


@line("publishing under another's session id, and under the name of one who was lost")
async def names_of_others(attacker: Attacker) -> None:
    connection, sdp = await an_offer()
    await connection.close()
    async with attacker.peer(SOMEBODY, publish="yard") as victim, attacker.http() as http:
        session = victim.peer.session
        assert session is not None
        async for number in attacker.rounds(10.0):
            name = session.id if number % 2 else "yard"
            offer = {"type": "offer", "sdp": sdp, "publish": name}
            status, _ = await attacker.ask(http, "POST", "/offer", "while there", json=offer)
            attacker.seen["taken"] += status == 200
        attacker.checks["a name in use is not taken"] = not attacker.seen["taken"]
        await victim.peer.vanish()
        await until_lost(attacker, session.id)
        status = await publish(attacker, http, "yard", sdp)
        attacker.checks["a lost one's name is not taken"] = status != 200


async def publish(attacker: Attacker, http: ClientSession, name: str, sdp: str) -> int:
    """Offer under a name; the status."""
    offer = {"type": "offer", "sdp": sdp, "publish": name}
    status, _ = await attacker.ask(http, "POST", "/offer", "when lost", json=offer)
    return status


async def until_lost(attacker: Attacker, sid: str) -> None:
    """Wait until the server has noticed that a peer is gone."""
    async with attacker.http(SOMEBODY) as http, asyncio.timeout(20.0):
        state = ""
        while state != "disconnected":
            await asyncio.sleep(0.1)
            async with http.get(f"/sessions/{sid}") as answer:
                state = (await answer.json()).get("state", "")


@line(
    "sealed embeddings of another subject, of the future, and damaged", analyzers=("pose", "reid")
)
async def embeddings_of_others(attacker: Attacker) -> None:
    key = os.environ["ENCRYPTION_KEY"]
    vector = Embedding("attack", np.ones(16, np.float32)).token
    sealed = {
        "another's": EmbeddingCipher([key], 0.0).seal(vector, SOMEBODY),
        "of the future": EmbeddingCipher([key], 0.0, lambda: time.time() + 86400).seal(
            vector, "attacker"
        ),
    }
    sealed["damaged"] = sealed["another's"][:-8] + "AAAAAAA="
    frame = base64.b64encode(small_picture()).decode()
    async with attacker.http() as http, http.ws_connect("/video-stream/attack") as socket:
        async for number in attacker.rounds(3.0):
            what = list(sealed)[number % len(sealed)]
            said = {"type": "single_frame", "frame": frame, "person_embed": sealed[what]}
            await socket.send_json(said)
            answer = await socket.receive_json(timeout=10.0)
            attacker.seen[f"{what}: {answer['type']}"] += 1
            refused = answer["type"] == "error" and "embedding" in answer["message"]
            attacker.checks[f"{what} is refused"] = refused


def small_picture() -> bytes:
    """A JPEG."""
    file = io.BytesIO()
    Image.new("RGB", (320, 240), (90, 60, 30)).save(file, "JPEG")
    return file.getvalue()
