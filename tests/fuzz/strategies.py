"""What nobody sends who means well: JSON, bytes, session descriptions and pictures."""

import base64
import functools
import io
import struct
import zlib

import cv2
import numpy as np
from hypothesis import strategies as st
from PIL import Image

# fmt: off
NAMES = (
    "type", "data", "sdp", "candidate", "sdpMid", "sdpMLineIndex", "resume", "play", "publish",
    "analyzers", "options", "frame_data", "timestamp", "frame", "person_embed", "video_source",
    "fps_limit", "session", "image", "person", "embedding", "video", "path", "pose", "exercise",
    "reid", "num_poses", "name", "reference", "threshold",
)
WORDS = (
    "offer", "answer", "ice-candidate", "ice-servers", "ice-servers-request", "start_tracking",
    "single_frame", "stop_tracking", "ping", "pose", "exercise", "reid", "squat",
    "../../etc/passwd", "file:///etc/passwd", "http://127.0.0.1:1/", "rtsp://127.0.0.1/",
    "concat:/etc/passwd", "0", "data:image/jpeg;base64,AAAA",
)
# fmt: on


def picture(width: int = 96, height: int = 72) -> np.ndarray:
    """Something to encode."""
    rows, columns = np.mgrid[0:height, 0:width]
    return np.stack([rows * 3 % 256, columns * 2 % 256, rows ^ columns], -1).astype(np.uint8)


def encode(image: Image.Image, kind: str, **options) -> bytes:
    """A file."""
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def bomb(width: int, height: int) -> bytes:
    """A PNG of black pixels, complete, of a thousandth of their size."""

    def chunk(name: bytes, content: bytes) -> bytes:
        checksum = zlib.crc32(name + content)
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", checksum)

    deflate = zlib.compressobj(9)
    row = bytes(1 + (width + 7) // 8)
    rows = b"".join(deflate.compress(row * 500) for _ in range(height // 500)) + deflate.flush()
    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
    )


@functools.cache
def good_pictures() -> dict[str, bytes]:
    """Files that can be decoded, of every kind that cameras and programs make."""
    rgb = Image.fromarray(picture())
    turned = Image.Exif()
    turned[0x0112] = 6
    _, deep = cv2.imencode(".png", picture().astype(np.uint16) * 257)
    return {
        "jpeg": encode(rgb, "JPEG"),
        "progressive": encode(rgb, "JPEG", progressive=True),
        "cmyk": encode(rgb.convert("CMYK"), "JPEG"),
        "grey": encode(rgb.convert("L"), "JPEG"),
        "turned": encode(rgb, "JPEG", exif=turned),
        "png": encode(rgb, "PNG"),
        "palette": encode(rgb.convert("P"), "PNG"),
        "transparent": encode(rgb.convert("RGBA"), "PNG"),
        "16 bit": deep.tobytes(),
        "animated": encode(
            rgb, "PNG", save_all=True, append_images=[rgb.rotate(90 * n) for n in (1, 2)]
        ),
    }


@functools.cache
def bombs() -> tuple[bytes, ...]:
    """Files of a few kilobytes that would become gigabytes."""
    small = good_pictures()["jpeg"]
    start = small.index(b"\xff\xc0") + 5
    huge = small[:start] + struct.pack(">HH", 30000, 30000) + small[start + 4 :]
    return bomb(30000, 30000), huge


@st.composite
def mutated(draw, originals: st.SearchStrategy[bytes]) -> bytes:
    """A file in which bytes were changed, cut off, doubled or put in."""
    data = bytearray(draw(originals))
    for _ in range(draw(st.integers(1, 6))):
        place = draw(st.integers(0, max(len(data) - 1, 0)))
        match draw(st.sampled_from(("change", "cut", "double", "insert"))):
            case "change" if data:
                data[place] = draw(st.integers(0, 255))
            case "cut":
                del data[place:]
            case "double":
                data[place:place] = data[place : place + draw(st.integers(0, 64))]
            case "insert":
                data[place:place] = draw(st.binary(max_size=16))
    return bytes(data)


PICTURES = st.one_of(
    st.sampled_from(sorted(good_pictures().values())),
    mutated(st.sampled_from(sorted(good_pictures().values()))),
    st.builds(lambda: bombs()[0]),
    st.builds(lambda: bombs()[1]),
)

_LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=30),
    st.sampled_from(WORDS),
    PICTURES.map(lambda data: base64.b64encode(data).decode()),
    st.binary(max_size=40).map(lambda data: base64.b64encode(data).decode()),
)
JSON = st.recursive(
    _LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(st.one_of(st.sampled_from(NAMES), st.text(max_size=8)), inner, max_size=6),
    ),
    max_leaves=12,
)
_MADE_UP = st.builds(
    lambda kind, rest: {**rest, **({"type": kind} if kind else {})},
    st.one_of(st.none(), st.sampled_from(WORDS)),
    st.dictionaries(st.sampled_from(NAMES), JSON, max_size=5),
)
_IN_TEXT = PICTURES.map(lambda data: base64.b64encode(data).decode())
# As the APIs have them, but for what is in them.
_NEARLY_RIGHT = st.one_of(
    st.fixed_dictionaries({"image": _IN_TEXT}),
    st.fixed_dictionaries({"frame_data": _IN_TEXT, "timestamp": JSON}),
    st.fixed_dictionaries(
        {"type": st.just("single_frame"), "frame": _IN_TEXT, "person_embed": JSON}
    ),
    st.fixed_dictionaries(
        {
            "type": st.just("start_tracking"),
            "person_embed": JSON,
            "video_source": st.one_of(JSON, st.sampled_from(WORDS)),
            "fps_limit": JSON,
        }
    ),
)
MESSAGES = st.one_of(_MADE_UP, _NEARLY_RIGHT)


@st.composite
def descriptions(draw, offer: str) -> str:
    """An offer in which lines, numbers and words were changed."""
    lines = offer.splitlines()
    for _ in range(draw(st.integers(1, 8))):
        place = draw(st.integers(0, len(lines) - 1))
        match draw(st.sampled_from(("drop", "double", "swap", "number", "word", "text"))):
            case "drop" if len(lines) > 1:
                del lines[place]
            case "double":
                lines[place:place] = [lines[place]] * draw(st.sampled_from((1, 2, 50)))
            case "swap":
                other = draw(st.integers(0, len(lines) - 1))
                lines[place], lines[other] = lines[other], lines[place]
            case "number":
                number = draw(st.sampled_from(("-1", "0", "65536", "4294967296", "1e9", "")))
                lines[place] = "".join(number if c.isdigit() else c for c in lines[place])
            case "word":
                words = lines[place].split(" ")
                words[draw(st.integers(0, len(words) - 1))] = draw(st.text(max_size=12))
                lines[place] = " ".join(words)
            case "text":
                lines[place] = draw(st.sampled_from(("a=", "m=", "c=", "o=", ""))) + draw(
                    st.text(max_size=40)
                )
    return "\r\n".join(lines) + "\r\n"
