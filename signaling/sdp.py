"""The checks that the session description of an offer passes (RFC 8866, RFC 9429).

It is checked as text, so that what the WebRTC stack would fail on is refused in words, before a
peer connection exists.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from signaling.errors import BadSdp, UnsupportedSdp, quote
from signaling.ice import MAX_CANDIDATES, candidate_problem, is_number

# An offer of Chromium's with audio, video and a data channel has 7 KiB in 200 lines. The number of
# characters is checked by `signaling.messages.Offer`.
MAX_SDP_CHARS = 256 * 1024
MAX_SDP_LINES = 2000
MAX_SDP_SECTIONS = 16
# Sources of one section: three layers of simulcast, each with what repairs it, are six. A report on
# all of them has to fit a packet, which holds 31 (RFC 3550, section 6.4.1).
MAX_SOURCES = 12

# What aiortc 1.16 decodes, as (encoding name, clock rate in Hz), and how to say so.
VIDEO_CODECS = frozenset({("vp8", 90000), ("h264", 90000)})
AUDIO_CODECS = frozenset({("opus", 48000), ("g722", 8000), ("pcmu", 8000), ("pcma", 8000)})
CODEC_NAMES = {
    "video": "VP8, or H264 with packetization-mode=1 in the (constrained) baseline profile",
    "audio": "opus, G722, PCMU or PCMA",
}
# These repair or repeat another codec's packets; they carry no picture of their own.
_REPAIR_CODECS = frozenset({"rtx", "red", "ulpfec", "flexfec-03"})

_DIRECTIONS = ("sendrecv", "sendonly", "recvonly", "inactive")
_SENDING = ("sendrecv", "sendonly")
_RECEIVING = ("sendrecv", "recvonly")

_LINE_FORM = re.compile(r"[a-z]=.*")
_CONNECTION_FORM = re.compile(r"IN (IP4|IP6) [!-~]+")
_MEDIA_FORM = re.compile(
    r"(?P<kind>[!-~]+) (?P<port>[0-9]{1,5}) (?P<protocol>[A-Z/]+) (?P<rest>.+)"
)
_RTP_PROTOCOLS = re.compile(r"(?:(?:UDP|TCP)/(?:TLS|DTLS)/)?RTP/SAVPF?")
_SCTP_PROTOCOLS = re.compile(r"(?:(?:UDP|TCP)/)?DTLS/SCTP")
# Payload types are 7 bits; 72 to 76 look like RTCP when both share a port (RFC 5761).
_MAX_PAYLOAD_TYPE = 127
_RTCP_PAYLOAD_TYPES = range(72, 77)

# Attributes that the WebRTC stack reads numbers or fixed words from. The groups are numbers,
# each with the largest value it may have.
_ATTRIBUTE_FORMS: dict[str, tuple[re.Pattern[str], tuple[int, ...]]] = {
    name: (re.compile(form), maxima)
    for name, form, maxima in (
        ("extmap", r"([0-9]{1,5})(?:/[a-z]+)? [!-~]+", (255,)),
        ("fingerprint", r"[A-Za-z0-9-]+ [0-9A-Fa-f]{2}(?::[0-9A-Fa-f]{2})*", ()),
        ("fmtp", r"([0-9]{1,3}) .+", (_MAX_PAYLOAD_TYPE,)),
        ("group", r".*", ()),
        ("ice-pwd", r"[!-~]{22,256}", ()),
        ("ice-ufrag", r"[!-~]{4,256}", ()),
        ("max-message-size", r"([0-9]{1,19})", (2**63 - 1,)),
        ("mid", r"[!-~]{1,64}", ()),
        ("msid", r"[!-~]+(?: [!-~]+)?", ()),
        ("msid-semantic", r".*", ()),
        ("rtcp", r"([0-9]{1,5})(?: IN IP[46] [!-~]+)?", (65535,)),
        ("rtcp-fb", r"(?:[0-9]{1,3}|\*) [!-~]+(?: .*)?", ()),
        ("rtpmap", r"([0-9]{1,3}) [!-.0-~]+/([0-9]{1,9})(?:/([0-9]{1,3}))?", (127, 10**9, 255)),
        ("sctp-port", r"([0-9]{1,5})", (65535,)),
        ("sctpmap", r"([0-9]{1,5}) .+", (65535,)),
        ("setup", r"actpass|active|passive", ()),
        ("ssrc", r"([0-9]{1,10}) [^:]+:.*", (2**32 - 1,)),
        ("ssrc-group", r"[!-~]+(?: [0-9]{1,10})*", ()),
    )
}
_FINGERPRINT_HASHES = ("sha-256", "sha-384", "sha-512")
# Parameters of a codec that must be whole numbers wherever they occur.
_NUMERIC_PARAMETERS = frozenset(
    {
        "apt",
        "max-fr",
        "max-fs",
        "maxplaybackrate",
        "minptime",
        "packetization-mode",
        "stereo",
        "useinbandfec",
    }
)
# Constrained baseline or baseline, as (profile_idc, bits that must be set in profile_iop);
# RFC 6184, table 5. The low four bits of profile_iop are always 0.
_H264_PROFILES = ((0x42, 0x00), (0x4D, 0x80), (0x58, 0x80))
_H264_LEVELS = frozenset({10, 11, 12, 13, 20, 21, 22, 30, 31, 32, 40, 41, 42, 50, 51, 52})


@dataclass(slots=True)
class _Attributes:
    """Attributes of the session or of one section, in the order they came."""

    items: list[tuple[str, str]] = field(default_factory=list)

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.items if key == name]

    def __contains__(self, name: str) -> bool:
        return any(key == name for key, _ in self.items)


@dataclass(slots=True)
class _Section:
    """One media section: its ``m=`` line and its attributes."""

    label: str
    kind: str
    port: int
    protocol: str
    formats: list[str]
    attributes: _Attributes = field(default_factory=_Attributes)

    @property
    def is_rejected(self) -> bool:
        # A section that is to be bundled has port 0 too (RFC 8843, section 6).
        return self.port == 0 and "bundle-only" not in self.attributes

    @property
    def direction(self) -> str:
        """The last direction named, as the WebRTC stack has it; empty if there is none."""
        found = [name for name, _ in self.attributes.items if name in _DIRECTIONS]
        return found[-1] if found else ""


def check_offer_sdp(sdp: str, *, play: bool = False) -> None:
    """Refuse a session description that we could not answer.

    Parameters
    ----------
    sdp : str
        The offer's session description.
    play : bool
        The client wants video back, so that it need not send any.

    Raises
    ------
    BadSdp
        With one line that names the section or line, and what is due instead.
    """
    session, sections = _split_sdp(sdp)
    _check_has_video(sections)
    for section in sections:
        _check_transport(section, session)
        if section.kind == "application":
            _check_data_channel(section)
        else:
            _check_rtp(section)
    _check_names(session, sections)
    _check_candidates(sections)
    _check_sources(sections)
    _check_video_direction(sections, play=play)


def video_directions(sdp: str) -> tuple[str, ...]:
    """What each video section of a checked offer does, in their order.

    Returns
    -------
    ``sendrecv``, ``sendonly``, ``recvonly`` or ``inactive`` each; one that is rejected is
    ``inactive``.
    """
    _, sections = _split_sdp(sdp)
    return tuple(
        "inactive" if section.is_rejected else section.direction or "sendrecv"
        for section in sections
        if section.kind == "video"
    )


def sends_video(sdp: str) -> bool:
    """Whether a checked offer has video to send."""
    return any(direction in _SENDING for direction in video_directions(sdp))


def _split_sdp(sdp: str) -> tuple[_Attributes, list[_Section]]:
    """Return the session's attributes and the sections, each line's form checked."""
    if not sdp.strip():
        raise BadSdp("the SDP is empty")
    if not sdp.startswith("v=0"):
        raise BadSdp(f'the SDP must start with "v=0", not with {quote(sdp[:20])}')
    lines = sdp.splitlines()
    if len(lines) > MAX_SDP_LINES:
        raise BadSdp(f"the SDP has too many lines: {len(lines)}, at most {MAX_SDP_LINES}")
    session, sections = _Attributes(), list[_Section]()
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        where = f"SDP line {number}, {quote(line)}"
        if not _LINE_FORM.fullmatch(line):
            raise BadSdp(f'{where}, is not of the form "<letter>=<value>"')
        key, value = line[0], line[2:]
        if key == "v" and (number > 1 or value.strip() != "0"):
            raise BadSdp(f'{where}: "v=0" must be the first line, and comes once')
        if key == "c" and not _CONNECTION_FORM.fullmatch(value):
            raise BadSdp(f'{where}, must be "c=IN IP4 <address>" or "c=IN IP6 <address>"')
        if key == "m":
            sections.append(_parse_media_line(value, where, len(sections) + 1))
        if key == "a":
            owner = sections[-1].attributes if sections else session
            owner.items.append(_parse_attribute(value, where))
    if not sections:
        raise BadSdp('the SDP has no media: an "m=" line with video is due')
    return session, sections


def _parse_media_line(value: str, where: str, number: int) -> _Section:
    if number > MAX_SDP_SECTIONS:
        raise BadSdp(f"the SDP has too many media sections: at most {MAX_SDP_SECTIONS}")
    match = _MEDIA_FORM.fullmatch(value)
    if match is None or not is_number(match["port"], 65535):
        raise BadSdp(f'{where}, must be "m=<media> <port> <protocol> <formats>"')
    kind, protocol = match["kind"], match["protocol"]
    if kind not in ("audio", "video", "application"):
        raise BadSdp(f"{where}: the media must be video, audio or application")
    protocols = _SCTP_PROTOCOLS if kind == "application" else _RTP_PROTOCOLS
    if not protocols.fullmatch(protocol):
        due = "UDP/DTLS/SCTP" if kind == "application" else "UDP/TLS/RTP/SAVPF"
        raise BadSdp(f"{where}: protocol {quote(protocol)} is not taken: {due} is due")
    label = f"section {number} ({kind})"
    return _Section(label, kind, int(match["port"]), protocol, match["rest"].split())


def _parse_attribute(value: str, where: str) -> tuple[str, str]:
    name, colon, text = value.partition(":")
    if name == "candidate":
        problem = candidate_problem(text.split())
        if problem is not None:
            raise BadSdp(f"{where}: {problem}")
    if name in _ATTRIBUTE_FORMS:
        form, maxima = _ATTRIBUTE_FORMS[name]
        match = form.fullmatch(text) if colon else None
        if match is None:
            raise BadSdp(f'{where}, is not a valid "a={name}"')
        for number, top in zip(match.groups(), maxima, strict=True):
            if number is not None and int(number) > top:
                raise BadSdp(f"{where}: {number} is out of range: at most {top}")
    return name, text


def _check_has_video(sections: list[_Section]) -> None:
    video = [section for section in sections if section.kind == "video"]
    if not video:
        kinds = ", ".join(sorted({section.kind for section in sections}))
        raise UnsupportedSdp(
            f"the offer has no video track: only {kinds}; add one to the connection"
        )
    if all(section.is_rejected for section in video):
        raise UnsupportedSdp("the offer has no video track: its video is rejected (port 0)")


def _check_transport(section: _Section, session: _Attributes) -> None:
    """Check what ICE and DTLS need, in the section itself or for the whole session."""
    for name in ("ice-ufrag", "ice-pwd", "fingerprint", "setup"):
        if name not in section.attributes and name not in session:
            raise BadSdp(f'{section.label} has no "a={name}": an encrypted connection needs it')
    prints = section.attributes.all("fingerprint") + session.all("fingerprint")
    if not any(text.split()[0] in _FINGERPRINT_HASHES for text in prints):
        hashes = ", ".join(_FINGERPRINT_HASHES)
        raise BadSdp(f"{section.label} has no fingerprint of a kind we take: {hashes}")


def _check_data_channel(section: _Section) -> None:
    # Before RFC 8841 the port stood where the format is now.
    old = section.protocol == "DTLS/SCTP"
    ports = section.formats[:1] if old else section.attributes.all("sctp-port")[-1:]
    if not ports or not is_number(ports[0], 65535) or int(ports[0]) == 0:
        raise BadSdp(f'{section.label} has no SCTP port: "a=sctp-port:5000" is due')
    if {"fmtp", "rtpmap"} & {name for name, _ in section.attributes.items}:
        raise BadSdp(f"{section.label} has codecs, which a data channel can not have")


def _check_rtp(section: _Section) -> None:
    for text in section.formats:
        if not is_number(text, _MAX_PAYLOAD_TYPE) or int(text) in _RTCP_PAYLOAD_TYPES:
            raise BadSdp(
                f"{section.label}: payload type {quote(text)} is not a number from 0 to "
                f"{_MAX_PAYLOAD_TYPE} without 72 to 76"
            )
    if "rtcp-mux" not in section.attributes:
        raise BadSdp(f'{section.label} has no "a=rtcp-mux": RTP and RTCP must share one port')
    if not section.direction:
        raise BadSdp(f'{section.label} has no direction: "a=sendrecv" or another is due')
    codecs = _parse_codecs(section)
    parameters = _parse_parameters(section, codecs)
    known = VIDEO_CODECS if section.kind == "video" else AUDIO_CODECS
    offered = {type_: codecs[type_] for type_ in map(int, section.formats) if type_ in codecs}
    usable = (
        codec in known and (codec[0] != "h264" or _is_usable_h264(parameters.get(type_, {})))
        for type_, codec in offered.items()
    )
    if not any(usable):
        names = {name for name, _ in offered.values()} - _REPAIR_CODECS
        raise UnsupportedSdp(
            f"{section.label} offers no codec that we can decode: "
            f"{_list_names(names)}; offer {CODEC_NAMES[section.kind]}"
        )


def _parse_codecs(section: _Section) -> dict[int, tuple[str, int]]:
    """Return the section's codecs, (name in lower case, clock rate in Hz) by payload type."""
    codecs: dict[int, tuple[str, int]] = {}
    for text in section.attributes.all("rtpmap"):
        type_, _, encoding = text.partition(" ")
        if int(type_) in codecs:
            raise BadSdp(f"{section.label}: payload type {type_} has more than one a=rtpmap")
        name, rate = encoding.split("/")[:2]
        codecs[int(type_)] = (name.lower(), int(rate))
    return codecs


