"""Places, names and offers belong to subjects and addresses: nobody takes another's."""

import aiohttp
import pytest
from aiortc import RTCPeerConnection

from server.security import tokens
from server.security.identity import Scope
from server.sessions.manager import SessionManager
from tests.support.in_process import application
from tests.support.tracks import ColourTrack, offer_of, offering

SECRET = "s" * 40
FLAGS = (
    *("--auth-secret", SECRET, "--max-sessions", "4", "--max-viewers", "4"),
    *("--camera", "pattern", "--camera-size", "320x180", "--connections-per-address", "0"),
)
SDP = {"Content-Type": "application/sdp"}


def token(name: str) -> dict[str, str]:
    return {"Authorization": "Bearer " + tokens.issue(SECRET, list(Scope)[:2], 600, name)}


ANN, BOB = token("ann"), token("bob")


async def offer_to_watch() -> str:
    connection = RTCPeerConnection()
    connection.addTransceiver("video", direction="recvonly")
    with offering(["127.0.0.1"]):
        await connection.setLocalDescription(await connection.createOffer())
    sdp = connection.localDescription.sdp
    await connection.close()
    return sdp


@pytest.fixture
async def http():
    async with aiohttp.ClientSession() as session:
        yield session


async def publish(http, server, headers, **fields):
    body = {"sdp": await offer_of(ColourTrack()), "type": "offer", **fields}
    async with http.post(f"{server.url}/offer", json=body, headers=headers) as response:
        return response.status, await response.json()


async def test_who_never_connects_fills_half_and_gives_up_its_own(http):
    async with application(*FLAGS) as server:
        answers = [await publish(http, server, ANN) for _ in range(6)]
        assert [status for status, _ in answers] == [200] * 6
        assert [(await publish(http, server, BOB))[0] for _ in range(2)] == [200] * 2
        async with http.get(f"{server.url}/sessions", headers=ANN) as response:
            left = [each["id"] for each in (await response.json())["sessions"]]
        # The newest two; the others have ended, or are about to.
        assert set(left) >= {answer["session"]["id"] for _, answer in answers[-2:]}


async def test_viewers_likewise(http):
    async with application(*FLAGS) as server:
        sdp = await offer_to_watch()

        async def watch(headers):
            where = f"{server.url}/whep/camera"
            async with http.post(where, data=sdp, headers={**headers, **SDP}) as response:
                return response.status

        assert [await watch(ANN) for _ in range(6)] == [201] * 6
        assert [await watch(BOB) for _ in range(2)] == [201] * 2


async def test_offers_too_fast_are_refused_and_others_not(http):
    """By the token that resumes, too: seventy a second held 120 MB."""
    async with application(*FLAGS) as server:
        _, first = await publish(http, server, ANN)
        body = {
            "sdp": await offer_of(ColourTrack()),
            "type": "offer",
            "resume": first["session"]["resume"],
        }
        statuses = []
        for _ in range(140):
            async with http.post(f"{server.url}/offer", json=body, headers=ANN) as response:
                statuses.append(response.status)
                if response.status == 429:
                    assert int(response.headers["Retry-After"]) >= 1
                    assert "offers a" in (await response.json())["message"]
        assert set(statuses) == {200, 429}
        assert (await publish(http, server, BOB))[0] == 200


async def test_nobody_publishes_under_what_could_be_an_id(http):
    async with application(*FLAGS) as server:
        _, first = await publish(http, server, ANN)
        sid = first["session"]["id"]
        status, refused = await publish(http, server, BOB, publish=sid)
        assert (status, "could be a session's id" in refused["message"]) == (400, True)
        async with http.post(
            f"{server.url}/whip/{sid}",
            data=await offer_of(ColourTrack()),
            headers={**BOB, **SDP},
        ) as response:
            assert response.status == 400


async def test_a_name_stays_its_subjects_while_the_session_can_be_resumed(http, monkeypatch):
    kept: list[SessionManager] = []
    open_offer = SessionManager.open

    async def note(self, *arguments):
        kept[:] = [self]
        return await open_offer(self, *arguments)

    monkeypatch.setattr(SessionManager, "open", note)
    async with application(*FLAGS) as server:
        _, first = await publish(http, server, ANN, publish="yard")
        # As when its peer is lost.
        (manager,) = kept
        manager.known.get(first["session"]["id"]).disconnect()
        for _ in range(3):
            assert (await publish(http, server, BOB, publish="yard"))[0] == 409
        status, again = await publish(http, server, ANN, publish="yard")
        assert (status, again["session"]["id"]) == (200, first["session"]["id"])
