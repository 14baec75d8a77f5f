"""Presets: what each sets, what comes before it, and that none lets anybody in."""

import os
import re
import shlex
from typing import get_args

import pytest

from server.config import BadSettings, Settings, parse_settings
from server.config.presets import PRESETS, PresetName
from tests.support import older_project
from tests.support.server import ROOT, run_until_exit

PORTS = {"pose": 8000, "search": 5000, "exercise": 3000, "camera": 8000, "monitor": 8083}


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    """No .env of ours, no variable of the machine's."""
    monkeypatch.chdir(tmp_path)
    for name in [name for setting in Settings.settings() for name in setting.variables]:
        monkeypatch.delenv(name, raising=False)


def test_there_is_one_for_each_name():
    assert {"none", *PRESETS} == set(get_args(PresetName))


@pytest.mark.parametrize(("name", "port"), PORTS.items())
def test_each_is_on_its_port_of_this_machine_alone(name, port):
    settings = parse_settings(["--preset", name])
    assert (settings.port, settings.host, settings.record_to) == (port, "127.0.0.1", None)


@pytest.mark.parametrize("name", PRESETS)
def test_what_it_sets_is_a_setting(name):
    preset = PRESETS[name]
    named = {*preset.settings, *preset.on_loopback}
    assert named <= Settings.model_fields.keys()
    plain, preset_on = parse_settings([]), parse_settings(["--preset", name])
    for field in Settings.model_fields.keys() - named - {"preset"}:
        assert getattr(preset_on, field) == getattr(plain, field)


def test_what_is_set_otherwise_comes_first(monkeypatch, tmp_path):
    (tmp_path / ".env").write_text("PRESET=search\nALLOW_ORIGIN=https://app.example\n")
    settings = parse_settings([])
    assert (settings.port, settings.allow_origin) == (5000, ("https://app.example",))
    monkeypatch.setenv("PORT", "5050")
    assert parse_settings([]).port == 5050
    assert parse_settings(["--port", "5051"]).port == 5051
    assert parse_settings(["--preset", "none"]).allow_source == ()


def test_the_pages_of_older_servers_may_come():
    assert "http://localhost:3000" in parse_settings(["--preset", "pose"]).allow_origin
    assert "http://localhost:8080" in parse_settings(["--preset", "exercise"]).allow_origin
    assert parse_settings(["--preset", "monitor"]).allow_origin == ()


@pytest.mark.parametrize("name", PRESETS)
def test_other_machines_are_let_in_by_one_more_flag_which_it_names(name):
    with pytest.raises(BadSettings, match=rf"--preset {name} .* is --no-auth") as raised:
        parse_settings(["--preset", name, "--host", "0.0.0.0"])
    assert "--auth-secret" not in str(raised.value)
    assert parse_settings(["--preset", name, "--host", "0.0.0.0", "--no-auth"]).no_auth
    secret = ["--auth-secret", "0123456789abcdef" * 2]
    assert parse_settings(["--preset", name, "--host", "0.0.0.0", *secret]).asks_for_tokens


def test_the_commands_of_the_document_are_understood(monkeypatch, tmp_path):
    text = (ROOT / "docs" / "migrating.md").read_text()
    commands = re.findall(r"^\.venv/bin/python -m server (--preset .*?) *(?:#.*)?$", text, re.M)
    monkeypatch.setenv("HOME", str(tmp_path))
    older_project.write(tmp_path / "monitoring")
    (tmp_path / "backend" / "app").mkdir(parents=True)
    hook = "def annotate_frame(frame, timestamp):\n    return None\n"
    (tmp_path / "backend" / "app" / "hooks.py").write_text(hook)
    ports = {}
    for command in commands:
        flags = [os.path.expanduser(word) for word in shlex.split(command)]
        settings = parse_settings(flags)
        ports[settings.preset] = settings.port
        if settings.preset == "monitor":
            assert [spec.name for spec in settings.analyzers] == ["Skin", "Pulse"]
        if settings.preset == "camera":
            assert settings.camera_hook is not None
    assert ports == PORTS


def test_a_camera_is_read_for_this_machine_only():
    assert parse_settings(["--preset", "search"]).allow_source == ("0",)
    everybody = ["--preset", "search", "--host", "0.0.0.0", "--no-auth"]
    assert parse_settings(everybody).allow_source == ()


def test_one_that_is_not_there_is_told_in_one_line():
    status, printed = run_until_exit("--preset", "poses")
    assert (status, printed.count("\n")) == (2, 1)
    assert "--preset: " in printed
    assert "'monitor'" in printed
