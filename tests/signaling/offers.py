"""Session descriptions and a candidate written down, and ways to change them."""

import random

CANDIDATE = "1 1 udp 2130706431 192.0.2.1 50000 typ host"

_FINGERPRINT = (
    "3D:F1:5C:0B:74:2B:68:55:8E:0B:27:5A:05:53:4A:2D:"
    "96:8B:64:0F:5E:AD:45:C2:0D:A0:CE:61:71:6B:2C:19"
)

_VIDEO = """\
m=video 9 UDP/TLS/RTP/SAVPF 96 97 98 99 100 101 35 36 108 109 123
c=IN IP4 0.0.0.0
a=rtcp:9 IN IP4 0.0.0.0
a=ice-ufrag:Wm7x
a=ice-pwd:0bHXu5mZ+Xb8hFqkz4lq3Vtd
a=ice-options:trickle
a=fingerprint:sha-256 FINGERPRINT
a=setup:actpass
a=mid:0
a=extmap:1 urn:ietf:params:rtp-hdrext:toffset
a=extmap:2 http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time
a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid
a=extmap:10/sendonly urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id
a=sendrecv
a=msid:- 8d5f20a7-29b5-4b9a-9d7c-0c0f4e1c8a61
a=rtcp-mux
a=rtcp-rsize
a=rtpmap:96 VP8/90000
a=rtcp-fb:96 goog-remb
a=rtcp-fb:96 transport-cc
a=rtcp-fb:96 ccm fir
a=rtcp-fb:96 nack
a=rtcp-fb:96 nack pli
a=rtpmap:97 rtx/90000
a=fmtp:97 apt=96
a=rtpmap:98 VP9/90000
a=rtcp-fb:98 nack pli
a=fmtp:98 profile-id=0
a=rtpmap:99 rtx/90000
a=fmtp:99 apt=98
a=rtpmap:100 H264/90000
a=rtcp-fb:100 nack pli
a=fmtp:100 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f
a=rtpmap:101 rtx/90000
a=fmtp:101 apt=100
a=rtpmap:35 AV1/90000
a=rtcp-fb:35 nack pli
a=fmtp:35 level-idx=5;profile=0;tier=0
a=rtpmap:36 rtx/90000
a=fmtp:36 apt=35
a=rtpmap:108 red/90000
a=rtpmap:109 rtx/90000
a=fmtp:109 apt=108
a=rtpmap:123 ulpfec/90000
a=ssrc-group:FID 3035718461 904215663
a=ssrc:3035718461 cname:Jv4ZcQ3Zq8nJ2m1L
a=ssrc:3035718461 msid:- 8d5f20a7-29b5-4b9a-9d7c-0c0f4e1c8a61
a=ssrc:904215663 cname:Jv4ZcQ3Zq8nJ2m1L
a=ssrc:904215663 msid:- 8d5f20a7-29b5-4b9a-9d7c-0c0f4e1c8a61
"""

_AUDIO = """\
m=audio 9 UDP/TLS/RTP/SAVPF 111 63 9 0 8 13
c=IN IP4 0.0.0.0
a=rtcp:9 IN IP4 0.0.0.0
a=ice-ufrag:Wm7x
a=ice-pwd:0bHXu5mZ+Xb8hFqkz4lq3Vtd
a=fingerprint:sha-256 FINGERPRINT
a=setup:actpass
a=mid:1
a=sendrecv
a=rtcp-mux
a=rtpmap:111 opus/48000/2
a=rtcp-fb:111 transport-cc
a=fmtp:111 minptime=10;useinbandfec=1
a=rtpmap:63 red/48000/2
a=fmtp:63 111/111
a=rtpmap:9 G722/8000
a=rtpmap:0 PCMU/8000
a=rtpmap:8 PCMA/8000
a=rtpmap:13 CN/8000
"""

_DATA = """\
m=application 9 UDP/DTLS/SCTP webrtc-datachannel
c=IN IP4 0.0.0.0
a=ice-ufrag:Wm7x
a=ice-pwd:0bHXu5mZ+Xb8hFqkz4lq3Vtd
a=fingerprint:sha-256 FINGERPRINT
a=setup:actpass
a=mid:2
a=sctp-port:5000
a=max-message-size:262144
"""


def _session(mids: str) -> str:
    return (
        "v=0\no=- 4611731400430051336 2 IN IP4 127.0.0.1\ns=-\nt=0 0\n"
        f"a=group:BUNDLE {mids}\na=extmap-allow-mixed\na=msid-semantic: WMS\n"
    )


def _wire(text: str) -> str:
    return text.replace("FINGERPRINT", _FINGERPRINT).replace("\n", "\r\n")


# As Chromium writes them before any candidate was gathered: it trickles.
CHROMIUM_OFFER = _wire(_session("0 1 2") + _VIDEO + _AUDIO + _DATA)
VIDEO_OFFER = _wire(_session("0") + _VIDEO)
AUDIO_OFFER = _wire(_session("1 2") + _AUDIO + _DATA)
DATA_OFFER = _wire(_session("2") + _DATA)


def replaced(sdp: str, old: str, new: str) -> str:
    """Return `sdp` with `old` replaced throughout; it must be there."""
    assert old in sdp
    return sdp.replace(old, new)


def without(sdp: str, *starts: str) -> str:
    """Return `sdp` without the lines that start with any of `starts`; some must be there."""
    lines = sdp.splitlines(keepends=True)
    kept = [line for line in lines if not line.startswith(starts)]
    assert len(kept) < len(lines)
    return "".join(kept)


def with_codecs(sdp: str, *lines: str) -> str:
    """Return a video-only `sdp` that offers the codecs of `lines` and no others."""
    types = [line.removeprefix("a=rtpmap:").split()[0] for line in lines if "rtpmap" in line]
    bare = without(sdp, "a=rtpmap", "a=fmtp", "a=rtcp-fb")
    bare = replaced(bare, "96 97 98 99 100 101 35 36 108 109 123", " ".join(types))
    return bare + "".join(f"{line}\r\n" for line in lines)


_ODDITIES = ("", " ", ":", "-1", "0", "65536", "4294967296", "9" * 5000, "\u0661", "\x00", "\u2028")


def mutate(sdp: str, source: random.Random) -> str:
    """Return `sdp` with one to three random changes."""
    for _ in range(source.randint(1, 3)):
        lines = sdp.split("\r\n")
        at = source.randrange(len(lines))
        line = lines[at]
        position = source.randrange(len(line) + 1)
        change = source.randrange(8)
        if change == 0:
            del lines[at]
        elif change == 1:
            lines.insert(source.randrange(len(lines)), line)
        elif change == 2:
            other = source.randrange(len(lines))
            lines[at], lines[other] = lines[other], lines[at]
        elif change == 3:
            lines[at] = line[:position] + chr(source.randrange(0x3000)) + line[position + 1 :]
        elif change == 4:
            lines[at] = line[:position]
        elif change == 5:
            lines[at] = line[:position] + source.choice(_ODDITIES) + line[position:]
        elif change == 6:
            words = line.split(" ")
            words[source.randrange(len(words))] = source.choice(_ODDITIES)
            lines[at] = " ".join(words)
        else:
            lines[at] = line.partition(":")[0]
        sdp = "\r\n".join(lines)
    return sdp
