"""The certificate of ``--self-signed``: made once for this machine's names, and kept."""

from __future__ import annotations

import datetime
import ipaddress
import socket
from dataclasses import dataclass
from pathlib import Path

import ifaddr
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from server.security import private_file

FILE_NAME = "self-signed.pem"
# Apple's systems refuse one that is good for more than 825 days.
_GOOD_FOR = datetime.timedelta(days=365)
_RENEWED_BEFORE = datetime.timedelta(days=30)
# Clocks of phones differ.
_GOOD_BEFORE = datetime.timedelta(days=1)

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


@dataclass(frozen=True, slots=True)
class DevelopmentCertificate:
    """A certificate that this machine made for itself.

    Attributes
    ----------
    path
        Its key and itself (PEM), readable by this user alone.
    fingerprint
        SHA-256, as browsers show it.
    """

    path: Path
    fingerprint: str


def addresses() -> list[Address]:
    """This machine's addresses that another one can use, and loopback."""
    found: list[Address] = []
    for adapter in ifaddr.get_adapters():
        for ip in adapter.ips:
            # IPv6 has a scope and flow beside the address.
            address = ipaddress.ip_address(ip.ip if isinstance(ip.ip, str) else ip.ip[0])
            if not address.is_link_local and address not in found:
                found.append(address)
    return found


def names() -> list[str]:
    """This machine's names, its own and the one that multicast DNS gives it."""
    own = socket.gethostname().lower().removesuffix(".local")
    return ["localhost", own, f"{own}.local"]


def ensure(
    directory: Path | None = None,
    *,
    now: datetime.datetime | None = None,
    for_names: list[str] | None = None,
    for_addresses: list[Address] | None = None,
) -> DevelopmentCertificate:
    """Return the certificate that is kept, or make it: there is none, it expires soon, or lacks a
    name.

    Parameters
    ----------
    directory
        Where it is kept; by default the user's data directory.
    now
        The time.
    for_names, for_addresses
        What it is for; by default this machine's.

    Raises
    ------
    OSError
        It can not be kept there.
    """
    path = (directory or private_file.data_directory()) / FILE_NAME
    now = now or datetime.datetime.now(datetime.UTC)
    wanted = _alternative_names(
        names() if for_names is None else for_names,
        addresses() if for_addresses is None else for_addresses,
    )
    kept = _read(path)
    if kept is None or not _still_does(kept, wanted, now):
        kept, content = _make(wanted, now)
        private_file.replace(path, content)
    return DevelopmentCertificate(path, kept.fingerprint(hashes.SHA256()).hex(":").upper())


def _read(path: Path) -> x509.Certificate | None:
    try:
        content = path.read_bytes()
        serialization.load_pem_private_key(content, None)
        return x509.load_pem_x509_certificate(content)
    except (FileNotFoundError, ValueError):
        return None


def _still_does(
    kept: x509.Certificate, wanted: list[x509.GeneralName], now: datetime.datetime
) -> bool:
    if not kept.not_valid_before_utc <= now < kept.not_valid_after_utc - _RENEWED_BEFORE:
        return False
    named = kept.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return set(wanted) <= set(named)


def _alternative_names(names: list[str], addresses: list[Address]) -> list[x509.GeneralName]:
    return [*map(x509.DNSName, names), *map(x509.IPAddress, addresses)]


def _make(wanted: list[x509.GeneralName], now: datetime.datetime) -> tuple[x509.Certificate, bytes]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Kinecast, self-signed")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _GOOD_BEFORE)
        .not_valid_after(now + _GOOD_FOR)
        .add_extension(x509.SubjectAlternativeName(wanted), critical=False)
        # It vouches for this server and nothing else, should somebody trust it.
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return certificate, private + certificate.public_bytes(serialization.Encoding.PEM)
