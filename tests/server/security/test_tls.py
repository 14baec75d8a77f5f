"""TLS as it is spoken, and the certificate that the server makes for itself."""

import asyncio
import datetime
import ipaddress
import os
import ssl
import stat

import aiohttp
import pytest
from aiohttp import web
from cryptography import x509

from server.http import origins
from server.http.route import Route
from server.security import development_certificate as development
from tests.support.guarded import guarded
from tests.support.server import COUNTER, running_server

NOW = datetime.datetime(2030, 1, 1, tzinfo=datetime.UTC)
NAMES = ["localhost", "box"]
ADDRESSES = [ipaddress.ip_address("127.0.0.1"), ipaddress.ip_address("192.0.2.7")]


async def answer(request):
    return web.json_response(origins.is_same(request.headers["Origin"], request))


ROUTES = (Route("GET", "/", answer, "", None),)


def make(folder, now=NOW, names=NAMES, addresses=ADDRESSES):
    return development.ensure(folder, now=now, for_names=names, for_addresses=addresses)


async def handshake(port, **changes):
    """Agree on TLS with a server; returns protocol and cipher."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    context.set_ciphers(changes.pop("ciphers", "ALL:@SECLEVEL=0"))
    for name, value in changes.items():
        setattr(context, name, value)
    _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
    agreed = writer.get_extra_info("ssl_object")
    said = agreed.version(), agreed.cipher()[0]
    writer.close()
    return said


async def test_what_is_spoken():
    async with guarded(ROUTES, pem=development.ensure().path) as server:
        assert (await handshake(server.port))[0] == "TLSv1.3"
        older = await handshake(server.port, maximum_version=ssl.TLSVersion.TLSv1_2)
        assert older[0] == "TLSv1.2"
        assert older[1].startswith("ECDHE-")
        assert "GCM" in older[1] or "CHACHA20" in older[1]
        with pytest.raises((ssl.SSLError, ConnectionError)):
            await handshake(server.port, maximum_version=ssl.TLSVersion.TLSv1_1)
        with pytest.raises((ssl.SSLError, ConnectionError)):
            await handshake(
                server.port,
                maximum_version=ssl.TLSVersion.TLSv1_2,
                ciphers="ECDHE-ECDSA-AES128-SHA256:ECDHE-ECDSA-AES256-SHA384",
            )


async def test_a_page_without_tls_is_no_page_of_a_server_with_it():
    async with (
        guarded(ROUTES, "--allow-origin", "*", pem=development.ensure().path) as server,
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=False)) as http,
    ):
        for scheme, same in (("https", True), ("http", False)):
            headers = {"Origin": f"{scheme}://127.0.0.1:{server.port}"}
            async with http.get(server.url, headers=headers) as response:
                assert await response.json() is same


def test_a_certificate_is_made_once_and_only_its_user_may_read_it(tmp_path):
    made = make(tmp_path / "data")
    assert stat.S_IMODE(made.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(made.path.parent.stat().st_mode) == 0o700
    assert os.listdir(made.path.parent) == [made.path.name]
    assert make(tmp_path / "data", NOW + datetime.timedelta(days=200)) == made


@pytest.mark.parametrize(
    "changes",
    [
        {"now": NOW + datetime.timedelta(days=340)},
        {"now": NOW + datetime.timedelta(days=4000)},
        {"now": NOW - datetime.timedelta(days=10)},
        {"names": [*NAMES, "renamed"]},
        {"addresses": [ipaddress.ip_address("198.51.100.1")]},
    ],
)
def test_it_is_made_anew_when_it_no_longer_does(tmp_path, changes):
    made = make(tmp_path)
    renewed = make(tmp_path, **changes)
    assert renewed.fingerprint != made.fingerprint
    assert make(tmp_path, **changes) == renewed


def test_fewer_names_than_before_are_no_reason(tmp_path):
    made = make(tmp_path)
    assert make(tmp_path, addresses=ADDRESSES[:1]) == made


def test_a_damaged_one_is_replaced(tmp_path):
    made = make(tmp_path)
    made.path.write_bytes(made.path.read_bytes()[:300])
    assert make(tmp_path).fingerprint != made.fingerprint


def test_what_it_says(tmp_path):
    certificate = x509.load_pem_x509_certificate(make(tmp_path).path.read_bytes())
    named = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert named.get_values_for_type(x509.DNSName) == NAMES
    assert named.get_values_for_type(x509.IPAddress) == ADDRESSES
    limits = certificate.extensions.get_extension_for_class(x509.BasicConstraints)
    assert not limits.value.ca
    # More than that, and Apple's systems refuse it.
    assert certificate.not_valid_after_utc - certificate.not_valid_before_utc < datetime.timedelta(
        days=825
    )


def test_this_machines_names_and_addresses():
    assert ipaddress.ip_address("127.0.0.1") in development.addresses()
    assert not any(address.is_link_local for address in development.addresses())
    assert "localhost" in development.names()


async def test_a_server_with_it(tmp_path):
    """A client that trusts the certificate needs no exception, for a name or an address."""
    flags = ("--analyzers", COUNTER, "--workers", "1", "--self-signed")
    with running_server(tmp_path, *flags, scheme="https") as server:
        server.wait_until_logged("Signaling WebSocket")
        pem = tmp_path / "data" / "kinecast" / development.FILE_NAME
        context = ssl.create_default_context(cafile=str(pem))
        async with aiohttp.ClientSession() as http:
            for host in ("127.0.0.1", "localhost"):
                url = f"https://{host}:{server.port}/health"
                async with http.get(url, ssl=context) as response:
                    assert response.status == 200
            url = f"wss://127.0.0.1:{server.port + 1}/"
            async with http.ws_connect(url, ssl=context) as ws:
                await ws.send_json({"type": "ice-servers"})
                assert (await ws.receive_json(timeout=60))["type"] == "ice-servers"
        fingerprint = development.ensure(pem.parent).fingerprint
        assert fingerprint in server.log
        assert f"https://127.0.0.1:{server.port}" in server.log
