"""ICE as text: the servers that clients are told of, and the candidates that clients name."""

import base64
import hashlib
import hmac
import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import orjson

from signaling.errors import quote

# RFC 7064 (stun) and RFC 7065 (turn); an IPv6 address stands in brackets.
_URL_FORM = re.compile(
    r"(?P<scheme>stuns?|turns?):"
    r"(?P<host>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)"
    r"(?::(?P<port>[0-9]{1,5}))?"
    r"(?:\?transport=(?P<transport>udp|tcp))?"
)
_MAX_PORT = 65535

# The grammar of RFC 8839, section 5.1.
_CANDIDATE_FORM = re.compile(
    r"[!-~]{1,32} (?P<component>[0-9]{1,3}) [A-Za-z-]{1,16} (?P<priority>[0-9]{1,10}) "
    r"(?P<host>[!-~]{1,255}) (?P<port>[0-9]{1,5}) typ (?:host|srflx|prflx|relay)(?: [!-~]+)*"
)
# Of one offer, and as many again that come later. A laptop with several networks has some 20, and
# each is paired with each of ours, on the event loop.
MAX_CANDIDATES = 256
_CANDIDATE_MAXIMA = {"component": 256, "priority": 2**32 - 1, "port": _MAX_PORT}
# Further fields come in pairs; of these the value is a number.
_EXTENSION_MAXIMA = {"rport": _MAX_PORT, "generation": 2**32 - 1}
# draft-ietf-mmusic-mdns-ice-candidates: a browser hides its addresses behind such names.
_MDNS_FORM = re.compile(r"[A-Za-z0-9-]{1,63}\.local")


@dataclass(frozen=True, slots=True)
class IceServer:
    """One STUN or TURN server, reachable under one or more URLs.

    Attributes
    ----------
    urls : tuple of str
        ``stun:``, ``stuns:``, ``turn:`` or ``turns:`` URLs.
    username, credential : str or None
        Lasting credentials; None where there are none, or where they are made per client.
    """

    urls: tuple[str, ...]
    username: str | None = None
    credential: str | None = None


def parse_ice_servers(text: str) -> tuple[IceServer, ...]:
    """Return the servers that a setting names.

    Parameters
    ----------
    text : str
        Either URLs separated by commas, or a JSON list of
        ``{"urls": str or list, "username": str, "credential": str}``. Empty means none.

    Raises
    ------
    ValueError
        With one line that names the entry and what is wrong with it.
    """
    text = text.strip()
    if text.startswith(("[", "{")):
        return _parse_json(text)
    urls = [url.strip() for url in text.split(",")]
    return tuple(IceServer((_check_url(url),)) for url in urls if url)


def client_ice_servers(
    servers: Iterable[IceServer], *, secret: str | None, ttl_s: int, user: str, now: float
) -> list[dict[str, Any]]:
    """Return the servers as a client gets them.

    TURN servers without lasting credentials get expiring ones, if there is a secret to make
    them with. Without one their TURN URLs are left out: a browser refuses the whole list for
    the sake of one ``turn:`` URL without credentials.

    Parameters
    ----------
    servers : iterable of IceServer
    secret : str or None
        What we share with the TURN server (coturn: ``static-auth-secret``).
    ttl_s : int
        Seconds for which made credentials are good.
    user : str
        Whom the credentials are for; it shows up in the TURN server's log.
    now : float
        Seconds since the epoch.

    Returns
    -------
    list of dict
        ``{"urls": list of str}``, with ``username`` and ``credential`` where there are any.
    """
    return [
        entry
        for server in servers
        if (entry := _client_entry(server, secret=secret, ttl_s=ttl_s, user=user, now=now))
    ]


def own_ice_servers(servers: Iterable[IceServer]) -> tuple[IceServer, ...]:
    """Return the servers that we ask for candidates of our own.

    TURN servers that want credentials made for each client are not among them: a client's relay
    reaches us as we are.
    """
    return tuple(
        IceServer(tuple(entry["urls"]), entry.get("username"), entry.get("credential"))
        for entry in client_ice_servers(servers, secret=None, ttl_s=0, user="", now=0.0)
    )


def turn_credentials(*, secret: str, ttl_s: int, user: str, now: float) -> tuple[str, str]:
    """Return a user name and a password that a TURN server accepts until they expire.

    As in "A REST API For Access To TURN Services" (draft-uberti-behave-turn-rest-00,
    section 2.2), which coturn implements as ``use-auth-secret``: the name is the time of
    expiry and the user, the password is the base64 of the name's HMAC-SHA1.

    Parameters
    ----------
    secret, ttl_s, user, now
        As in :func:`client_ice_servers`.
    """
    username = f"{int(now) + ttl_s}:{user}"
    digest = hmac.new(secret.encode(), username.encode(), hashlib.sha1).digest()
    return username, base64.b64encode(digest).decode("ascii")


