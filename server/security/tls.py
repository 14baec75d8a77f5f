"""How TLS is spoken."""

from __future__ import annotations

import ssl
from pathlib import Path

from cryptography import x509

# What TLS 1.2 may use: keys that are forgotten afterwards, and authenticated encryption. TLS 1.3
# has nothing else and no setting for it.
_CIPHERS = "ECDHE+AESGCM:ECDHE+CHACHA20"


def server_context(cert_file: Path, key_file: Path) -> ssl.SSLContext:
    """TLS 1.2 and 1.3 with a certificate.

    Raises
    ------
    ssl.SSLError, OSError
        The certificate and the key can not be read, or do not belong together.
    """
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(_CIPHERS)
    context.load_cert_chain(cert_file, key_file)
    return context


def is_self_signed(cert_file: Path) -> bool:
    """Whether a certificate vouches for itself, so that no browser trusts it by itself."""
    certificate = x509.load_pem_x509_certificate(cert_file.read_bytes())
    return certificate.issuer == certificate.subject
