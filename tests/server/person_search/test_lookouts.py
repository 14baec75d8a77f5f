"""People who are looked for in a camera until further notice."""

import asyncio

import av
import pytest
from PIL import Image

from client_test.peer import ClientPeer
from server.api.models_lookouts import LookoutSighting, LookoutStatus
from tests.server.webhooks.conftest import SECRET, Receiver
from tests.support.person_search import FLAGS, SAMPLE, encoded, post, strict
from tests.support.server import running_server
from tests.support.tracks import ColourTrack

RATE = 15
# Of the camera's film, which plays over and over.
NOBODY_S, SOMEBODY_S = 5, 4


class ExactStatus(strict(LookoutStatus)):
    sightings: list[strict(LookoutSighting)]


@pytest.fixture(scope="module")
def film(tmp_path_factory):
    """An empty wall for some seconds, then the athlete, who stands still."""
    path = tmp_path_factory.mktemp("film") / "film.mp4"
    with av.open(SAMPLE) as sample:
        athlete = next(sample.decode(video=0)).to_image()
    with av.open(path, "w") as video:
        stream = video.add_stream("libx264", rate=RATE)
        stream.width, stream.height, stream.pix_fmt = *athlete.size, "yuv420p"
        wall = Image.new("RGB", athlete.size, "grey")
        for picture, seconds in ((wall, NOBODY_S), (athlete, SOMEBODY_S)):
            frame = av.VideoFrame.from_image(picture)
            for _ in range(seconds * RATE):
                frame.pts = None
                video.mux(stream.encode(frame))
        video.mux(stream.encode(None))
    return path


@pytest.fixture
async def receiver():
    receiver = Receiver()
    async with receiver.running():
        yield receiver


@pytest.fixture
def watching(tmp_path, film, receiver):
    """A server with that camera, which tells of what it sees."""
    flags = ("--camera", str(film), "--recordings", str(tmp_path / "recordings"))
    flags += ("--webhook", receiver.url, "--webhook-secret", SECRET)
    with running_server(tmp_path, *FLAGS, *flags) as running:
        yield running


async def enrolled(http, server):
    status, answer = await post(http, server, "/upload-embedding", {"image": encoded()})
    assert status == 200, answer
    return answer["embedding"]


async def begin(http, server, **wish):
    wish = {"name": "Anna", "embedding": await enrolled(http, server), **wish}
    status, answer = await post(http, server, "/lookouts", wish)
    assert status == 201, answer
    return answer


def about(receiver, lookout, kind):
    return [
        event["data"]
        for event in receiver.events
        if event["type"] == kind and event["data"]["lookout"] == lookout["id"]
    ]


async def test_they_come_and_go_and_are_recorded(http, watching, receiver):
    lookout = await begin(http, watching, record=True, padding_s=1)
    assert (lookout["name"], lookout["camera"]) == ("Anna", "camera")
    assert (lookout["record"], lookout["over"], lookout["sightings"]) == (True, False, [])
    # Twice: who was gone comes again.
    await receiver.until(lambda r: len(about(r, lookout, "person.gone")) >= 2, within_s=60)
    seen, gone = (about(receiver, lookout, f"person.{kind}") for kind in ("seen", "gone"))
    for came, left in zip(seen, gone, strict=False):
        assert (came["name"], came["camera"]) == ("Anna", "camera")
        assert came["session"] == lookout["session"]
        assert 0 <= came["distance"] < 0.6
        assert left["since"] == came["time"]
        assert left["recording"].startswith("camera")
        # As long as the film has them, give or take what a busy machine misses.
        assert 0 < left["time"] - left["since"] <= (SOMEBODY_S + 0.5) * 1000
    assert seen[1]["time"] - gone[0]["time"] > 1000
    (listed,) = watching.get("/lookouts")["lookouts"]
    ExactStatus.model_validate(listed)
    told = [(each["since"], each["until"]) for each in listed["sightings"] if each["over"]]
    assert told[:2] == [(left["since"], left["time"]) for left in gone[:2]]
    assert listed["problem"] is None
    name = gone[0]["recording"]
    recorded = watching.wait_until(
        "/recordings",
        lambda answer: [
            one
            for one in answer["recordings"]
            if one["name"] == name and one["state"] == "finished" and one["frames"]
        ],
    )
    assert name in [one["name"] for one in recorded["recordings"]]
    # It is no session of somebody's: nobody hears that one was opened.
    told = [each["data"] for each in receiver.events if each["type"].startswith("session.")]
    assert lookout["session"] not in [each["session"] for each in told]
    watching.delete(f"/lookouts/{lookout['id']}")
    assert watching.get("/lookouts")["lookouts"] == []
    assert watching.get("/sessions")["sessions"] == []
    watching.wait_until("/camera/status", lambda status: status["viewers"] == 0)


