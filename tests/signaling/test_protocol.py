import json

import pytest

from signaling.errors import BadSdp, Busy
from signaling.ice import MAX_CANDIDATES
from signaling.messages import IceCandidate, SessionInfo
from signaling.protocol import (
    MAX_MESSAGE_CHARS,
    AddCandidate,
    EndCandidates,
    Negotiate,
    Send,
    Signaling,
)
from signaling.sdp import MAX_SDP_CHARS
from tests.signaling.offers import AUDIO_OFFER, CHROMIUM_OFFER

SERVERS = [{"urls": ["stun:stun.example.org"]}]
LINE = "1 1 udp 2130706431 192.0.2.1 50000 typ host"
SUCCESS = {"type": "success", "data": None}
SESSION = SessionInfo(id="s1", resume="token-1")


@pytest.fixture
def signaling():
    return Signaling(ice_servers=lambda: SERVERS)


def message(type_, data=None):
    return json.dumps({"type": type_, "data": data})


def offer_message(**more):
    return message("offer", {"sdp": CHROMIUM_OFFER, "type": "offer", **more})


def candidate_message(number=0):
    line = LINE.replace("50000", str(50000 + number))
    data = {"candidate": f"candidate:{line}", "sdpMid": "0", "sdpMLineIndex": 0}
    return message("ice-candidate", data)


def candidate_effect(number=0):
    line = LINE.replace("50000", str(50000 + number))
    return AddCandidate(IceCandidate(candidate=line, sdpMid="0", sdpMLineIndex=0))


def sent(effects):
    """Return what `effects` send, decoded; everything in them must be a Send."""
    assert all(isinstance(effect, Send) for effect in effects)
    return [json.loads(effect.text) for effect in effects]


def error_of(effects):
    """Return the data of the error that is all of `effects`."""
    (only,) = sent(effects)
    assert only["type"] == "error"
    assert only.keys() == {"type", "data"}
    assert only["data"].keys() == {"message", "code"}
    assert "\n" not in only["data"]["message"]
    return only["data"]


def negotiated(signaling, **more):
    """Let `signaling` take an offer; return the offer to negotiate."""
    (effect,) = signaling.receive(offer_message(**more))
    assert isinstance(effect, Negotiate)
    return effect.offer


@pytest.mark.parametrize("type_", ["ice-servers", "ice-servers-request"])
@pytest.mark.parametrize("data", ["absent", None, {}, []])
def test_ice_servers(signaling, type_, data):
    text = json.dumps({"type": type_}) if data == "absent" else message(type_, data)
    assert sent(signaling.receive(text)) == [{"type": "ice-servers", "data": SERVERS}]


def test_ice_servers_are_asked_for_each_time():
    calls = iter([[{"urls": ["stun:a"]}], [{"urls": ["stun:b"]}]])
    signaling = Signaling(ice_servers=lambda: next(calls))
    answers = [sent(signaling.receive(message("ice-servers")))[0]["data"] for _ in range(2)]
    assert answers == [[{"urls": ["stun:a"]}], [{"urls": ["stun:b"]}]]


def test_offer_and_answer(signaling):
    offer = negotiated(signaling, analyzers=["pose"], play="camera")
    assert (offer.sdp, offer.analyzers, offer.play) == (CHROMIUM_OFFER, ["pose"], "camera")
    assert offer.resume is None
    assert sent(signaling.answered("v=0...", SESSION)) == [
        {
            "type": "answer",
            "data": {
                "sdp": "v=0...",
                "type": "answer",
                "session": {"id": "s1", "resume": "token-1"},
            },
        }
    ]


def test_an_offer_as_the_older_client_makes_it(signaling, aiortc_offer):
    (effect,) = signaling.receive(message("offer", {"sdp": aiortc_offer, "type": "offer"}))
    assert effect.offer.sdp == aiortc_offer


