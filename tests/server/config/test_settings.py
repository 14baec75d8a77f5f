"""Settings from flags, the environment and .env; what is wrong is told in one line."""

import inspect
import os
import pkgutil

import pytest

from analyzers.registry import find
from server.config import BadSettings, Settings, parse_settings
from server.config.settings import GROUPS
from tests.support.server import free_port, run_until_exit


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    """No .env of ours, no variable of the machine's."""
    monkeypatch.chdir(tmp_path)
    for name in ("HOST", "PORT", "WORKERS", "ANALYZERS", "AUTH_SECRET", "NO_AUTH"):
        monkeypatch.delenv(name, raising=False)


def test_the_defaults_are_safe():
    settings = parse_settings([])
    assert settings.host == "127.0.0.1"
    assert settings.port == 8083
    assert [spec.name for spec in settings.analyzers] == ["pose", "exercise", "reid"]
    assert settings.ice_servers == ()
    assert settings.ice_address == ()
    assert settings.record_to is None
    assert settings.workers == len(os.sched_getaffinity(0))
    inference = {"device": "CPU", "precision": "auto"}
    assert settings.analyzer_settings() == {
        "pose": {"engine": "auto", "detector": None, **inference},
        "reid": {"model": None, "detector": None, **inference},
    }


def test_what_pose_is_told(tmp_path):
    model, detector = tmp_path / "pose.task", tmp_path / "person.xml"
    for path in (model, detector, detector.with_suffix(".bin")):
        path.touch()
    flags = {
        "--pose-engine": "openvino",
        "--pose-model": str(model),
        "--detector": str(detector),
        "--inference-device": "GPU.1",
        "--inference-precision": "f32",
        "--reid-model": "person-reidentification-retail-0288",
    }
    settings = parse_settings([word for flag in flags.items() for word in flag])
    assert settings.analyzer_settings()["pose"] == {
        "engine": "openvino",
        "model": str(model),
        "detector": str(detector),
        "device": "GPU.1",
        "precision": "f32",
    }
    assert settings.analyzer_settings()["reid"] == {
        "model": "person-reidentification-retail-0288",
        "detector": str(detector),
        "device": "GPU.1",
        "precision": "f32",
    }
    for name, given in settings.analyzer_settings().items():
        (spec,) = find([name])
        inspect.signature(pkgutil.resolve_name(spec.target)).bind(**given)


def test_half_a_network_is_none(tmp_path):
    (tmp_path / "net.xml").touch()
    with pytest.raises(BadSettings, match=r"--reid-model: .*without its weights, net\.bin"):
        parse_settings(["--reid-model", str(tmp_path / "net.xml")])


def test_flags_come_before_the_environment_and_that_before_the_file(tmp_path, monkeypatch):
    (tmp_path / ".env").write_text("PORT=9001\nWORKERS=3\nMAX_SESSIONS=7\nUNRELATED=1\n")
    monkeypatch.setenv("PORT", "9002")
    monkeypatch.setenv("MAX_SESSIONS", "8")
    settings = parse_settings(["--max-sessions", "9"])
    assert (settings.workers, settings.port, settings.max_sessions) == (3, 9002, 9)


def test_lists_can_be_given_with_commas_and_by_repeating(monkeypatch):
    settings = parse_settings(
        ["--ice-address", "127.0.0.1", "--ice-address", "::1", "--analyzers", "pose, mock_model_1"]
    )
    assert settings.ice_address == ("127.0.0.1", "::1")
    assert [spec.name for spec in settings.analyzers] == ["pose", "mock_model_1"]
    monkeypatch.setenv("ICE_ADDRESS", "10.0.0.1,10.0.0.2")
    monkeypatch.setenv("ANALYZERS", "mock_model_2")
    settings = parse_settings([])
    assert settings.ice_address == ("10.0.0.1", "10.0.0.2")
    assert [spec.name for spec in settings.analyzers] == ["mock_model_2"]


def test_a_port_range():
    assert parse_settings(["--ice-port-range", "50000-50010"]).ice_port_range == range(50000, 50011)


def test_ice_servers():
    settings = parse_settings(["--ice-servers", "stun:a.example:3478,turn:b.example"])
    assert [server.urls for server in settings.ice_servers] == [
        ("stun:a.example:3478",),
        ("turn:b.example",),
    ]


def test_switches():
    assert parse_settings(["-v", "--websocket-only"]).verbose
    assert parse_settings(["--websocket-only"]).websocket_only


def test_secrets_are_not_printed():
    assert "geheim" not in repr(parse_settings(["--turn-secret", "geheim"]))


