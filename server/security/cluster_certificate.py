"""TLS between machines that share a secret: each shows that it has it, and nobody else gets in.

All make the same key and the same certificate of the secret, show it to each other, and trust that
one alone. So there is nothing to hand out but the secret, and what goes over the wire can be
neither read nor changed nor sent again, which a signature beside each message would not give.
"""

from __future__ import annotations

import datetime
import ssl
import tempfile
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt
from cryptography.x509.oid import NameOID

# Whoever connects is shown the certificate before it has to show its own, and could try secrets on
# it: 16 MB and some 50 ms a try (RFC 7914), of secrets of 32 characters or more.
_COST, _BLOCKS, _PARALLEL = 1 << 14, 8, 1
_SALT = b"kinecast cluster 1"
# It is good for as long as the secret is (RFC 5280, section 4.1.2.5).
_FROM = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)
_FOR_EVER = datetime.datetime(9999, 12, 31, 23, 59, 59, tzinfo=datetime.UTC)


def contexts(secret: str) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """TLS 1.3 for those who have a secret, as a server and as a client.

    Parameters
    ----------
    secret
        Checked to be long enough; to derive the key takes some 50 ms.
    """
    certificate, private = _make(secret)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    # It is the same for all of them: it tells who somebody is, not where.
    client.check_hostname = False
    with tempfile.TemporaryDirectory(prefix="kinecast-") as directory:
        # OpenSSL reads keys from files alone; nobody else may enter this directory.
        path = Path(directory) / "cluster.pem"
        path.write_bytes(private + certificate)
        for context in (server, client):
            context.minimum_version = ssl.TLSVersion.TLSv1_3
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_cert_chain(path)
            context.load_verify_locations(cadata=certificate.decode())
    return server, client


def _make(secret: str) -> tuple[bytes, bytes]:
    """The certificate and the key (PEM), the same ones for the same secret."""
    seed = Scrypt(salt=_SALT, length=32, n=_COST, r=_BLOCKS, p=_PARALLEL).derive(secret.encode())
    key = Ed25519PrivateKey.from_private_bytes(seed)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Kinecast cluster")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(_FROM)
        .not_valid_after(_FOR_EVER)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        # Such signatures are the same for the same content.
        .sign(key, None)
    )
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return certificate.public_bytes(serialization.Encoding.PEM), private
