import random

import pytest
from aiortc.sdp import candidate_from_sdp

from signaling.errors import BadMessage, BadSdp, SignalingError
from signaling.messages import (
    MAX_ANALYZERS,
    MAX_CANDIDATE_CHARS,
    MAX_NAME_CHARS,
    MAX_RESUME_CHARS,
    parse_candidate,
    parse_offer,
)
from signaling.sdp import MAX_SDP_CHARS
from tests.signaling.offers import (
    CANDIDATE,
    CHROMIUM_OFFER,
    DATA_OFFER,
    VIDEO_OFFER,
    mutate,
    replaced,
)
from tests.signaling.refusals import refusal

# --- Offers ---


def test_all_of_an_offer():
    data = {
        "sdp": CHROMIUM_OFFER,
        "type": "offer",
        "resume": "token",
        "play": "camera/annotated",
        "publish": "yard-2.left_A",
        "analyzers": ["pose", "exercise"],
        "options": {"pose": {"people": 2, "deep": {"er": [1]}}},
        "results": "cbor",
        "pace": True,
    }
    offer = parse_offer({**data, "unknown": object()})
    assert offer.model_dump() == data


@pytest.mark.parametrize("absent", [{}, {"type": "offer"}])
@pytest.mark.parametrize(
    "more",
    [
        {},
        {"resume": None, "play": None, "publish": None, "analyzers": None, "options": None},
        {"results": None},
        {"resume": "", "play": "", "publish": "", "options": {}},
    ],
)
def test_optional_keys(absent, more):
    offer = parse_offer({"sdp": CHROMIUM_OFFER, **absent, **more})
    assert offer.type == "offer"
    assert (offer.resume, offer.play, offer.analyzers, offer.options) == (None, None, None, {})
    assert offer.publish is None


def test_an_empty_list_of_analyzers_is_not_the_default_one():
    assert parse_offer({"sdp": CHROMIUM_OFFER, "analyzers": []}).analyzers == []


@pytest.mark.parametrize("data", [None, [], "offer", 5])
def test_an_offer_is_an_object(data):
    assert refusal(BadMessage, parse_offer, data) == "offer: an object is due"


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"sdp": None}, '"sdp" must be a string'),
        ({"sdp": 5}, '"sdp" must be a string'),
        ({"sdp": b"v=0"}, '"sdp" must be a string'),
        ({"sdp": "\ud800"}, '"sdp"'),
        ({"sdp": "v" * (MAX_SDP_CHARS + 1)}, f"at most {MAX_SDP_CHARS} characters"),
        ({"sdp": "v=0" + "x" * 2_000_000}, f"at most {MAX_SDP_CHARS} characters"),
        ({"type": "answer"}, "\"type\" must be 'offer'"),
        ({"type": None}, "\"type\" must be 'offer'"),
        ({"resume": 5}, '"resume" must be a string'),
        ({"resume": "t" * (MAX_RESUME_CHARS + 1)}, f"at most {MAX_RESUME_CHARS} characters"),
        ({"play": ["camera"]}, '"play" must be a string'),
        ({"play": "p" * (MAX_NAME_CHARS + 1)}, f"at most {MAX_NAME_CHARS} characters"),
        ({"results": "xml"}, "\"results\" must be 'json' or 'cbor'"),
        ({"results": ["cbor"]}, "\"results\" must be 'json' or 'cbor'"),
        ({"publish": 5}, '"publish" must be a string'),
        ({"publish": "a/b"}, '"publish": a name has 1 to 128 of A-Z, a-z, 0-9, _, . and -'),
        ({"publish": "y" * 129}, "a name has 1 to 128"),
        ({"publish": "y\n"}, "a name has 1 to 128"),
        ({"publish": ".."}, 'the name ".." is taken by the server itself'),
        ({"publish": "0123456789abcdef"}, "could be a session's id: choose another"),
        ({"publish": "camera"}, "is taken by the server itself: choose another"),
        ({"analyzers": "pose"}, '"analyzers"'),
        ({"analyzers": [5]}, '"analyzers.0" must be a string'),
        ({"analyzers": [""]}, '"analyzers.0"'),
        ({"analyzers": ["a"] * (MAX_ANALYZERS + 1)}, f"at most {MAX_ANALYZERS}"),
        ({"analyzers": ["a" * (MAX_NAME_CHARS + 1)]}, f"at most {MAX_NAME_CHARS} characters"),
        ({"options": []}, '"options"'),
        ({"options": {"pose": 5}}, '"options.pose"'),
        ({"options": {"a\nb": 5}}, r'"options.a\nb"'),
        ({"options": {"x" * 300: {}}}, f"at most {MAX_NAME_CHARS} characters"),
        ({"options": {str(n): {} for n in range(MAX_ANALYZERS + 1)}}, f"at most {MAX_ANALYZERS}"),
    ],
)
def test_what_an_offer_may_not_hold(more, says):
    text = refusal(BadMessage, parse_offer, {"sdp": CHROMIUM_OFFER, **more})
    assert text.startswith("offer: ")
    assert says in text


