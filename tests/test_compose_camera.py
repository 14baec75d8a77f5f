"""deploy/compose.camera.yaml: against compose's own schema, and against what the server can do.

It is not run here.
"""

import json
import os
import re

import pytest

from server.config import parse_settings
from tests.support.deployment import KNOWN, compose, of
from tests.support.server import ROOT

CAMERA = (ROOT / "deploy" / "compose.camera.yaml").read_text()


def camera_service(text=CAMERA, **variables):
    """As compose has it when these variables are set, and no others."""

    def filled(match):
        return variables.get(match[1]) or match[2]

    # A default may be another variable: from the inside out.
    while (next_text := re.sub(r"\$\{(\w+):-([^${}]*)\}", filled, text)) != text:
        text = next_text
    return compose(text)["services"]


def test_the_cameras_compose_asks_for_no_secret_and_is_for_this_machine_alone():
    services = camera_service()
    assert services.keys() == {"camera"}
    camera = services["camera"]
    assert "SECRET" not in CAMERA
    ports = dict(port.rsplit(":", 1) for port in camera["ports"])
    assert ports == {"127.0.0.1:8000": "8000", "127.0.0.1:3000": "8000"}
    assert "network_mode" not in camera, "or the ports would be everybody's"
    assert camera["environment"].keys() <= KNOWN
    assert (camera["environment"]["PRESET"], camera["environment"]["NO_AUTH"]) == ("camera", 1)
    assert camera["build"]["target"] == "pi"
    mounted = dict(volume.split(":")[:2] for volume in camera["volumes"])
    assert sorted(mounted.values()) == json.loads(of("pi", "VOLUME")[0])
    elsewhere = camera_service(RECORD_OUTPUT_DIR="/mnt/films")
    assert "/mnt/films:/recordings" in elsewhere["camera"]["volumes"]


@pytest.mark.parametrize(
    ("variables", "camera"),
    [
        ({}, "auto"),
        ({"CAMERA": "pattern"}, "pattern"),
        ({"PI_CAMERA_BACKEND": "opencv"}, "opencv"),
        ({"PI_CAMERA_BACKEND": "picamera", "CAMERA": "pattern"}, "picamera"),
    ],
)
def test_the_cameras_kind_has_its_older_name_too(variables, camera):
    assert camera_service(**variables)["camera"]["environment"]["CAMERA"] == camera


def test_a_variable_of_theirs_reaches_the_camera_that_it_is_of(monkeypatch):
    theirs = {
        "CAMERA_ENABLED": "1",
        "PI_CAMERA_BACKEND": "opencv",
        "PICAM_VIDEO_SIZE": "640x480",
        "PICAM_FRAME_RATE": "15",
        "TARGET_STREAM_FPS": "8",
        "STREAM_JPEG_QUALITY": "85",
        "ROTATE_STREAM_180": "1",
        "PICAM_AF_MODE": "continuous",
    }
    for name in KNOWN & os.environ.keys() - {"PATH"}:
        monkeypatch.delenv(name)
    for name, value in camera_service(**theirs)["camera"]["environment"].items():
        monkeypatch.setenv(name, str(value or ""))
    settings = parse_settings([])
    assert (settings.camera_enabled, settings.camera) == (True, "opencv")
    assert (settings.camera_size, settings.camera_fps) == ((640, 480), 15)
    assert (settings.stream_fps, settings.jpeg_quality, settings.camera_turn) == (8, 85, "180")
    assert settings.camera_mode().focus.mode == "continuous"


def test_its_settings_can_be_used(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    for name in KNOWN & os.environ.keys() - {"PATH"}:
        monkeypatch.delenv(name)
    for name, value in camera_service()["camera"]["environment"].items():
        monkeypatch.setenv(name, str(value or ""))
    monkeypatch.setenv("CAMERA_ENABLED", "0")
    monkeypatch.setenv("HOST", "0.0.0.0")
    settings = parse_settings([])
    assert (settings.port, settings.preset, settings.camera_enabled) == (8000, "camera", False)
