"""Attacks through HTTP and WebSockets: pictures, JSON, session descriptions, logs."""

import asyncio
import base64
import contextlib
import io
import json
import struct
import zlib
from typing import Any

import aiohttp
from PIL import Image

from bench.parts.attack_lines import Attacker, an_offer, line, token

PICTURES = ("pose", "exercise", "reid")
RECORDED = ("--record-to", "FOLDER/sessions", "--expensive-per-minute", "100000")
HUGE = 8000


# ---- pictures


def jpeg(side: int) -> bytes:
    """A JPEG of a square, of one colour."""
    file = io.BytesIO()
    Image.new("RGB", (side, side), (90, 60, 30)).save(file, "JPEG", quality=20)
    return file.getvalue()


def jpeg_of_two_headers(side: int) -> bytes:
    """A large JPEG in front of whose header a code hides a smaller one.

    A decoder goes past ``FF 01``, which has no length, and then past a comment. Who takes the
    comment's mark for a length reads on in it, and finds a header there.
    """
    large = jpeg(side)
    at = large.index(b"\xff\xdb")
    small = b"\xff\xc0\x00\x11" + struct.pack(">BHHB", 8, 8, 8, 3) + bytes(9)
    comment = b"\xff\xfe" + struct.pack(">H", 6 + len(small)) + bytes(4) + small
    return large[:at] + b"\xff\x01" + comment + large[at:]


def png_of_two_headers(side: int) -> bytes:
    """A small PNG whose second header says that it is large."""

    def chunk(name: bytes, content: bytes) -> bytes:
        checksum = zlib.crc32(name + content)
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", checksum)

    headers = b"".join(
        chunk(b"IHDR", struct.pack(">IIBBBBB", size, size, 8, 2, 0, 0, 0)) for size in (8, side)
    )
    rows = zlib.compress(bytes(1 + 3 * side) * side, 9)
    return b"\x89PNG\r\n\x1a\n" + headers + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


@line(
    "JPEGs and PNGs of 8000x8000 behind a header that says 8x8, at four doors, recorded",
    analyzers=PICTURES,
    flags=RECORDED,
)
async def two_headers(attacker: Attacker) -> None:
    pictures = [jpeg_of_two_headers(HUGE), png_of_two_headers(HUGE)]
    texts = [base64.b64encode(each).decode() for each in pictures]
    async with attacker.http() as http:

        async def post() -> None:
            async for number in attacker.rounds(5.0):
                form = aiohttp.FormData()
                form.add_field("image", pictures[number % 2], filename="a")
                await attacker.ask(http, "POST", "/pose", "/pose", data=form)

        await asyncio.gather(
            post(),
            talk(attacker, http, "/ws", 5.0, pictures),
            talk(attacker, http, "/api/ai/realtime", 5.0, [{"frame_data": t} for t in texts]),
            talk(
                attacker,
                http,
                "/video-stream/attack",
                5.0,
                [{"type": "single_frame", "frame": t} for t in texts],
            ),
        )


async def talk(
    attacker: Attacker, http: aiohttp.ClientSession, path: str, a_second: float, said: list[Any]
) -> None:
    """Say something over a WebSocket, in turns, and again when hung up on; answers are counted."""
    rounds = attacker.rounds(a_second)
    while True:
        try:
            async with http.ws_connect(path, max_msg_size=0) as socket:
                counting = asyncio.create_task(count_answers(attacker, socket, path))
                try:
                    async for number in rounds:
                        if socket.closed:
                            break
                        await say(socket, said[number % len(said)])
                    else:
                        return
                finally:
                    counting.cancel()
                attacker.seen[f"{path} closed {socket.close_code}"] += 1
        except (aiohttp.ClientError, OSError):
            attacker.seen[f"{path} no answer"] += 1
            await asyncio.sleep(0.2)


async def say(socket: aiohttp.ClientWebSocketResponse, what: Any) -> None:
    """Send bytes, text, or JSON."""
    with contextlib.suppress(ConnectionError):
        if isinstance(what, bytes):
            await socket.send_bytes(what)
        else:
            await socket.send_str(what if isinstance(what, str) else json.dumps(what))


