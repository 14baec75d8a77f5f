"""How many files and connections the server may have open."""

import contextlib
import socket
import sys

from tests.support.server import COUNTER, running_server


def test_a_low_limit_of_open_files_is_raised(tmp_path):
    limited = ("sh", "-c", 'ulimit -Sn 64 && exec "$@"', "sh", sys.executable, "-m", "server")
    flags = ("--analyzers", COUNTER, "--workers", "1", "--connections-per-address", "0")
    with (
        running_server(tmp_path, *flags, "--no-camera-enabled", command=limited) as server,
        contextlib.ExitStack() as connections,
    ):
        for _ in range(80):
            client = socket.create_connection(("127.0.0.1", server.port), timeout=60)
            connections.enter_context(client)
            client.sendall(b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
            assert client.recv(15) == b"HTTP/1.1 200 OK"
        assert "Too many open files" not in server.log


def test_a_limit_of_open_files_that_is_too_low_is_told(tmp_path):
    limited = ("sh", "-c", 'ulimit -n 200 && exec "$@"', "sh", sys.executable, "-m", "server")
    flags = ("--analyzers", COUNTER, "--workers", "1", "--no-camera-enabled")
    with running_server(tmp_path, *flags, command=limited) as server:
        assert "allows 200 open files" in server.log
        assert "lower --max-connections" in server.log
