"""Settings from flags, the environment and .env; what is wrong is told in one line."""

import os

import pytest

from server.config import BadSettings, Settings, parse_settings


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    """No .env of ours, no variable of the machine's."""
    monkeypatch.chdir(tmp_path)
    for name in ("HOST", "PORT", "WORKERS", "ANALYZERS"):
        monkeypatch.delenv(name, raising=False)


def test_the_defaults_are_safe():
    settings = parse_settings([])
    assert settings.host == "127.0.0.1"
    assert settings.port == 8083
    assert [spec.name for spec in settings.analyzers] == ["pose"]
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
    model.touch()
    detector.touch()
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
        assert f"--{field.replace('_', '-')}" in text
    assert "examples:" in text