def test_a_second_offer_continues_the_session(signaling):
    negotiated(signaling)
    signaling.answered("v=0", SESSION)
    assert negotiated(signaling).resume == "token-1"
    signaling.answered("v=0", SessionInfo(id="s1", resume="token-2"))
    assert negotiated(signaling).resume == "token-2"


def test_a_second_offer_may_name_another_session(signaling):
    negotiated(signaling)
    signaling.answered("v=0", SESSION)
    assert negotiated(signaling, resume="elsewhere").resume == "elsewhere"


def test_the_session_can_be_resumed_after_a_failed_offer(signaling):
    negotiated(signaling)
    signaling.answered("v=0", SESSION)
    negotiated(signaling)
    signaling.failed(BadSdp("no"))
    assert negotiated(signaling).resume == "token-1"


def test_an_offer_while_one_is_negotiated(signaling):
    negotiated(signaling)
    error = error_of(signaling.receive(offer_message()))
    assert error["code"] == 400
    assert "wait for its answer" in error["message"]
    assert sent(signaling.answered("v=0", SESSION))[0]["type"] == "answer"


def test_a_known_failure_keeps_its_code(signaling):
    negotiated(signaling)
    effects = signaling.failed(Busy("no room", retry_after_s=5))
    assert error_of(effects) == {"message": "no room", "code": 503}
    negotiated(signaling)


def test_an_unknown_failure_shows_no_details(signaling):
    negotiated(signaling)
    effects = signaling.failed(ZeroDivisionError("line 42 of secret.py"))
    assert error_of(effects) == {"message": "internal error", "code": 500}


def test_a_failure_after_the_answer_changes_nothing(signaling):
    negotiated(signaling)
    signaling.answered("v=0", SESSION)
    assert error_of(signaling.failed(ValueError()))["code"] == 500
    assert signaling.receive(candidate_message())[0] == candidate_effect()


def test_an_answer_to_nothing_is_a_fault_of_the_caller(signaling):
    with pytest.raises(RuntimeError, match="without an offer"):
        signaling.answered("v=0", SESSION)


def test_a_candidate_before_any_offer(signaling):
    error = error_of(signaling.receive(candidate_message()))
    assert error["code"] == 400
    assert "send the offer first" in error["message"]
    negotiated(signaling)
    assert len(signaling.answered("v=0", SESSION)) == 1


def test_a_candidate_after_a_refused_offer(signaling):
    error_of(signaling.receive(message("offer", {"sdp": AUDIO_OFFER})))
    assert "send the offer first" in error_of(signaling.receive(candidate_message()))["message"]


def test_candidates_after_the_answer(signaling):
    negotiated(signaling)
    signaling.answered("v=0", SESSION)
    effect, *rest = signaling.receive(candidate_message())
    assert effect == candidate_effect()
    assert sent(rest) == [SUCCESS]


def test_candidates_are_held_while_negotiating(signaling):
    negotiated(signaling)
    for number in range(3):
        assert sent(signaling.receive(candidate_message(number))) == [SUCCESS]
    assert sent(signaling.receive(message("ice-candidate", {}))) == [SUCCESS]
    answer, *held = signaling.answered("v=0", SESSION)
    assert sent([answer])[0]["type"] == "answer"
    assert held == [*(candidate_effect(number) for number in range(3)), EndCandidates()]
    (effect, _) = signaling.receive(candidate_message(9))
    assert effect == candidate_effect(9)


def test_held_candidates_are_dropped_on_failure(signaling):
    negotiated(signaling)
    signaling.receive(candidate_message())
    assert len(signaling.failed(BadSdp("no"))) == 1
    negotiated(signaling)
    assert len(signaling.answered("v=0", SESSION)) == 1


@pytest.mark.parametrize("data", [None, {}, {"candidate": None}, {"sdp": "", "sdpMid": "0"}])
def test_end_of_candidates(signaling, data):
    negotiated(signaling)
    signaling.answered("v=0", SESSION)
    effect, *rest = signaling.receive(message("ice-candidate", data))
    assert effect == EndCandidates()
    assert sent(rest) == [SUCCESS]


