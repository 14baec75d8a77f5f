"""A camera peer's parts: where it goes, what it says of the machine."""

import asyncio
import os
import socket
import stat
import subprocess
import sys

import pytest

from server.config.base import BadSettings
from server.publisher import health
from server.publisher.__main__ import main
from server.publisher.destination import parse_destination
from server.publisher.settings import parse_settings
from server.watchdog import systemd
from tests.support.camera_peer import COMMAND
from tests.support.server import ROOT


@pytest.fixture(autouse=True)
def no_settings_from_outside(monkeypatch, tmp_path):
    for name in list(os.environ):
        if name.startswith(("PUBLISH_", "CAMERA_", "PI_CAMERA", "ICE_")):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


# ---- where it goes


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("wss://media.example:8083", "wss://media.example:8083/signaling"),
        ("https://media.example", "wss://media.example/signaling"),
        ("ws://10.0.0.7:8083/", "ws://10.0.0.7:8083/signaling"),
        ("http://[fd00::7]:8083", "ws://[fd00::7]:8083/signaling"),
        ("https://media.example/kinecast/", "wss://media.example/kinecast/signaling"),
        ("wss://media.example:8083/signaling", "wss://media.example:8083/signaling"),
        ("media.example", "wss://media.example:8083/signaling"),
        ("media.example:443", "wss://media.example:443/signaling"),
        ("localhost", "ws://localhost:8083/signaling"),
        ("127.0.0.1:9000", "ws://127.0.0.1:9000/signaling"),
        ("[::1]:9000", "ws://[::1]:9000/signaling"),
    ],
)
def test_a_server_is_named_in_many_ways(text, url):
    parsed = parse_destination(text)
    assert parsed.url == url
    assert parsed.is_secure == url.startswith("wss")


@pytest.mark.parametrize(
    "text", ["", "ftp://host", "wss://", "wss://host:port", "wss://me:word@host", "wss://host?a=1"]
)
def test_what_is_no_address_is_refused(text):
    with pytest.raises(ValueError, match=r"give|no address"):
        parse_destination(text)


# ---- settings


def test_settings_come_from_flags_and_environment(monkeypatch, tmp_path):
    monkeypatch.setenv("PUBLISH_TOKEN", "secret")
    monkeypatch.setenv("PUBLISH_NAME", "yard")
    monkeypatch.setenv("CAMERA_FPS", "15")
    settings, camera, media = parse_settings(
        ["--to", "media.example", "--camera-size", "640x360", "--ice-address", "127.0.0.1"]
    )
    assert settings.token.get_secret_value() == "secret"
    assert settings.name == "yard"
    assert (camera.camera_mode().width, camera.camera_mode().fps) == (640, 15)
    assert media.ice_address == ("127.0.0.1",)
    # A flag wins.
    assert parse_settings(["--to", "media.example", "--name", "barn"])[0].name == "barn"


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        ([], "--to: the server is missing"),
        (["--to", "ftp://host"], "--to: .*give wss://"),
        (["--to", "host", "--name", "a b"], "--name: .*is no name"),
        (["--to", "host", "--name", "camera"], "--name: .*not camera"),
        (
            ["--to", "ws://host:8083", "--token", "t"],
            "token would go over the network in the clear",
        ),
        (["--to", "http://host", "--token-file", "f"], "in the clear"),
        (["--to", "host", "--token", "t", "--token-file", "f"], "give one of them"),
        (["--to", "host", "--fingerprint", "AA:BB"], "32 bytes in hexadecimal"),
        (["--to", "host", "--ca-file", "missing.pem"], "missing.pem can not be read"),
        (["--to", "host", "--camera-size", "huge"], "--camera-size: .*WIDTHxHEIGHT"),
        (["--to", "host", "--ice-address", "eth0"], "--ice-address: .*not an IP address"),
        (["--to", "host", "--fps", "3"], "unrecognized arguments: --fps 3"),
    ],
)
def test_settings_that_can_not_be_used_are_refused(flags, said):
    with pytest.raises(BadSettings, match=said):
        parse_settings(flags)


@pytest.mark.parametrize("to", ["ws://localhost:8083", "http://127.0.0.1", "wss://host", "host"])
def test_a_token_may_go_to_this_machine_and_over_tls(to):
    assert parse_settings(["--to", to, "--token", "t"])[0].token.get_secret_value() == "t"


def run(*flags):
    return subprocess.run([*COMMAND, *flags], cwd=ROOT, capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (("--to", "ftp://host"), "--to: 'ftp://host': give wss://"),
        ((), "--to: the server is missing"),
    ],
)
def test_a_bad_setting_is_one_line_and_status_2(flags, said, capsys):
    with pytest.raises(SystemExit) as ended:
        main(flags)
    assert ended.value.code == 2
    printed = capsys.readouterr().err
    assert printed.startswith(f"kinecast camera: {said}")
    assert printed.count("\n") == 1


