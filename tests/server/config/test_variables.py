"""Variables that older servers read, and what an empty one means."""

import ssl

import aiohttp
import pytest

from client_test.peer import ClientPeer
from server.camera.source import Focus
from server.config import BadSettings, Settings, parse_settings
from server.config.presets import PRESETS
from server.security import development_certificate as development
from tests.support.server import COUNTER, ROOT, running_server
from tests.support.tracks import ColourTrack


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    """No .env of ours, no variable of the machine's."""
    monkeypatch.chdir(tmp_path)
    for name in [name for setting in Settings.settings() for name in setting.variables]:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="module")
def pem(tmp_path_factory):
    """A certificate with its key."""
    return str(development.ensure(tmp_path_factory.mktemp("tls")).path)


# ---- nothing is recorded


@pytest.mark.parametrize("empty", ["", " "])
def test_an_empty_directory_is_none(empty, monkeypatch, tmp_path):
    assert parse_settings(["--record-to", "kept"]).recordings_directories()[0].name == "kept"
    settings = parse_settings(["--record-to", empty])
    assert settings.record_to is None
    assert tmp_path not in [folder.resolve() for folder in settings.recordings_directories()]
    monkeypatch.setenv("RECORD_TO", "kept")
    assert parse_settings(["--record-to", empty]).record_to is None
    assert parse_settings(["--recordings", empty]).recordings_directory().name == "kept"


def test_an_empty_variable_records_nothing_whatever_the_file_says(monkeypatch, tmp_path):
    (tmp_path / ".env").write_text("RECORD_TO=kept\nMAX_SESSIONS=3\n")
    assert parse_settings([]).record_to is not None
    monkeypatch.setenv("RECORD_TO", "")
    monkeypatch.setenv("MAX_SESSIONS", "")
    settings = parse_settings([])
    assert (settings.record_to, settings.max_sessions) == (None, 3)
    assert parse_settings(["--record-to", "here"]).record_to is not None


@pytest.mark.parametrize("watched", [False, True])
async def test_a_server_that_is_to_record_nothing_says_so_and_writes_nothing(tmp_path, watched):
    flags = ("--preset", "monitor", "--analyzers", COUNTER, "--workers", "1", "--record-to", "")
    here = tmp_path / "here"
    here.mkdir()
    where = {"cwd": here, "path": str(ROOT), "watched": watched}
    with running_server(tmp_path, *flags, **where) as server:
        assert server.get("/health")["recording"] is None
        async with ClientPeer(server.url) as peer:
            await peer.connect(ColourTrack())
            await peer.wait_for(lambda m: m.get("count", 0) > 5)
            await peer.end()
    assert list(here.iterdir()) == []
    kept = [path.name for path in tmp_path.rglob("*")]
    assert not {"video.mp4", "video.webm", "results.jsonl", "summary.json"} & set(kept)


# ---- the certificate


def test_both_variables_are_the_certificate(pem, monkeypatch, tmp_path):
    monkeypatch.setenv("SSL_CERT_FILE", pem)
    monkeypatch.setenv("SSL_KEY_FILE", pem)
    settings = parse_settings([])
    assert str(settings.cert_file) == str(settings.key_file) == pem
    monkeypatch.delenv("SSL_KEY_FILE")
    (tmp_path / ".env").write_text(f"SSL_CERT_FILE={pem}\nSSL_KEY_FILE={pem}\n")
    monkeypatch.setenv("SSL_CERT_FILE", "/etc/authorities.pem")
    assert str(parse_settings([]).cert_file) == pem, "a pair is of one place"


@pytest.mark.parametrize("preset", PRESETS)
def test_they_are_with_each_preset(pem, monkeypatch, preset):
    monkeypatch.setenv("SSL_CERT_FILE", pem)
    monkeypatch.setenv("SSL_KEY_FILE", pem)
    settings = parse_settings(["--preset", preset])
    assert str(settings.cert_file) == str(settings.key_file) == pem
    assert settings.tls_context() is not None


@pytest.mark.parametrize(
    ("key", "says"),
    [
        ("nowhere.pem", r"--key-file: .*nowhere\.pem"),
        (".", "--key-file: "),
        ("no-key.pem", r"no-key\.pem do not work together"),
    ],
)
def test_a_key_that_can_not_be_used_is_told_and_nothing_is_served(
    pem, monkeypatch, tmp_path, key, says
):
    (tmp_path / "no-key.pem").write_text("no key at all")
    monkeypatch.setenv("SSL_CERT_FILE", pem)
    monkeypatch.setenv("SSL_KEY_FILE", str(tmp_path / key))
    with pytest.raises(BadSettings, match=says):
        parse_settings([])


def test_the_first_alone_is_openssls(pem, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", pem)
    assert parse_settings([]).cert_file is None


def test_half_of_it_is_refused(pem, monkeypatch):
    monkeypatch.setenv("SSL_KEY_FILE", pem)
    with pytest.raises(BadSettings, match="go together, as SSL_CERT_FILE and SSL_KEY_FILE do"):
        parse_settings([])
    monkeypatch.setenv("SSL_CERT_FILE", "/nowhere.pem")
    with pytest.raises(BadSettings, match=r"--cert-file: .*nowhere\.pem"):
        parse_settings([])


def test_a_certificate_of_our_own_flags_comes_first(pem, monkeypatch, tmp_path):
    other = str(development.ensure(tmp_path / "other").path)
    monkeypatch.setenv("SSL_CERT_FILE", other)
    monkeypatch.setenv("SSL_KEY_FILE", other)
    settings = parse_settings(["--cert-file", pem, "--key-file", pem])
    assert str(settings.cert_file) == str(settings.key_file) == pem


async def test_a_server_with_both_speaks_tls_on_both_ports(pem, monkeypatch, tmp_path):
    monkeypatch.setenv("SSL_CERT_FILE", pem)
    monkeypatch.setenv("SSL_KEY_FILE", pem)
    flags = ("--analyzers", COUNTER, "--workers", "1")
    with running_server(tmp_path, *flags, scheme="https") as server:
        server.wait_until_logged("Signaling WebSocket")
        assert f"wss://127.0.0.1:{server.port + 1}" in server.log
        context = ssl.create_default_context(cafile=pem)
        async with aiohttp.ClientSession() as http:
            async with http.get(f"{server.url}/health", ssl=context) as response:
                assert response.status == 200
            with pytest.raises(aiohttp.ClientError):
                await http.get(server.url.replace("https", "http") + "/health")


def test_how_an_older_camera_server_was_told_to_focus(monkeypatch):
    assert parse_settings([]).camera_mode().focus == Focus()
    monkeypatch.setenv("PICAM_AF_MODE", "Continuous")
    monkeypatch.setenv("PICAM_AF_RANGE", "macro")
    monkeypatch.setenv("PICAM_AF_SPEED", "FAST")
    assert parse_settings([]).camera_mode().focus == Focus("continuous", "macro", "fast")
    assert parse_settings(["--camera-focus", "auto"]).camera_mode().focus.mode == "auto"
    monkeypatch.setenv("PICAM_AF_RANGE", "far")
    with pytest.raises(BadSettings, match=r"normal.*macro.*full"):
        parse_settings([])
