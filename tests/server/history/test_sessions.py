"""Trainings of real sessions: they are kept over a restart, and whoever trains is told when not."""

import asyncio

from client_test.client import Client
from client_test.peer import ClientPeer
from tests.support.nodes import media_processes, running_nodes
from tests.support.server import running_server
from tests.support.tracks import ColourTrack

TRAINER = "tests.support.trainer:Trainer"


async def train(server, told):
    """Train as "ann" until something is told."""
    heard = asyncio.Event()

    def note(message):
        if told(message):
            heard.set()

    async with ClientPeer(
        server.url, publish="ann", events=True, on_result=note, on_message=note
    ) as peer:
        await peer.connect(ColourTrack())
        await asyncio.wait_for(heard.wait(), 60)
        await peer.end()


async def test_a_session_is_kept_and_there_after_a_restart(tmp_path):
    flags = ("--analyzers", TRAINER, "--workers", "1", "--database", "default")
    with running_server(tmp_path, *flags) as server:
        await train(server, lambda message: message.get("reps") == 3)
        path = "/athletes/ann/trainings"
        await asyncio.to_thread(server.wait_until, path, lambda told: told["trainings"])
        kept = {"written": True, "waiting": 0, "lost": 0}
        await asyncio.to_thread(server.wait_until, "/health", lambda told: told["history"] == kept)
    assert (tmp_path / "data" / "kinecast" / "history.sqlite").exists()
    with running_server(tmp_path, *flags) as again:
        (training,) = again.get(path)["trainings"]
        assert [(s["exercise"], s["reps"], s["held_s"]) for s in training["sets"]] == [
            ("squat", 3, None),
            ("plank", 0, 12.0),
        ]


async def test_a_client_is_told_when_its_training_is_in_memory_alone(tmp_path):
    flags = ("--analyzers", TRAINER, "--workers", "1")
    database = ("--database", "postgresql://kinecast@127.0.0.1:9/name")
    with running_server(tmp_path, *flags, *database) as server:
        await train(server, lambda message: message.get("type") == "history")
        health = await asyncio.to_thread(
            server.wait_until, "/health", lambda told: told["history"]["waiting"] == 1
        )
        assert not health["history"]["written"]


async def test_a_session_that_moves_to_another_node_is_one_training(tmp_path):
    flags = ("--no-camera-enabled", "--analyzers", TRAINER, "--database", "default")
    with running_nodes(tmp_path, 2, *flags) as server:
        path = "/athletes/ann/trainings"
        async with Client(server.url, ColourTrack(), name="ann") as client:
            before = client.session
            counts = []
            reading = asyncio.create_task(_read_counts(client, counts))
            await asyncio.to_thread(server.wait_until, path, lambda told: told["trainings"], 60)
            await asyncio.to_thread(media_processes(server)[int(before.id[:2], 16)].terminate)
            async with asyncio.timeout(60):
                while client.session.resume == before.resume:
                    await asyncio.sleep(0.05)
                while f"Session {before.id} came from node" not in server.log:
                    await asyncio.sleep(0.05)
                there = len(counts)
                while 3 not in counts[there:]:
                    await asyncio.sleep(0.05)
            assert client.session.id == before.id
            reading.cancel()

        def is_whole(told):
            sets = [(s["exercise"], s["reps"]) for each in told["trainings"] for s in each["sets"]]
            return sets == [("squat", 3), ("plank", 0)]

        await asyncio.to_thread(server.wait_until, path, is_whole, 60)
        (training,) = server.get(path)["trainings"]
        assert training["session"] == before.id


async def _read_counts(client, counts):
    async for result in client:
        counts.append(result["reps"])
