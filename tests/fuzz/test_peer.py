"""What a peer that is let in may send: its own packets, with something in them changed.

They come as SCTP through DTLS, and as RTP and RTCP that the server decrypts: past everything that
keeps a stranger out. Strangers send datagrams to the port of a session that is somebody else's.
"""

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.security.identity import Scope
from server.security.tokens import issue
from tests.fuzz.bystander import Bystander
from tests.fuzz.conftest import ROUND
from tests.fuzz.hostile import Hostile, Packet
from tests.fuzz.mutations import mutated, several
from tests.support.server import COUNTER, Server, running_server

SECRET = "a secret of thirty-two characters"
TOKENS = {scope: issue(SECRET, [scope], 86400.0) for scope in Scope}
MOST_GROWTH_MB = 100
# Numbers that were made up last: an association that has seen many takes no more for new.
FRESH_AFTER_ROUNDS = 5

ROLES = {
    "sends VP8": ("--codec", "VP8", "--token", TOKENS[Scope.PUBLISH]),
    "sends H264": ("--codec", "H264", "--token", TOKENS[Scope.PUBLISH]),
    "watches": ("--play", "camera", "--token", TOKENS[Scope.VIEW]),
}


@pytest.fixture(scope="module")
def target(tmp_path_factory):
    """A server that asks for tokens, so that a viewer may do no more than watch."""
    with running_server(
        tmp_path_factory.mktemp("peer"),
        *("--auth-secret", SECRET, "--analyzers", COUNTER, "--workers", "1"),
        *("--resume-window", "0", "--max-sessions", "64", "--connections-per-address", "0"),
        *("--camera", "pattern", "--camera-size", "160x120", "--camera-fps", "10"),
    ) as server:
        yield server


@pytest.fixture(scope="module")
def bystander(target):
    with Bystander(target.url, TOKENS[Scope.PUBLISH]) as streaming:
        yield streaming


@pytest.fixture(params=ROLES)
def hostile(request, target):
    """A peer that has connected, and what it sends honestly."""
    with Hostile(target.url, *ROLES[request.param]) as peer:
        yield peer


@pytest.fixture
def memory(target, hostile):
    """The server's process has not grown."""
    before = resident_mb(target)
    yield
    assert resident_mb(target) - before < MOST_GROWTH_MB


def resident_mb(server: Server) -> float:
    return psutil.Process(server.process.pid).memory_info().rss / 2**20


def packets_of(samples: dict[str, list[bytes]]) -> st.SearchStrategy[Packet]:
    """Something for a door, made of what was recorded."""
    doors: dict[str, list[bytes]] = {}
    for kind, datas in samples.items():
        doors.setdefault(kind.split()[0], []).extend(datas)

    @st.composite
    def packet(draw: st.DrawFn) -> Packet:
        # Of each kind as many, not of each packet.
        kind = draw(st.sampled_from(sorted(samples)))
        door = kind.split()[0]
        if door in ("sctp", "rtcp") and draw(st.integers(0, 2)) == 0:
            data = draw(several(doors[door]))
        else:
            data = draw(mutated(draw(st.sampled_from(samples[kind]))))
        if door == "stun":
            door = "raw"
        elif draw(st.integers(0, 19)) == 0:
            door = draw(st.sampled_from(("dtls", "raw", "rtp", "rtcp")))
        return door, data, draw(st.integers(0, 7)) > 0

    return packet()


def test_a_peer_that_is_let_in(target, hostile, memory, repeat):
    rounds = 0

    @ROUND
    @given(st.lists(packets_of(hostile.samples), min_size=1, max_size=12))
    def attack(packets):
        hostile.send(packets)
        target.get("/health")

    def play() -> None:
        nonlocal rounds
        attack()
        rounds += 1
        if rounds % FRESH_AFTER_ROUNDS == 0:
            hostile.replace()

    repeat(play)


def test_strangers_end_nobody_s_session(target, hostile, memory, repeat):
    datagrams = st.one_of(
        st.sampled_from([b"", b"\x80", b"\x80" + bytes(1600), b"\x16" + bytes(60000), bytes(20)]),
        st.binary(max_size=64),
        st.sampled_from([data for datas in hostile.samples.values() for data in datas]).flatmap(
            mutated
        ),
    )

    @ROUND
    @given(st.lists(datagrams, min_size=1, max_size=12))
    def attack(packets):
        sent = [("stranger", data, False) for data in packets]
        assert hostile.send(sent, ask=True), f"{packets!r} ended a session of somebody else's"
        target.get("/health")

    repeat(attack)
