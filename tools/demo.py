"""Start a server, stream sample-video.mp4 to it, show what comes back; what ``make demo`` runs.

Exit status 0 if the final result came and a person was seen, non-zero otherwise.
"""

import contextlib
import json
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
USUAL_PORT = 8083
# Loading takes 1 to 2 s on a laptop; the first time the networks may have to be fetched as well.
READY_WITHIN_S = 120.0


def free_port() -> int:
    """The usual port if it and the next are free, or else another such pair."""
    for wanted in (USUAL_PORT, *[0] * 100):
        with socket.socket() as first, socket.socket() as second, contextlib.suppress(OSError):
            first.bind(("127.0.0.1", wanted))
            port = first.getsockname()[1]
            second.bind(("127.0.0.1", port + 1))
            return port
    sys.exit("demo: no two free ports next to each other on 127.0.0.1")


def wait_until_ready(server: subprocess.Popen[bytes], port: int) -> str | None:
    """Wait until a worker takes frames; says what went wrong, None if nothing."""
    deadline = time.monotonic() + READY_WITHIN_S
    while time.monotonic() < deadline:
        if server.poll() is not None:
            return f"the server ended with status {server.returncode}"
        with contextlib.suppress(OSError):
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5) as response:
                health = json.load(response)
            if health["ready"]:
                pose = health["analyzers"]["pose"]
                return None if pose["ready"] else f"pose can not run here: {pose['reason']}"
        time.sleep(0.1)
    return f"the server was not ready within {READY_WITHIN_S:.0f} s"


def main() -> int:
    """Run the demonstration; returns the exit status."""
    port = free_port()
    with tempfile.TemporaryFile() as log:
        server = subprocess.Popen(
            [
                *(sys.executable, "-m", "server", "--analyzers", "pose"),
                # The demonstration stays on this machine.
                *("--port", str(port), "--ice-address", "127.0.0.1"),
            ],
            cwd=ROOT,
            stdout=log,
            stderr=subprocess.STDOUT,
            # Ctrl-C is for the client first, which asks for the final result.
            start_new_session=True,
        )
        try:
            print(f"Starting a server on http://127.0.0.1:{port} ...", flush=True)
            trouble = wait_until_ready(server, port)
            if trouble is None:
                print("Streaming sample-video.mp4 to it over WebRTC:\n", flush=True)
                return _stream(port)
            log.seek(0)
            print(f"demo: {trouble}\n{log.read().decode(errors='replace')}", file=sys.stderr)
            return 1
        except KeyboardInterrupt:
            return 130
        finally:
            server.send_signal(signal.SIGINT)
            try:
                server.wait(timeout=15)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()


def _stream(port: int) -> int:
    client = subprocess.Popen(
        [sys.executable, str(ROOT / "client_test" / "test.py"), "--port", str(port)], cwd=ROOT
    )
    while True:
        try:
            return client.wait()
        except KeyboardInterrupt:
            # It got the same Ctrl-C and is saying goodbye to the server.
            continue


if __name__ == "__main__":
    sys.exit(main())