def candidate_problem(fields: list[str]) -> str | None:
    """Return what is wrong with a candidate, or None.

    Parameters
    ----------
    fields : list of str
        What stands behind ``candidate:``, split at spaces. The address may be an mDNS name.
    """
    match = _CANDIDATE_FORM.fullmatch(" ".join(fields))
    if match is None:
        return (
            f"{quote(' '.join(fields))} is not "
            '"FOUNDATION COMPONENT TRANSPORT PRIORITY ADDRESS PORT typ TYPE ..."'
        )
    numbers = [(name, match[name], top) for name, top in _CANDIDATE_MAXIMA.items()]
    for name, value in zip(fields[8::2], fields[9::2], strict=False):
        if name in _EXTENSION_MAXIMA:
            numbers.append((name, value, _EXTENSION_MAXIMA[name]))
    for name, value, top in numbers:
        if not is_number(value, top):
            return f"{name} {quote(value)} is not a number from 0 to {top}"
    if not is_mdns_name(match["host"]) and not _is_ip_address(match["host"]):
        return f"{quote(match['host'])} is not an IP address"
    return None


def is_mdns_name(host: str) -> bool:
    """Return whether `host` is a name that a browser put in place of its address."""
    return _MDNS_FORM.fullmatch(host) is not None


def is_number(text: str, top: int) -> bool:
    """Return whether `text` is plain decimal digits for a number from 0 to `top`."""
    return re.fullmatch(r"[0-9]{1,19}", text) is not None and int(text) <= top


def _is_ip_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return "%" not in text  # a scope means something on the client's machine only


def _client_entry(
    server: IceServer, *, secret: str | None, ttl_s: int, user: str, now: float
) -> dict[str, Any]:
    if server.username is not None and server.credential is not None:
        return {
            "urls": list(server.urls),
            "username": server.username,
            "credential": server.credential,
        }
    stun_urls = [url for url in server.urls if not _is_turn(url)]
    if len(stun_urls) == len(server.urls):
        return {"urls": stun_urls}
    if not secret:
        return {"urls": stun_urls} if stun_urls else {}
    username, credential = turn_credentials(secret=secret, ttl_s=ttl_s, user=user, now=now)
    return {"urls": list(server.urls), "username": username, "credential": credential}


def _parse_json(text: str) -> tuple[IceServer, ...]:
    try:
        entries = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise ValueError(f"ICE servers: not JSON: {error.msg}") from error
    if not isinstance(entries, list):
        raise ValueError('ICE servers: a JSON list is due: [{"urls": "stun:host:port"}]')
    return tuple(_parse_entry(number, entry) for number, entry in enumerate(entries, start=1))


def _parse_entry(number: int, entry: object) -> IceServer:
    # An entry may hold a password, so messages name its place and do not quote it.
    if not isinstance(entry, dict):
        raise ValueError(f'ICE servers: entry {number} is not an object with "urls"')
    urls = entry.get("urls")
    if isinstance(urls, str):
        urls = [urls]
    if not isinstance(urls, list) or not urls:
        raise ValueError(f'ICE servers: entry {number} needs "urls", a URL or a list of URLs')
    username, credential = entry.get("username"), entry.get("credential")
    if not all(value is None or isinstance(value, str) for value in (username, credential)):
        raise ValueError(
            f'ICE servers: entry {number}: "username" and "credential" must be strings'
        )
    if (username is None) != (credential is None):
        raise ValueError(f'ICE servers: entry {number}: "username" and "credential" go together')
    return IceServer(tuple(_check_url(url) for url in urls), username, credential)


def _check_url(url: object) -> str:
    """Return `url` if it is one of a STUN or TURN server; ValueError if not."""
    match = _URL_FORM.fullmatch(url) if isinstance(url, str) else None
    if match is None:
        raise ValueError(
            f"ICE servers: {quote(url)} is not stun:HOST[:PORT], stuns:HOST[:PORT], "
            "turn:HOST[:PORT][?transport=udp|tcp] or turns:HOST[:PORT][?transport=udp|tcp]"
        )
    if match["port"] is not None and not 0 < int(match["port"]) <= _MAX_PORT:
        raise ValueError(f"ICE servers: {quote(url)}: the port must be 1 to {_MAX_PORT}")
    if match["transport"] is not None and not _is_turn(match[0]):
        raise ValueError(f"ICE servers: {quote(url)}: only turn: and turns: have a transport")
    return match[0]


def _is_turn(url: str) -> bool:
    return url.startswith("turn")
