"""What the log says of where the server is."""

import logging

import pytest

from server.announce import announce, reachable_hosts
from server.config import parse_settings
from server.security import development_certificate


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def said(caplog, *flags, certificate=None):
    with caplog.at_level(logging.INFO):
        announce(parse_settings(flags), certificate)
    return caplog.text


@pytest.mark.parametrize(
    ("host", "shown"),
    [("192.0.2.7", "192.0.2.7"), ("::1", "[::1]"), ("localhost", "localhost")],
)
def test_an_address_as_it_is_in_a_url(host, shown):
    assert reachable_hosts(host) == [shown]


def test_listening_everywhere_is_told_as_what_can_be_typed():
    hosts = reachable_hosts("0.0.0.0")
    assert hosts[-1] == "127.0.0.1"
    assert "0.0.0.0" not in hosts
    assert not any(host.startswith("[") for host in hosts)
    assert all(host.startswith("[") for host in reachable_hosts("::"))


def test_both_ports_and_who_gets_in(caplog):
    text = said(caplog, "--port", "9000")
    assert "http://127.0.0.1:9000" in text
    assert "ws://127.0.0.1:9001" in text
    assert "token" not in text
    assert "WARNING" not in text


def test_a_server_that_is_open_to_all_says_so(caplog):
    assert "Nobody is asked" in said(caplog, "--host", "0.0.0.0", "--no-auth")


def test_a_server_that_asks_for_tokens_says_how_to_get_one(caplog):
    secret = "x" * 40
    text = said(caplog, "--host", "0.0.0.0", "--auth-secret", secret)
    assert "kinecast token" in text
    assert secret not in text


def test_a_self_signed_certificate_is_told_by_its_fingerprint(caplog, tmp_path):
    made = development_certificate.ensure(tmp_path)
    text = said(caplog, "--self-signed", certificate=made)
    assert made.fingerprint in text
    assert "https://127.0.0.1:8083" in text
    assert "wss://127.0.0.1:8084" in text