def _parse_parameters(
    section: _Section, codecs: Mapping[int, tuple[str, int]]
) -> dict[int, dict[str, str]]:
    """Return the codecs' parameters by payload type, the numeric ones checked."""
    found: dict[int, dict[str, str]] = {}
    for text in section.attributes.all("fmtp"):
        type_, _, rest = text.partition(" ")
        if int(type_) not in codecs:
            raise BadSdp(f"{section.label}: a=fmtp:{type_} has no a=rtpmap")
        parameters: dict[str, str] = {}
        for parameter in rest.split(";"):
            key, _, value = parameter.partition("=")
            if key in _NUMERIC_PARAMETERS and not is_number(value.strip(), 2**32 - 1):
                raise BadSdp(f"{section.label}: {key} {quote(value)} is not a number")
            parameters[key] = value
        found[int(type_)] = parameters
    return found


def _is_usable_h264(parameters: Mapping[str, str]) -> bool:
    profile = parameters.get("profile-level-id", "42E01F")
    if parameters.get("packetization-mode") != "1" or not re.fullmatch(r"[0-9A-Fa-f]{6}", profile):
        return False
    idc, iop, level = bytes.fromhex(profile)
    if iop & 0x0F or level not in _H264_LEVELS:
        return False
    return any(idc == known and iop & bits == bits for known, bits in _H264_PROFILES)


