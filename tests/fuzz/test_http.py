"""Every path of /openapi.json, with what it allows and what it does not; offers; pictures."""

import asyncio
import json
import urllib.error
import urllib.request
from email.message import Message

import pytest
import schemathesis
from aiortc import RTCConfiguration, RTCPeerConnection
from hypothesis import given
from hypothesis import strategies as st
from schemathesis.specs.openapi.checks import response_schema_conformance

from client_test.ice_hosts import offering
from tests.fuzz.conftest import ROUND
from tests.fuzz.strategies import JSON, MESSAGES, PICTURES, descriptions

# It warns of strategies whose description is long.
pytestmark = pytest.mark.filterwarnings("ignore::hypothesis.errors.HypothesisWarning")
BOUNDARY = "2f6f1c"
# What a request that can not be met is answered with. A fault of the server's is not among them.
REFUSED = {400, 404, 406, 409, 413, 415, 422, 429, 503}


def post(
    url: str, body: bytes, content_type: str = "application/json"
) -> tuple[int, bytes, Message]:
    """Status, body and headers of the answer."""
    request = urllib.request.Request(
        url, body, {"Content-Type": content_type, "Connection": "close"}, method="POST"
    )
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, answer.read(), answer.headers
    except urllib.error.HTTPError as error:
        return error.code, error.read(), error.headers


@pytest.fixture(scope="module")
def api(target):
    return schemathesis.openapi.from_url(f"{target.url}/openapi.json")


def test_what_the_description_allows_and_does_not(api, repeat):
    # An endless stream of events has no end that could be waited for.
    operations = [
        result.ok()
        for result in api.get_all_operations()
        if not result.ok().path.endswith(("/results", "/stream.mjpg"))
    ]

    @ROUND
    @given(st.data())
    def play(data):
        operation = data.draw(st.sampled_from(operations))
        mode = data.draw(st.sampled_from(list(schemathesis.GenerationMode)))
        case = data.draw(operation.as_strategy(generation_mode=mode))
        response = case.call(timeout=60)
        assert response.status_code != 500, response.text
        case.validate_response(response, checks=[response_schema_conformance])

    repeat(play)


@pytest.fixture(scope="module")
def offer():
    """The session description of a real offer."""
    return asyncio.run(make_offer())


async def make_offer() -> str:
    connection = RTCPeerConnection(RTCConfiguration([]))
    connection.addTransceiver("video")
    connection.addTransceiver("audio")
    connection.createDataChannel("data")
    with offering(("127.0.0.1",)):
        await connection.setLocalDescription(await connection.createOffer())
    sdp = connection.localDescription.sdp
    await connection.close()
    return sdp


def test_session_descriptions(target, offer, repeat):
    @ROUND
    @given(
        descriptions(offer),
        st.dictionaries(st.sampled_from(("options", "resume", "play", "publish")), JSON),
    )
    def play(sdp, more):
        body = json.dumps({"sdp": sdp, "type": "offer", **more}).encode()
        status, answer, _ = post(f"{target.url}/offer", body)
        assert status == 200 or status in REFUSED, answer
        if status == 200:
            session = json.loads(answer)["session"]
            if session is None:  # It only watches, until it is given up.
                return
            sid = session["id"]
            request = urllib.request.Request(f"{target.url}/sessions/{sid}", method="DELETE")
            urllib.request.urlopen(request, timeout=30).read()

    repeat(play)


@pytest.mark.parametrize(
    ("path", "direction"), [("/whep/camera", "a=recvonly"), ("/whip/yard", "a=sendonly")]
)
def test_session_descriptions_of_viewers_and_publishers(target, offer, repeat, path, direction):
    @ROUND
    @given(descriptions(offer.replace("a=sendrecv", direction)))
    def play(sdp):
        url = target.url + path
        status, answer, headers = post(url, sdp.encode(errors="replace"), "application/sdp")
        assert status == 201 or status in REFUSED, answer
        if status != 201:
            return
        resource = headers["Location"]
        leaving = urllib.request.Request(target.url + resource, method="DELETE")
        urllib.request.urlopen(leaving, timeout=30).read()

    repeat(play)


def test_pictures_in_forms(target, repeat):
    @ROUND
    @given(PICTURES, st.sampled_from(("image", "picture", "")))
    def play(picture, field):
        body = (
            f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{field}"; filename="a"\r\n\r\n'
        ).encode()
        body += picture + f"\r\n--{BOUNDARY}--\r\n".encode()
        status, answer, _ = post(
            f"{target.url}/pose", body, f"multipart/form-data; boundary={BOUNDARY}"
        )
        assert status == 200 or status in REFUSED, answer

    repeat(play)


@pytest.mark.parametrize("path", ["/upload-embedding", "/find", "/offer"])
def test_json_bodies(target, repeat, path):
    bodies = st.one_of(MESSAGES, JSON).map(json.dumps) | st.text()

    @ROUND
    @given(bodies.map(lambda text: text.encode(errors="replace")) | st.binary())
    def play(body):
        status, answer, _ = post(f"{target.url}{path}", body)
        assert status == 200 or status in REFUSED, answer

    repeat(play)
