"""Sources for a server to read: HTTP with files and endless pictures, and RTSP."""

import contextlib
import re
import socket
import socketserver
import struct
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import av

BOUNDARY = b"picture"


class Site:
    """A web server whose answers the test decides, path by path.

    Attributes
    ----------
    port
        On 127.0.0.1.
    asked
        The paths asked for so far, with their Range headers.
    """

    def __init__(self) -> None:
        self.asked: list[tuple[str, str | None]] = []
        self.answers: dict[str, Callable[[BaseHTTPRequestHandler], None]] = {}
        site = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                site.asked.append((self.path, self.headers.get("Range")))
                answer = site.answers.get(self.path)
                self.close_connection = True
                with contextlib.suppress(OSError):
                    if answer is None:
                        self.send_error(404)
                    else:
                        answer(self)

            def log_message(self, *_) -> None:
                """Nobody reads it."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.port: int = self._server.server_port
        self.url = f"http://127.0.0.1:{self.port}"

    @contextlib.contextmanager
    def running(self) -> Iterator["Site"]:
        """Serve."""
        thread = threading.Thread(target=self._server.serve_forever)
        thread.start()
        try:
            yield self
        finally:
            self._server.shutdown()
            self._server.server_close()
            thread.join()


def file(path: Path, *, ranges: bool = True) -> Callable[[BaseHTTPRequestHandler], None]:
    """Serve a file, with or without parts of it."""
    data = path.read_bytes()

    def answer(request: BaseHTTPRequestHandler) -> None:
        match = re.fullmatch(r"bytes=(\d+)-", request.headers.get("Range", "")) if ranges else None
        start = int(match[1]) if match else 0
        request.send_response(206 if match else 200)
        if match:
            request.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
        request.send_header("Content-Length", str(len(data) - start))
        request.end_headers()
        request.wfile.write(data[start:])

    return answer


def redirect(url: str) -> Callable[[BaseHTTPRequestHandler], None]:
    """Send the client elsewhere."""

    def answer(request: BaseHTTPRequestHandler) -> None:
        request.send_response(302)
        request.send_header("Location", url)
        request.send_header("Content-Length", "0")
        request.end_headers()

    return answer


class Pictures:
    """An endless multipart stream of JPEGs, as cameras have it.

    Parameters
    ----------
    jpegs
        Shown in turns.
    rate_hz
        Pictures a second.
    """

    def __init__(self, jpegs: tuple[bytes, ...], rate_hz: float = 20.0) -> None:
        self._jpegs = jpegs
        self._pause_s = 1 / rate_hz
        self._cut = threading.Event()
        self.connections = 0

    def cut(self) -> None:
        """Cut those who watch; whoever comes back is served again."""
        self._cut.set()
        self._cut = threading.Event()

    def __call__(self, request: BaseHTTPRequestHandler) -> None:
        self.connections += 1
        cut = self._cut
        request.send_response(200)
        kind = f"multipart/x-mixed-replace; boundary={BOUNDARY.decode()}"
        request.send_header("Content-Type", kind)
        request.end_headers()
        number = 0
        while not cut.wait(self._pause_s):
            jpeg = self._jpegs[number % len(self._jpegs)]
            number += 1
            head = b"--%s\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n"
            request.wfile.write(head % (BOUNDARY, len(jpeg)) + jpeg + b"\r\n")


class RtspServer:
    """Plays a clip over RTSP as an MPEG transport stream, interleaved; or redirects.

    Parameters
    ----------
    clip
        What is played, once for each client.
    location
        Where DESCRIBE redirects to; None plays.
    """

    def __init__(self, clip: Path, location: str | None = None) -> None:
        self._stream = transport_stream(clip)
        self._location = location
        self.methods: list[str] = []
        rtsp = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                with contextlib.suppress(OSError):
                    rtsp._talk(self.rfile, self.wfile)

        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.port: int = self._server.server_address[1]

    @contextlib.contextmanager
    def running(self) -> Iterator["RtspServer"]:
        """Serve."""
        thread = threading.Thread(target=self._server.serve_forever)
        thread.start()
        try:
            yield self
        finally:
            self._server.shutdown()
            self._server.server_close()
            thread.join()

    def _talk(self, requests, answers) -> None:
        while line := requests.readline().decode().strip():
            method = line.split()[0]
            self.methods.append(method)
            headers = {}
            while header := requests.readline().decode().strip():
                name, _, value = header.partition(":")
                headers[name.lower()] = value.strip()
            head, body = self._answer(method)
            status, *rest = head
            lines = [f"RTSP/1.0 {status}", f"CSeq: {headers['cseq']}", *rest]
            if body:
                lines.append(f"Content-Length: {len(body)}")
            answers.write("\r\n".join(lines).encode() + b"\r\n\r\n" + body)
            if method == "PLAY":
                self._play(answers)
                return

    def _answer(self, method: str) -> tuple[list[str], bytes]:
        match method:
            case "OPTIONS":
                return ["200 OK", "Public: OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN"], b""
            case "DESCRIBE" if self._location:
                return ["302 Found", f"Location: {self._location}"], b""
            case "DESCRIBE":
                sdp = "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=clip\r\nt=0 0\r\n"
                sdp += "m=video 0 RTP/AVP 33\r\na=control:track1\r\n"
                return ["200 OK", "Content-Type: application/sdp"], sdp.encode()
            case "SETUP":
                transport = "Transport: RTP/AVP/TCP;unicast;interleaved=0-1"
                return ["200 OK", transport, "Session: 1"], b""
        return ["200 OK", "Session: 1"], b""

    def _play(self, answers) -> None:
        for number in range(0, len(self._stream), 7 * 188):
            payload = self._stream[number : number + 7 * 188]
            # RFC 2250, section 2: payload type 33.
            header = struct.pack(">BBHII", 0x80, 33, number // 1316 & 0xFFFF, number, 1)
            packet = header + payload
            answers.write(b"$\0" + struct.pack(">H", len(packet)) + packet)


def transport_stream(clip: Path, seconds: float = 4.0) -> bytes:
    """The beginning of a clip as an MPEG transport stream."""
    import io

    target = io.BytesIO()
    with av.open(clip) as source, av.open(target, "w", format="mpegts") as copy:
        stream = copy.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(source.streams.video[0]):
            if packet.dts is None or float(packet.dts * packet.time_base) > seconds:
                break
            packet.stream = stream
            copy.mux(packet)
    return target.getvalue()


def unused_port() -> int:
    """A port of 127.0.0.1 at which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return taken.getsockname()[1]