def _list_names(names: Iterable[str]) -> str:
    """Return codec names as a client may see them; there can be 128 of any length."""
    listed = sorted(names)[:8]
    return f"only {', '.join(quote(name.upper()) for name in listed)}" if listed else "none at all"


def _check_names(session: _Attributes, sections: list[_Section]) -> None:
    """Check that sections can be told apart, and that bundles name sections there are."""
    mids = [(section.attributes.all("mid") or [""])[-1] for section in sections]
    if len(set(mids)) < len(mids):
        raise BadSdp('two media sections have the same name: each needs an "a=mid" of its own')
    if sum(section.kind == "application" for section in sections) > 1:
        raise BadSdp("the SDP has more than one application section: one carries all channels")
    for group in session.all("group"):
        semantic, *members = group.split() or [""]
        unknown = set(members) - set(mids)
        if semantic == "BUNDLE" and unknown:
            raise BadSdp(f"a=group:BUNDLE names {quote(min(unknown))}, which no section has")


def _check_candidates(sections: list[_Section]) -> None:
    count = sum(len(section.attributes.all("candidate")) for section in sections)
    if count > MAX_CANDIDATES:
        raise BadSdp(f"the SDP has too many candidates: {count}, at most {MAX_CANDIDATES}")


def _check_sources(sections: list[_Section]) -> None:
    for section in sections:
        lines = section.attributes.all("ssrc")
        count = len({line.partition(" ")[0] for line in lines})
        if count > MAX_SOURCES or len(lines) > 8 * MAX_SOURCES:
            raise BadSdp(f"a section of the SDP names too many sources: at most {MAX_SOURCES}")


def _check_video_direction(sections: list[_Section], *, play: bool) -> None:
    due = _RECEIVING if play else _SENDING
    video = [section for section in sections if section.kind == "video" and not section.is_rejected]
    if any(section.direction in due for section in video):
        return
    found = ", ".join(sorted({section.direction for section in video}))
    if play:
        raise UnsupportedSdp(
            f"the offer is to watch, but its video is {found}: make it recvonly or sendrecv"
        )
    raise UnsupportedSdp(
        f"no video would come: the offer's video is {found}; make it sendonly or sendrecv"
    )
