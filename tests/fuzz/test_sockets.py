"""Every WebSocket, given JSON, text and bytes that hypothesis makes up."""

import contextlib
import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from tests.fuzz.conftest import ROUND
from tests.fuzz.strategies import JSON, MESSAGES, PICTURES

# It warns of strategies whose description is long.
pytestmark = pytest.mark.filterwarnings("ignore::hypothesis.errors.HypothesisWarning")
ANSWER_WITHIN_S = 30.0
# A message too large, a frame that is no UTF-8: the only reasons to hang up on a client.
EXPECTED_CODES = {1007, 1009}


class Attacker:
    """A connection that is opened again when the server had reason to close it."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._socket: ClientConnection | None = None

    def send(self, message: str | bytes) -> None:
        """Send a message; the connection must live on, and no answer be a fault of the server's."""
        if self._socket is None:
            self._socket = connect(self._url, max_size=None, open_timeout=ANSWER_WITHIN_S)
        closed: ConnectionClosed | None = None
        try:
            self._socket.send(message)
            alive = self._socket.ping()
            assert alive.wait(ANSWER_WITHIN_S), f"no longer answers after {message!r:.200}"
            self._read()
        except ConnectionClosed as error:
            closed, self._socket = error, None
        code = closed.rcvd.code if closed and closed.rcvd else None
        assert closed is None or code in EXPECTED_CODES, f"{closed!r} after {message!r:.200}"

    def _read(self) -> None:
        assert self._socket is not None
        with contextlib.suppress(TimeoutError):
            while True:
                text = self._socket.recv(timeout=0)
                answer = json.loads(text)
                assert answer.get("code") != 500, answer
                assert "internal" not in str(answer.get("message", "")).lower(), answer

    def close(self) -> None:
        """Hang up."""
        if self._socket is not None:
            self._socket.close()


@pytest.fixture(params=["/signaling", "next port", "/ws", "/api/ai/realtime", "/video-stream/fuzz"])
def attacker(request, target):
    port, path = target.port, request.param
    if path == "next port":
        port, path = target.port + 1, "/"
    made = Attacker(f"ws://127.0.0.1:{port}{path}")
    yield made
    made.close()


def as_text(value: object) -> str:
    """JSON, with the numbers that only some parsers take."""
    return json.dumps(value, allow_nan=True)


SENT = st.one_of(
    MESSAGES.map(as_text),
    JSON.map(as_text),
    st.text(max_size=200),
    st.binary(max_size=200),
    PICTURES,
    st.sampled_from(["[" * 100_000, '{"type":' * 5_000, str(10**400), as_text(math.nan), "\x00"]),
)


def test_a_socket_answers_or_ignores_anything(attacker, repeat):
    @ROUND
    @given(SENT)
    def play(message):
        attacker.send(message)

    repeat(play)