@pytest.mark.parametrize("negotiating", [True, False])
@pytest.mark.parametrize(
    "data",
    [
        {"candidate": "garbage", "sdpMid": "0"},
        {"sdp": LINE.replace("192.0.2.1", "example.org"), "sdpMid": "0"},
        {"sdp": 5},
        {"sdpMid": "0"},
        "candidate:" + LINE,
        [],
    ],
)
def test_a_bad_candidate_has_no_effect(signaling, data, negotiating):
    negotiated(signaling)
    if not negotiating:
        signaling.answered("v=0", SESSION)
    assert error_of(signaling.receive(message("ice-candidate", data)))["code"] == 400
    if negotiating:
        assert len(signaling.answered("v=0", SESSION)) == 1


def test_the_number_of_candidates_is_bounded_for_each_offer(signaling):
    negotiated(signaling)
    for number in range(MAX_CANDIDATES):
        assert sent(signaling.receive(candidate_message(number))) == [SUCCESS]
    error = error_of(signaling.receive(candidate_message(MAX_CANDIDATES)))
    assert str(MAX_CANDIDATES) in error["message"]
    assert len(signaling.answered("v=0", SESSION)) == 1 + MAX_CANDIDATES
    negotiated(signaling)
    assert sent(signaling.receive(candidate_message())) == [SUCCESS]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (b'{"type": "ice-servers"}', "text is due"),
        (b"\xff\x00", "text is due"),
        ("", "not JSON"),
        ("hello", 'not JSON: "hello"'),
        ("{'type': 'offer'}", "not JSON"),
        ('{"type": "offer", "data": NaN}', "not JSON"),
        ('{"type": "\\ud800"}', "not JSON"),
        ("\ud800", "not JSON"),
        ("[" * 40_000, "not JSON"),
        ("[]", "must be an object"),
        ('"offer"', "must be an object"),
        ("null", "must be an object"),
        ("{}", 'needs a "type"'),
        ('{"type": 5}', 'needs a "type"'),
        ('{"type": ["offer"]}', 'needs a "type"'),
        ('{"type": "offer"}', 'needs "data" that is an object'),
        ('{"type": "offer", "data": null}', 'needs "data" that is an object'),
        ('{"type": "offer", "data": "v=0"}', 'needs "data" that is an object'),
        ('{"type": "offer", "data": {}}', '"sdp" is missing'),
        ('{"type": "offer", "data": {"sdp": "junk"}}', 'must start with "v=0"'),
        ('{"type": "offer", "data": {"sdp": "v=0", "type": "answer"}}', '"type" must be'),
        ('{"type": "bye\\n"}', r'unknown message type "bye\n": known are offer, ice-candidate'),
        ('{"type": "answer", "data": {}}', "unknown message type"),
        (" " * (MAX_MESSAGE_CHARS + 1), f"at most {MAX_MESSAGE_CHARS}"),
    ],
)
def test_what_gets_an_error(signaling, text, says):
    error = error_of(signaling.receive(text))
    assert error["code"] == 400
    assert says in error["message"]
    assert len(error["message"]) < 300
    negotiated(signaling)


@pytest.mark.parametrize("chars", [MAX_SDP_CHARS + 1, 2_000_000])
def test_a_very_long_sdp(signaling, chars):
    text = message("offer", {"sdp": CHROMIUM_OFFER.ljust(chars), "type": "offer"})
    error = error_of(signaling.receive(text))
    assert "too long" in error["message"]
    assert "at most" in error["message"]
    negotiated(signaling)


def test_a_whole_conversation_of_errors_leaves_a_session_running(signaling):
    negotiated(signaling)
    signaling.answered("v=0", SESSION)
    for text in ("junk", b"junk", "{}", message("offer", {"sdp": "junk"}), message("nothing")):
        error_of(signaling.receive(text))
    assert signaling.receive(candidate_message())[0] == candidate_effect()
    assert negotiated(signaling).resume == "token-1"