def test_a_camera_that_is_not_there_is_one_line_and_status_2():
    done = run("--to", "localhost", "--camera", "missing.mp4")
    assert done.returncode == 2
    assert "--camera: missing.mp4 is neither" in done.stderr
    assert done.stderr.count("\n") == 1


def test_help_says_how_to_give_a_token(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["--help"])
    assert ended.value.code == 0
    printed = capsys.readouterr().out
    assert "PUBLISH_TOKEN" in printed
    assert "they can read it there" in printed


def test_it_loads_no_model_and_no_worker():
    # With all that runs when a Pi's camera is published.
    code = (
        "import sys, server.publisher.__main__, server.publisher.publisher;"
        "import server.camera.choose, server.camera.hooks;"
        "heavy = ('mediapipe', 'openvino', 'cv2', 'server.workers', 'analyzers.pose');"
        "print([name for name in heavy if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert done.stdout.strip() == "[]", done.stderr


# ---- what it says of the machine


@pytest.mark.parametrize(
    ("bits", "words"),
    [
        (0x0, []),
        (0x1, ["under-voltage"]),
        (0x50000, ["under-voltage earlier", "throttled earlier"]),
        (0x50005, ["under-voltage", "throttled"]),
        (0xE0008, ["soft temperature limit", "frequency capped earlier", "throttled earlier"]),
    ],
)
def test_throttling_is_told_in_words(bits, words):
    assert health.decode_throttled(bits) == words


def zone(sys, number, kind, value):
    path = sys / "class" / "thermal" / f"thermal_zone{number}"
    path.mkdir(parents=True)
    (path / "type").write_text(f"{kind}\n")
    (path / "temp").write_text(f"{value}\n")


def test_the_processors_temperature_comes_before_a_hotter_one(tmp_path):
    assert health.temperature_c(tmp_path) is None
    zone(tmp_path, 0, "rp1_adc", 71000)
    assert health.temperature_c(tmp_path) == 71.0
    zone(tmp_path, 1, "broken", "")
    zone(tmp_path, 2, "cpu-thermal", 48312)
    assert health.temperature_c(tmp_path) == 48.3


def vcgencmd(directory, script):
    program = directory / "vcgencmd"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)


@pytest.fixture
def path(monkeypatch, tmp_path):
    directory = tmp_path / "bin"
    directory.mkdir()
    monkeypatch.setenv("PATH", f"{directory}:/usr/bin:/bin")
    return directory


async def test_throttling_is_asked_of_vcgencmd(path, tmp_path):
    assert await health.throttled(tmp_path) is None
    vcgencmd(path, '[ "$1" = get_throttled ] && echo throttled=0x50005')
    assert await health.throttled(tmp_path) == ["under-voltage", "throttled"]


@pytest.mark.parametrize("script", ["exit 1", "echo VCHI initialization failed", "exec sleep 60"])
async def test_or_else_read_from_the_firmwares_file(path, tmp_path, monkeypatch, script):
    monkeypatch.setattr(health, "_VCGENCMD_WITHIN_S", 0.5)
    vcgencmd(path, script)
    file = tmp_path / "devices/platform/soc/soc:firmware/get_throttled"
    file.parent.mkdir(parents=True)
    file.write_text("80008\n")
    assert await health.throttled(tmp_path) == ["soft temperature limit"]
    file.write_text("what\n")
    assert await health.throttled(tmp_path) is None


# ---- systemd


@pytest.fixture(params=["path", "abstract"])
def manager(request, monkeypatch, tmp_path):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        name = f"kinecast-test-{os.getpid()}"
        address = str(tmp_path / "notify") if request.param == "path" else f"\0{name}"
        listener.bind(address)
        listener.settimeout(60)
        monkeypatch.setenv("NOTIFY_SOCKET", address.replace("\0", "@"))
        yield listener


def test_systemd_is_told(manager):
    systemd.notify("READY=1")
    assert manager.recv(100) == b"READY=1"


async def test_the_watchdog_hears_of_it_as_long_as_the_loop_turns(manager, monkeypatch):
    monkeypatch.setenv("WATCHDOG_USEC", "40000")
    monkeypatch.setenv("WATCHDOG_PID", str(os.getpid()))
    telling = asyncio.create_task(systemd.keep_alive())
    for _ in range(3):
        assert await asyncio.to_thread(manager.recv, 100) == b"WATCHDOG=1"
    telling.cancel()


async def test_where_there_is_no_systemd_nothing_is_told(monkeypatch):
    for name in ("NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"):
        monkeypatch.delenv(name, raising=False)
    systemd.notify("READY=1")
    async with asyncio.timeout(60):
        await systemd.keep_alive()
    monkeypatch.setenv("WATCHDOG_USEC", "40000")
    monkeypatch.setenv("WATCHDOG_PID", "1")
    assert systemd.watchdog_s() is None
