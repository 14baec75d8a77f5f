import pytest

from signaling.ice import (
    IceServer,
    candidate_problem,
    client_ice_servers,
    is_number,
    own_ice_servers,
    parse_ice_servers,
    turn_credentials,
)

HOST = "1 1 udp 2130706431 192.0.2.1 50000 typ host"


@pytest.mark.parametrize("text", ["", "  ", ",", "[]"])
def test_no_servers(text):
    assert parse_ice_servers(text) == ()


def test_urls_separated_by_commas():
    text = " stun:stun.example.org, turn:10.0.0.1:3478?transport=udp,stuns:[2001:db8::1]:5349\n"
    assert parse_ice_servers(text) == (
        IceServer(("stun:stun.example.org",)),
        IceServer(("turn:10.0.0.1:3478?transport=udp",)),
        IceServer(("stuns:[2001:db8::1]:5349",)),
    )


def test_json():
    text = """[
        {"urls": "stun:a"},
        {"urls": ["turn:b?transport=tcp", "turns:b:443"], "username": "u", "credential": "p"},
        {"urls": ["turn:c"], "username": null}
    ]"""
    assert parse_ice_servers(text) == (
        IceServer(("stun:a",)),
        IceServer(("turn:b?transport=tcp", "turns:b:443"), "u", "p"),
        IceServer(("turn:c",)),
    )


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("http://example.org", "is not stun:HOST"),
        ("stun://example.org", "is not stun:HOST"),
        ("STUN:example.org", "is not stun:HOST"),
        ("stun:", "is not stun:HOST"),
        ("stun:a b", "is not stun:HOST"),
        ("stun:a:port", "is not stun:HOST"),
        ("stun:a:-1", "is not stun:HOST"),
        ("turn:a?transport=sctp", "is not stun:HOST"),
        ("turn:a:0", "the port must be 1 to 65535"),
        ("turn:a:65536", "the port must be 1 to 65535"),
        ("stun:a:3478?transport=udp", "only turn: and turns: have a transport"),
        ("stuns:a?transport=tcp", "only turn: and turns: have a transport"),
        ("stun:ok,junk", '"junk"'),
        ("[", "not JSON"),
        ('{"urls": "stun:a"}', "a JSON list is due"),
        ('["stun:a"]', "entry 1 is not an object"),
        ('[{"urls": "stun:a"}, {}]', 'entry 2 needs "urls"'),
        ('[{"urls": []}]', 'entry 1 needs "urls"'),
        ('[{"urls": 5}]', 'entry 1 needs "urls"'),
        ('[{"urls": [5]}]', "is not stun:HOST"),
        ('[{"urls": ["stun:a", "x"]}]', '"x" is not stun:HOST'),
        ('[{"urls": "turn:a", "username": 1, "credential": "p"}]', "must be strings"),
        ('[{"urls": "turn:a", "username": "u"}]', "go together"),
        ('[{"urls": "turn:a", "credential": "hunter2"}]', "go together"),
    ],
)
def test_what_a_server_list_may_not_be(text, says):
    with pytest.raises(ValueError, match=r"^ICE servers: ") as caught:
        parse_ice_servers(text)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_expiring_credentials_known_answer():
    # Computed apart from this code, with the time of expiry 1700000000 + 600:
    #   printf '1700000600:alice' | openssl dgst -sha1 -hmac 'north' -binary | base64
    username, credential = turn_credentials(
        secret="north", ttl_s=600, user="alice", now=1700000000.9
    )
    assert username == "1700000600:alice"
    assert credential == "gthUwOpcRoLI0MMCziCEBOWYnpo="


def _client(servers, secret="north"):
    return client_ice_servers(servers, secret=secret, ttl_s=600, user="alice", now=1700000000)


def test_stun_needs_no_credentials():
    assert _client([IceServer(("stun:a", "stuns:b"))]) == [{"urls": ["stun:a", "stuns:b"]}]


def test_lasting_credentials_are_kept():
    server = IceServer(("turn:a",), "u", "p")
    expected = [{"urls": ["turn:a"], "username": "u", "credential": "p"}]
    assert _client([server]) == expected
    assert _client([server], secret=None) == expected


@pytest.mark.parametrize("url", ["turn:a", "turns:a:443?transport=tcp"])
def test_turn_gets_expiring_credentials(url):
    made = {"username": "1700000600:alice", "credential": "gthUwOpcRoLI0MMCziCEBOWYnpo="}
    assert _client([IceServer((url, "stun:a"))]) == [{"urls": [url, "stun:a"], **made}]


@pytest.mark.parametrize("secret", [None, ""])
def test_turn_without_secret_is_left_out(secret):
    servers = [IceServer(("turn:a",)), IceServer(("turn:b", "stun:b"))]
    assert _client(servers, secret=secret) == [{"urls": ["stun:b"]}]


def test_for_ourselves_turn_needs_lasting_credentials():
    stun = IceServer(("stun:a:1",))
    both = IceServer(("stun:b:1", "turn:b:1"))
    made = IceServer(("turn:c:1",))
    lasting = IceServer(("turn:d:1",), "user", "password")
    assert own_ice_servers((stun, both, made, lasting)) == (
        stun,
        IceServer(("stun:b:1",)),
        lasting,
    )


@pytest.mark.parametrize(
    "line",
    [
        HOST,
        "4234997325 1 udp 2043278322 192.0.2.172 44323 typ srflx raddr 0.0.0.0 rport 0",
        "0 1 UDP 2122252543 2001:db8::7 9 typ host",
        "1 1 TCP 2105458943 192.0.2.2 9 typ host tcptype active",
        "842163049 1 udp 1677729535 192.0.2.3 50416 typ srflx raddr 0.0.0.0 rport 0 "
        "generation 0 ufrag Wm7x network-cost 999",
        "1 1 udp 2130706431 8d5f20a7-29b5-4b9a-9d7c-0c0f4e1c8a61.local 50000 typ host",
        HOST + " odd",
    ],
)
def test_candidates_that_are_taken(line):
    assert candidate_problem(line.split()) is None


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("", "is not"),
        ("garbage", "is not"),
        (HOST.replace("typ host", "typ guest"), "is not"),
        (HOST.replace("typ", "type"), "is not"),
        (HOST.replace("2130706431", "-1"), "is not"),
        (HOST.replace("2130706431", "\u0661"), "is not"),
        ("x" * 33 + HOST[1:], "is not"),
        (HOST.replace("50000", "65536"), "port"),
        (HOST.replace("2130706431", "4294967296"), "priority"),
        (HOST.replace("1 1 udp", "1 257 udp"), "component"),
        (HOST.replace("192.0.2.1", "192.0.2.256"), "is not an IP address"),
        (HOST.replace("192.0.2.1", "example.org"), "is not an IP address"),
        (HOST.replace("192.0.2.1", "a.b.local"), "is not an IP address"),
        (HOST.replace("192.0.2.1", "fe80::1%eth0"), "is not an IP address"),
        (HOST + " raddr 192.0.2.9 rport x", "rport"),
        (HOST + " rport 70000", "rport"),
        (HOST + " generation 1_0", "generation"),
    ],
)
def test_candidates_that_are_refused(line, says):
    problem = candidate_problem(line.split())
    assert problem is not None
    assert says in problem


@pytest.mark.parametrize(
    ("text", "expected"),
    [("0", True), ("9", True), ("10", False), ("", False), ("-1", False), ("1_", False)],
)
def test_numbers(text, expected):
    assert is_number(text, 9) is expected
    assert not is_number("9" * 5000, 9)