async def test_beside_the_analyzed_camera(http, watching):
    """Which is one of a name, and seen; lookouts are as many as one likes, up to a number."""
    status, _ = await post(http, watching, "/sessions", {"source": "camera"})
    assert status == 201
    embedding = await enrolled(http, watching)
    begun = [await begin(http, watching, embedding=embedding) for _ in range(8)]
    wish = {"name": "Anna", "embedding": embedding}
    status, answer = await post(http, watching, "/lookouts", wish)
    assert (status, answer["message"][:15]) == (429, "8 lookouts run:")
    watching.delete(f"/lookouts/{begun[0]['id']}")
    await begin(http, watching, embedding=embedding)


async def test_one_whose_session_is_ended_says_so_and_makes_room(http, watching):
    lookout = await begin(http, watching)
    watching.delete(f"/sessions/{lookout['session']}")
    listed = watching.wait_until("/lookouts", lambda answer: answer["lookouts"][0]["over"])
    assert listed["lookouts"][0]["problem"] == "its session was ended"
    watching.wait_until("/camera/status", lambda status: status["viewers"] == 0)


async def test_one_that_sees_nothing_says_why(http, tmp_path):
    """A camera that is not plugged in is tried again, and nobody is missed for it in silence."""
    device = "/dev/video-of-nobody"
    with running_server(tmp_path, *FLAGS, "--camera", device) as blind:
        lookout = await begin(http, blind)
        listed = blind.wait_until("/lookouts", lambda answer: answer["lookouts"][0]["problem"])
        (now,) = listed["lookouts"]
        assert (now["id"], now["over"]) == (lookout["id"], False)
        assert now["problem"].startswith(f"no camera: there is no {device}")


def _streams(answer):
    return [each for each in answer["sessions"] if each["state"] == "streaming"]


async def test_in_what_somebody_publishes(http, server, embedding):
    async with ClientPeer(server.url, publish="yard-published") as peer:
        await peer.connect(ColourTrack())
        # It streams from this event loop.
        await asyncio.to_thread(server.wait_until, "/sessions", _streams)
        lookout = await begin(http, server, embedding=embedding, source="yard-published")
        assert lookout["camera"] == "yard-published"
        path = f"/sessions/{lookout['session']}"
        await asyncio.to_thread(server.wait_until, path, lambda session: session["analyzed"] > 2)
    listed = server.wait_until("/lookouts", lambda answer: answer["lookouts"][0]["over"])
    assert listed["lookouts"][0]["sightings"] == []
    server.wait_until("/sessions", lambda answer: not answer["sessions"])
    server.delete(f"/lookouts/{lookout['id']}")


@pytest.mark.parametrize(
    ("wish", "status", "says"),
    [
        ({"embedding": "none"}, 400, "embedding"),
        ({"name": ""}, 400, "name"),
        ({"threshold": 3}, 400, "threshold"),
        ({"padding_s": 0}, 400, "padding_s"),
        ({"source": 3}, 403, "--allow-source 3"),
        ({"source": "http://127.0.0.1:1/no/"}, 403, "--allow-source"),
        ({"source": "one/video.mp4"}, 404, "by POST /find"),
    ],
)
async def test_what_is_refused(http, server, embedding, wish, status, says):
    got, answer = await post(
        http, server, "/lookouts", {"name": "Anna", "embedding": embedding, **wish}
    )
    assert got == status, answer
    assert says in answer["message"]
    assert server.get("/lookouts")["lookouts"] == []
    async with http.delete(f"{server.url}/lookouts/none") as response:
        assert response.status == 404