async def count_answers(
    attacker: Attacker, socket: aiohttp.ClientWebSocketResponse, path: str
) -> None:
    """Tell errors from other answers."""
    async for message in socket:
        if message.type is aiohttp.WSMsgType.TEXT:
            answer = json.loads(message.data)
            said = answer.get("data") if isinstance(answer.get("data"), dict) else answer
            code = said.get("code", "error" if _is_error(answer) else "answer")
            attacker.seen[f"{path} {code}"] += 1


def _is_error(answer: dict[str, Any]) -> bool:
    return "detail" in answer or answer.get("type") == "error"


# ---- text


@line("8 MB of JSON at /offer, 1 MB at each WebSocket, again and again", analyzers=PICTURES)
async def large_json(attacker: Attacker) -> None:
    small, large = "[" + "[]," * 330_000 + "[]]", '{"sdp":[' + "[]," * 2_600_000 + "[]]}"
    body = large.encode()
    async with attacker.http() as http:

        async def post() -> None:
            async for _ in attacker.rounds(3.0):
                headers = {"Content-Type": "application/json"}
                await attacker.ask(http, "POST", "/offer", "/offer", data=body, headers=headers)

        paths = ("/signaling", "/api/ai/realtime", "/video-stream/attack")
        await asyncio.gather(post(), *(talk(attacker, http, p, 5.0, [small]) for p in paths))


@line("an offer with 1900 lines of sources")
async def many_sources_offered(attacker: Attacker) -> None:
    connection, sdp = await an_offer()
    await connection.close()
    media, _, rest = sdp.partition("m=application")
    media += "".join(f"a=ssrc:{number} cname:x\r\n" for number in range(1, 1901))
    offer = {"type": "offer", "sdp": f"{media}m=application{rest}"}
    async with attacker.http() as http:
        async for _ in attacker.rounds(10.0):
            await attacker.ask(http, "POST", "/offer", json=offer)


@line("8 MB of blanks as base64, at three doors", analyzers=PICTURES, flags=RECORDED[2:])
async def blanks(attacker: Attacker) -> None:
    text, door = " " * 8_000_000, "/upload-embedding"
    async with attacker.http() as http:

        async def post() -> None:
            async for _ in attacker.rounds(1.0):
                await attacker.ask(http, "POST", door, door, json={"image": text})

        frame = [{"type": "single_frame", "frame": text}]
        await asyncio.gather(
            post(),
            talk(attacker, http, "/api/ai/realtime", 1.0, [{"frame_data": text}]),
            talk(attacker, http, "/video-stream/attack", 1.0, frame),
        )


# ---- the log


@line("damaged requests, 500 a second: what they cost is bytes of log")
async def damaged_requests(attacker: Attacker) -> None:
    secret = token("attacker")
    damaged = [
        b"GET\r\n\r\n",
        b"\x00\x01\x02\x03\r\n\r\n",
        b"GET /health HTTP/9.9\r\nHost: x\r\n\r\n",
        b"GET /a%0Ab%0D%0Ac?token=" + secret.encode() + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /" + secret.encode() + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nBad Header\r\n\r\n",
        b"POST /offer HTTP/1.1\r\nHost: x\r\nContent-Length: x\r\n\r\n",
        b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    ]
    logged, port = attacker.log_bytes, int(attacker.url.rsplit(":", 1)[1])
    async for number in attacker.rounds(500.0):
        status = await send_damaged(port, damaged[number % len(damaged)])
        attacker.seen[status] += 1
    grown = attacker.log_bytes - logged
    attacker.seen["bytes logged a second"] = round(grown / attacker.seconds)
    with open(f"/proc/{attacker.pid}/fd/2", "rb") as log:  # noqa: ASYNC230
        attacker.checks["no token is logged"] = secret.encode() not in log.read()


async def send_damaged(port: int, data: bytes) -> str:
    """The status that answers; from an address that is not counted with the bystander's."""
    try:
        async with asyncio.timeout(5.0):
            reader, writer = await asyncio.open_connection(
                "127.0.0.1", port, local_addr=("127.1.0.1", 0)
            )
            writer.write(data)
            head = await reader.readline()
            writer.close()
    except (OSError, TimeoutError):
        return "no answer"
    return head.split()[1].decode() if head.startswith(b"HTTP/") else "hung up on"
