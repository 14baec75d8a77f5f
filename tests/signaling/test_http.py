import orjson
import pytest

from signaling.errors import BadMessage, BadSdp, Busy
from signaling.http import answer_body, error_body, parse_body
from signaling.messages import SessionInfo
from tests.signaling.offers import AUDIO_OFFER, CHROMIUM_OFFER


def test_the_older_client_s_body(aiortc_offer):
    offer = parse_body(orjson.dumps({"sdp": aiortc_offer, "type": "offer"}))
    assert offer.sdp == aiortc_offer
    assert (offer.resume, offer.play, offer.analyzers, offer.options) == (None, None, None, {})


def test_optional_keys_are_those_of_the_websocket():
    body = {
        "sdp": CHROMIUM_OFFER,
        "type": "offer",
        "resume": "token",
        "play": "camera",
        "publish": "yard",
        "analyzers": ["pose"],
        "options": {"pose": {"people": 2}},
        "results": "json",
        "pace": False,
        "unknown": [1],
    }
    offer = parse_body(orjson.dumps(body))
    assert offer.model_dump() == {key: body[key] for key in body if key != "unknown"}


@pytest.mark.parametrize(
    ("raw", "error", "says"),
    [
        (b"", BadMessage, "not JSON"),
        (b"\xff\xfe", BadMessage, "not JSON"),
        (b"{", BadMessage, "not JSON"),
        (b"[]", BadMessage, "offer: an object is due"),
        (b"null", BadMessage, "offer: an object is due"),
        (b'{"type": "offer"}', BadMessage, '"sdp" is missing'),
        (b'{"sdp": "v=0", "type": "answer"}', BadMessage, "\"type\" must be 'offer'"),
        (b'{"sdp": "", "type": "offer"}', BadSdp, "the SDP is empty"),
        (orjson.dumps({"sdp": AUDIO_OFFER}), BadSdp, "no video track"),
    ],
)
def test_bad_bodies(raw, error, says):
    with pytest.raises(error) as caught:
        parse_body(raw)
    assert says in caught.value.message
    assert error_body(caught.value) == (400, {}, {"message": caught.value.message, "code": 400})


def test_the_answer():
    session = SessionInfo(id="s1", resume="token")
    assert answer_body("v=0...", session) == {
        "sdp": "v=0...",
        "type": "answer",
        "session": {"id": "s1", "resume": "token"},
    }


def test_busy_says_when_to_come_back():
    status, headers, body = error_body(Busy("12 sessions run, the limit", retry_after_s=5))
    assert (status, headers) == (503, {"Retry-After": "5"})
    assert body == {"message": "12 sessions run, the limit", "code": 503}


def test_a_fault_of_ours_shows_no_details():
    expected = (500, {}, {"message": "internal error", "code": 500})
    assert error_body(RuntimeError("/home/secret")) == expected
