"""What a browser is told of every answer."""

import datetime

import aiohttp
import pytest
from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from server.http.route import Route
from server.security import tls
from server.security.development_certificate import ensure
from server.security.identity import Scope
from tests.support.guarded import guarded


async def page(request):
    return web.Response(text="<h1>hello</h1>", content_type="text/html")


async def fail(request):
    raise RuntimeError("secret details")


async def stream(request):
    response = web.StreamResponse()
    await response.prepare(request)
    await response.write(b"part")
    return response


ROUTES = (
    Route("GET", "/page", page, "", None),
    Route("GET", "/failing", fail, "", None),
    Route("GET", "/stream", stream, "", None),
    Route("GET", "/closed", page, "", Scope.VIEW),
)


@pytest.fixture
async def http():
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=False)) as session:
        yield session


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/page", 200),
        ("HEAD", "/page", 200),
        ("GET", "/stream", 200),
        ("GET", "/failing", 500),
        ("GET", "/nowhere", 404),
        ("POST", "/page", 405),
        ("GET", "/closed", 401),
    ],
)
async def test_every_answer_has_them(http, method, path, status):
    async with (
        guarded(ROUTES, "--auth-secret", "s" * 40) as server,
        http.request(method, server.url + path) as response,
    ):
        assert response.status == status
        assert "secret details" not in await response.text()
        headers = response.headers
        policy = dict(part.split(" ", 1) for part in headers["Content-Security-Policy"].split("; "))
        assert policy["default-src"] == "'none'"
        assert policy["script-src"] == "'self'"
        assert policy["style-src"] == "'self'"
        assert policy["frame-ancestors"] == "'none'"
        assert "unsafe" not in headers["Content-Security-Policy"]
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert "camera=(self)" in headers["Permissions-Policy"]
        assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
        assert headers["Server"] == "kinecast"
        assert "Strict-Transport-Security" not in headers


@pytest.mark.parametrize(
    ("asks", "policy"),
    [
        ({}, "same-origin"),
        ({"Origin": "http://localhost:3000"}, "cross-origin"),
        ({"Referer": "http://localhost:3000/gallery"}, "cross-origin"),
        ({"Referer": "http://localhost:3000.evil.example/"}, "same-origin"),
    ],
)
async def test_pictures_may_be_shown_by_pages_of_origins_that_are_let_in_only(http, asks, policy):
    flags = ("--allow-origin", "http://localhost:3000")
    async with (
        guarded(ROUTES, *flags) as server,
        http.get(server.url + "/page", headers=asks) as response,
    ):
        assert response.headers["Cross-Origin-Resource-Policy"] == policy


async def test_browsers_insist_on_tls_only_where_somebody_vouches_for_the_server(http, tmp_path):
    pem = ensure().path
    assert tls.is_self_signed(pem)
    async with guarded(ROUTES, pem=pem) as server, http.get(server.url + "/page") as response:
        assert "Strict-Transport-Security" not in response.headers
    signed = signed_by_another(tmp_path)
    assert not tls.is_self_signed(signed)
    flags = ("--cert-file", str(signed), "--key-file", str(signed))
    async with (
        guarded(ROUTES, *flags, pem=signed) as server,
        http.get(server.url + "/page") as response,
    ):
        assert "max-age=" in response.headers["Strict-Transport-Security"]


def signed_by_another(folder):
    """A certificate whose issuer is somebody else; with its key, in one file."""
    key, authority = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    subject, issuer = (
        x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]) for name in ("us", "authority")
    )
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .sign(authority, hashes.SHA256())
    )
    path = folder / "signed.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    return path
