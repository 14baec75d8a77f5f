"""Several nodes that can not be started: one clear line each."""

import socket

import pytest

from tests.support.server import COUNTER, free_port, run_until_exit


@pytest.mark.parametrize("which", [0, 1])
def test_a_port_in_use_is_one_clear_line(which):
    port = free_port()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", port + which))
        taken.listen()
        status, text = run_until_exit("--port", str(port), "--nodes", "2", "--analyzers", COUNTER)
    assert status == 2
    assert text.strip() == (
        f"kinecast: port {port + which} of 127.0.0.1 is in use: choose another with --port"
        " (the next one is needed too)"
    )


@pytest.mark.parametrize(
    ("flags", "says"),
    [
        (("--nodes", "0"), "--nodes"),
        (("--nodes", "many"), "--nodes"),
        (("--nodes", "5", "--max-sessions", "4"), "--max-sessions"),
        (("--nodes", "2", "--ice-port", "65535"), "--ice-port"),
        (("--nodes", "2", "--analyzers", "nosuch"), "nosuch"),
    ],
)
def test_settings_that_can_not_be_used(flags, says):
    status, text = run_until_exit("--port", str(free_port()), *flags)
    assert status == 2
    assert says in text
    assert "Traceback" not in text