SECRET = "0123456789abcdef" * 2


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost"])
def test_this_machine_alone_is_served_without_asking(host):
    assert not parse_settings(["--host", host]).asks_for_tokens


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.7", "my-machine", "localhost.example"])
def test_other_machines_are_served_when_it_is_meant_or_tokens_are_asked_for(host, monkeypatch):
    with pytest.raises(BadSettings) as raised:
        parse_settings(["--host", host])
    for word in (host, "--auth-secret", "--no-auth", "openssl rand -hex 32"):
        assert word in str(raised.value)
    assert parse_settings(["--host", host, "--no-auth"]).no_auth
    assert parse_settings(["--host", host, "--auth-secret", SECRET]).asks_for_tokens
    monkeypatch.setenv("AUTH_SECRET", SECRET)
    assert parse_settings(["--host", host]).asks_for_tokens


def test_a_server_that_would_let_anybody_in_does_not_start():
    status, printed = run_until_exit("--host", "0.0.0.0", "--port", str(free_port()))
    assert status == 2
    assert printed.count("\n") == 1
    assert "--auth-secret" in printed


def test_the_secret_from_a_file(tmp_path):
    file = tmp_path / "secret"
    file.write_text(f"{SECRET}\n")
    settings = parse_settings(["--auth-secret-file", str(file)])
    assert settings.auth_secret.get_secret_value() == SECRET
    assert SECRET not in repr(settings)
    with pytest.raises(BadSettings, match="one of them"):
        parse_settings(["--auth-secret-file", str(file), "--auth-secret", SECRET])
    file.write_text("short")
    with pytest.raises(BadSettings, match="shorter than 32"):
        parse_settings(["--auth-secret-file", str(file)])


def test_a_secret_is_not_shown_when_it_is_refused():
    with pytest.raises(BadSettings) as raised:
        parse_settings(["--auth-secret", "geheim"])
    assert "geheim" not in str(raised.value)


@pytest.mark.parametrize(
    ("text", "seconds"), [("90", 90), ("1.5", 1.5), ("90s", 90), ("2m", 120), ("0.5h", 1800)]
)
def test_times(text, seconds):
    assert parse_settings(["--idle-time", text]).idle_time == seconds


def test_origins_can_be_given_with_commas_and_by_repeating():
    flags = ["--allow-origin", "http://a:1,http://b:2", "--allow-origin", "null"]
    assert parse_settings(flags).allow_origin == ("http://a:1", "http://b:2", "null")


@pytest.mark.parametrize(
    ("flags", "says"),
    [
        (["--port", "65535"], "--port"),
        (["--max-sessions", "0"], "--max-sessions"),
        (["--resume-window", "-1"], "--resume-window"),
        (["--analyzers", "pose,pose"], "--analyzers"),
        (["--analyzers", ""], "--analyzers"),
        (["--ice-port-range", "1-2"], "1024"),
        (["--key-file", "key.pem"], "go together"),
        (["--po", "1"], "--po"),
        (["--pose-engine", "tensorrt"], "--pose-engine: .*'openvino'.*tensorrt"),
        (["--inference-precision", "int8"], "--inference-precision: .*'bf16'.*int8"),
        (["--detector", "nowhere.xml"], "--detector: there is no file nowhere.xml"),
        (["--auth-secret", "short"], "openssl rand -hex 32"),
        (["--auth-secret-file", "nowhere"], "--auth-secret-file: .*nowhere"),
        (["--self-signed", "--cert-file", "a", "--key-file", "b"], "one of them"),
        (["--idle-time", "soon"], "--idle-time: .*10m"),
        (["--handshake-time", "0"], "--handshake-time"),
        (["--connections-per-address", "-1"], "--connections-per-address"),
        (["--allow-origin", "localhost:3000"], "--allow-origin: .*http://HOST:PORT"),
    ],
)
def test_what_is_wrong_is_told_in_one_line(flags, says):
    with pytest.raises(BadSettings, match=says) as raised:
        parse_settings(flags)
    assert "\n" not in str(raised.value)


def test_help_names_every_setting(capsys):
    with pytest.raises(SystemExit) as raised:
        parse_settings(["--help"])
    assert raised.value.code == 0
    text = capsys.readouterr().out
    for field in Settings.model_fields:
        flag = field.replace("_", "-")
        assert f"--{flag}" in text or f"--no-{flag}" in text
    for group in GROUPS:
        assert f"{group.title}:" in text
    assert "examples:" in text
    assert "kinecast token" in text


def test_every_setting_is_in_one_group():
    grouped = [name for group in GROUPS for name in group.model_fields]
    assert sorted(grouped) == sorted(Settings.model_fields)
