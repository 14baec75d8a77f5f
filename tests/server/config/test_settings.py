"""Settings from flags, the environment and .env; what is wrong is told in one line."""

import inspect
import os
import pkgutil
import re

import pytest

from analyzers.registry import find
from server.config import BadSettings, Settings, parse_settings
from tests.support import older_project
from tests.support.server import free_port, run_until_exit


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    """No .env of ours, no variable of the machine's."""
    monkeypatch.chdir(tmp_path)
    for name in [name for setting in Settings.settings() for name in setting.variables]:
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


def test_models_of_an_older_server_run_alone_or_after_others(tmp_path):
    folder = str(older_project.write(tmp_path))
    names = [spec.name for spec in parse_settings(["--models", folder]).analyzers]
    assert names == ["Skin", "Pulse"]
    both = parse_settings(["--models", folder, "--analyzers", "pose"]).analyzers
    assert [spec.name for spec in both] == ["pose", "Skin", "Pulse"]
    assert next(spec.name for spec in parse_settings(["--models", ""]).analyzers) == "pose"
    with pytest.raises(BadSettings, match=r"^--models: there is no folder"):
        parse_settings(["--models", "nowhere"])


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
    assert parse_settings([]).camera_enabled
    assert not parse_settings(["--no-camera-enabled"]).camera_enabled


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


def test_no_secret_is_in_help(monkeypatch, capsys):
    monkeypatch.setenv("AUTH_SECRET", SECRET)
    monkeypatch.setenv("TURN_SECRET", "geheim")
    with pytest.raises(SystemExit):
        parse_settings(["--help"])
    text = capsys.readouterr().out
    assert "--auth-secret SECRET" in text
    assert SECRET not in text
    assert "geheim" not in text


RENAMED = [
    ("handshake_timeout", "handshake_time"),
    ("body_timeout", "request_time"),
    ("write_timeout", "send_time"),
    ("idle_timeout", "idle_time"),
]


def flag(name):
    return f"--{name.replace('_', '-')}"


@pytest.fixture(params=RENAMED, ids=lambda names: names[0])
def renamed(request, monkeypatch):
    for name in request.param:
        monkeypatch.delenv(name.upper(), raising=False)
    return request.param


def test_an_older_spelling_is_read_wherever_the_newer_is(renamed, monkeypatch, tmp_path):
    name, older = renamed
    (tmp_path / ".env").write_text(f"{older.upper()}=7s\n")
    assert getattr(parse_settings([]), name) == 7
    monkeypatch.setenv(older.upper(), "8s")
    assert getattr(parse_settings([]), name) == 8
    assert getattr(parse_settings([flag(older), "9s"]), name) == 9


def test_spellings_do_not_change_what_comes_first(renamed, monkeypatch, tmp_path):
    name, older = renamed
    (tmp_path / ".env").write_text(f"{name.upper()}=7\n")
    monkeypatch.setenv(older.upper(), "8")
    assert getattr(parse_settings([]), name) == 8
    assert getattr(parse_settings([flag(name), "9"]), name) == 9
    monkeypatch.delenv(older.upper())
    monkeypatch.setenv(name.upper(), "10")
    assert getattr(parse_settings([flag(older), "11"]), name) == 11


def test_both_spellings_in_one_place_are_refused(renamed, monkeypatch, tmp_path):
    name, older = renamed
    both = f"{name.upper()} and {older.upper()}: give one of them"
    with pytest.raises(BadSettings, match=f"{flag(older)}: not allowed with .*{flag(name)}"):
        parse_settings([flag(name), "1", flag(older), "1"])
    (tmp_path / ".env").write_text(f"{name.upper()}=1\n{older.upper()}=1\n")
    with pytest.raises(BadSettings) as raised:
        parse_settings([])
    assert str(raised.value) == both
    (tmp_path / ".env").unlink()
    for variable in renamed:
        monkeypatch.setenv(variable.upper(), "1")
    with pytest.raises(BadSettings) as raised:
        parse_settings([])
    assert str(raised.value) == both


def test_what_is_wrong_in_an_older_spelling_is_told_by_the_newer(renamed, monkeypatch):
    name, older = renamed
    with pytest.raises(BadSettings, match=f"^{flag(name)}: "):
        parse_settings([flag(older), "0"])
    monkeypatch.setenv(older.upper(), "soon")
    with pytest.raises(BadSettings, match=f"^{flag(name)}: 'soon' is no time"):
        parse_settings([])


def test_help_has_older_spellings_in_brackets_only(renamed, capsys):
    name, older = renamed
    with pytest.raises(SystemExit):
        parse_settings(["--help"])
    text = " ".join(capsys.readouterr().out.split())
    assert f"{flag(name)} TIME" in text
    assert f"(also {flag(older)}; default: " in text
    assert len(re.findall(rf"{flag(older)}\b", text)) == 1


def test_variables_of_other_servers_are_no_flags_and_may_stand_beside_ours(monkeypatch):
    monkeypatch.setenv("PI_CAMERA_BACKEND", "v4l2")
    assert parse_settings([]).camera == "v4l2"
    monkeypatch.setenv("CAMERA", "pattern")
    assert parse_settings([]).camera == "pattern"
    with pytest.raises(BadSettings, match="unrecognized arguments: --pi-camera-backend"):
        parse_settings(["--pi-camera-backend", "v4l2"])


@pytest.mark.parametrize(
    ("text", "seconds"), [("90", 90), ("1.5", 1.5), ("90s", 90), ("2m", 120), ("0.5h", 1800)]
)
def test_times(text, seconds):
    assert parse_settings(["--idle-timeout", text]).idle_timeout == seconds


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
        (["--key-file", __file__], "go together"),
        (["--key-file", "nowhere.pem"], "--key-file: .*nowhere.pem"),
        (["--po", "1"], "--po"),
        (["--pose-engine", "tensorrt"], "--pose-engine: .*'openvino'.*tensorrt"),
        (["--inference-precision", "int8"], "--inference-precision: .*'bf16'.*int8"),
        (["--detector", "nowhere.xml"], "--detector: there is no file nowhere.xml"),
        (["--auth-secret", "short"], "openssl rand -hex 32"),
        (["--auth-secret-file", "nowhere"], "--auth-secret-file: .*nowhere"),
        (["--self-signed", "--cert-file", __file__, "--key-file", __file__], "one of them"),
        (["--idle-timeout", "soon"], "--idle-timeout: .*10m"),
        (["--handshake-timeout", "0"], "--handshake-timeout"),
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
    for group in Settings.groups():
        assert f"{group.title}:" in text
    assert "examples:" in text
    assert "kinecast token" in text


def test_every_setting_is_in_one_group():
    grouped = [name for group in Settings.groups() for name in group.model_fields]
    assert sorted(grouped) == sorted(Settings.model_fields)