def test_a_missing_sdp():
    assert refusal(BadMessage, parse_offer, {"type": "offer"}) == 'offer: "sdp" is missing'


def test_resuming_follows_the_same_rules():
    data = {"sdp": DATA_OFFER, "resume": "token"}
    assert "no video track" in refusal(BadSdp, parse_offer, data)


def test_watching_needs_no_video_from_the_client():
    sdp = replaced(VIDEO_OFFER, "a=sendrecv", "a=recvonly")
    assert parse_offer({"sdp": sdp, "play": "camera"}).play == "camera"


# --- Candidates ---


@pytest.mark.parametrize("key", ["sdp", "candidate"])
@pytest.mark.parametrize("prefix", ["", "candidate:", "a=candidate:", " candidate:"])
def test_a_candidate(key, prefix):
    data = {
        key: f"{prefix}{CANDIDATE}\r\n",
        "sdpMid": "0",
        "sdpMLineIndex": 0,
        "usernameFragment": "x",
    }
    candidate = parse_candidate(data)
    assert candidate is not None
    assert candidate.model_dump() == {"candidate": CANDIDATE, "sdpMid": "0", "sdpMLineIndex": 0}
    parsed = candidate_from_sdp(candidate.candidate)
    assert (parsed.ip, parsed.port, parsed.type) == ("192.0.2.1", 50000, "host")


@pytest.mark.parametrize("where", [{"sdpMid": "0"}, {"sdpMLineIndex": 0}])
def test_one_place_is_enough(where):
    assert parse_candidate({"candidate": CANDIDATE, **where}) is not None


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"candidate": ""},
        {"candidate": None},
        {"sdp": "", "sdpMid": "0", "sdpMLineIndex": 0},
        {"candidate": "candidate:"},
        {"candidate": "a=end-of-candidates"},
        {"candidate": "", "sdp": None},
    ],
)
def test_the_end_of_candidates(data):
    assert parse_candidate(data) is None


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (None, "an object is due"),
        (CANDIDATE, "an object is due"),
        ({"sdpMid": "0"}, "the line is missing"),
        ({"candidate": CANDIDATE}, '"sdpMid" or "sdpMLineIndex"'),
        ({"candidate": 5}, '"candidate" must be a string'),
        ({"candidate": "x" * 1025}, f"at most {MAX_CANDIDATE_CHARS} characters"),
        ({"candidate": CANDIDATE, "sdpMid": 0}, '"sdpMid" must be a string'),
        ({"candidate": CANDIDATE, "sdpMid": "x" * 257}, f"at most {MAX_NAME_CHARS} characters"),
        ({"candidate": CANDIDATE, "sdpMLineIndex": "0"}, '"sdpMLineIndex"'),
        ({"candidate": CANDIDATE, "sdpMLineIndex": -1}, '"sdpMLineIndex"'),
        ({"candidate": CANDIDATE, "sdpMLineIndex": 65536}, '"sdpMLineIndex"'),
        ({"candidate": "garbage", "sdpMid": "0"}, "FOUNDATION COMPONENT"),
        (
            {"candidate": CANDIDATE.replace("192.0.2.1", "a.org"), "sdpMid": "0"},
            "not an IP address",
        ),
    ],
)
def test_bad_candidates(data, says):
    text = refusal(BadMessage, parse_candidate, data)
    assert text.startswith("ice-candidate: ")
    assert says in text


def test_random_changes_to_candidates():
    source = random.Random(3)
    accepted = 0
    for _ in range(2000):
        line = mutate(f"candidate:{CANDIDATE} raddr 0.0.0.0 rport 9 generation 0", source)
        try:
            candidate = parse_candidate({"candidate": line, "sdpMid": "0"})
        except SignalingError:
            continue
        if candidate is not None:
            candidate_from_sdp(candidate.candidate)
            accepted += 1
    assert accepted > 100
