"""What deploys it: Dockerfile, compose.yaml, systemd's units, the Raspberry Pi's page.

None of them is run here; what they name must exist, and what can be tried by itself is.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from analyzers.networks import catalogue
from server import app
from server.config import Settings
from server.publisher.settings import PeerSettings, parse_settings
from server.recordings import recordings
from server.watchdog import media_process, supervisor
from tests.support.deployment import COMPOSE, KNOWN, compose, instructions, of, variables
from tests.support.server import COUNTER, ROOT, free_port, running_server
from tests.support.snippets import fenced

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
UNITS = sorted((ROOT / "deploy").glob("*.service"))


# ---- Dockerfile


@pytest.fixture(params=["server", "pi"])
def image(request):
    return request.param


def test_the_dockerfile_is_clean():
    linter = Path(sys.executable).with_name("hadolint")
    done = subprocess.run(
        [linter, "--no-color", "Dockerfile"], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_what_is_built_without_a_name_is_the_server():
    assert instructions()[-1][0] == "server"


def test_all_that_the_package_is_built_from_gets_in_and_nothing_else():
    rules = [
        line
        for line in (ROOT / ".dockerignore").read_text().splitlines()
        if line and not line.startswith("#")
    ]
    assert rules[0] == "*"
    let_in = {rule[1:] for rule in rules if rule.startswith("!")}
    assert all((ROOT / name).exists() for name in let_in)
    built = PROJECT["tool"]["setuptools"]
    packages = {package.rstrip("*") for package in built["packages"]["find"]["include"]}
    data = {name for names in built["data-files"].values() for name in names}
    # The client is for those who build on the server, who are elsewhere.
    packages.remove("client_test")
    assert let_in == packages | data | {"LICENSE", "pyproject.toml", PROJECT["project"]["readme"]}
    for stage in ("pi", "build"):
        assert of(stage, "COPY") == [". /src"]


def test_what_a_stage_takes_from_another_is_made_there():
    for stage, name, rest in instructions():
        if name == "COPY" and (taken := re.match(r"--from=(\S+) (\S+) ", rest)):
            assert any(taken[2] in run for run in of(taken[1], "RUN")), (stage, rest)


def test_it_is_run_by_a_user_without_rights_who_may_write_its_volumes(image):
    (user,) = of(image, "USER")
    made = " ".join(of(image, "RUN"))
    assert int(user) > 0
    assert f"--uid {user} " in made
    assert "install -d -o kinecast -m 700 /data /recordings" in made
    assert json.loads(of(image, "VOLUME")[0]) == ["/data", "/recordings"]


def test_its_command_and_its_variables_are_known(image):
    (command,) = of(image, "CMD")
    assert json.loads(command)[0] in PROJECT["project"]["scripts"]
    named = dict(pair.split("=", 1) for pair in " ".join(of(image, "ENV")).split())
    assert named.keys() <= KNOWN
    assert named["HOST"] == "0.0.0.0"
    # The same directories that are volumes.
    assert (named["XDG_DATA_HOME"], named["RECORD_OUTPUT_DIR"]) == ("/data", "/recordings")
    assert of(image, "WORKDIR") == ["/data"]


def test_the_networks_are_fetched_while_it_is_built(image):
    named = dict(pair.split("=", 1) for pair in " ".join(of(image, "ENV")).split())
    built = " ".join(of("build" if image == "server" else image, "RUN"))
    (name, folder) = re.search(r"kinecast models fetch (\S+) --folder (\S+)", built).groups()
    assert named["POSE_MODEL"] == f"{folder}/{name}.task"
    assert name == catalogue.POSE.name


def test_its_extras_are_there():
    for stage, _, rest in instructions():
        for extra in re.findall(r"/src\[(\w+)\]", rest):
            assert extra in PROJECT["project"]["optional-dependencies"], stage


def test_all_that_asks_for_mediapipe_asks_for_the_release_that_has_the_networks():
    release = catalogue.POSE.packed.release.requirement
    (extra,) = PROJECT["project"]["optional-dependencies"]["mediapipe"]
    # For other machines it has no wheel.
    assert extra == f"{release}; python_version < '3.13' and platform_machine != 'aarch64'"
    for name in ("Makefile", "docs/pose-engine.md"):
        assert f"--no-deps {release}\n" in (ROOT / name).read_text()


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    flags = ("--analyzers", COUNTER, "--workers", "1")
    with running_server(tmp_path_factory.mktemp("server"), *flags) as running:
        yield running


def test_its_health_check_tells_a_server_that_runs_from_one_that_does_not(image, server):
    (check,) = of(image, "HEALTHCHECK")
    program, *arguments = json.loads(check.partition("CMD")[2])
    assert program == "python3"

    def status(port):
        return subprocess.run(
            [sys.executable, *arguments],
            env={**os.environ, "PORT": str(port)},
            capture_output=True,
            timeout=30,
        ).returncode

    assert status(server.port) == 0
    # The next port is there, and has no such page.
    assert status(server.port + 1) != 0
    assert status(free_port()) != 0


# ---- compose.yaml


def test_compose_is_what_the_specification_says():
    services = compose()["services"]
    assert services.keys() == {"server", "turn", "pi"}
    # Only those without a profile are started when nothing is named.
    assert {name for name, service in services.items() if "profiles" in service} == {"pi"}
    stages = {stage for stage, _, _ in instructions()}
    assert services["pi"]["build"]["target"] in stages


def test_it_has_no_secret_of_its_own():
    for name in ("AUTH_SECRET", "TURN_SECRET"):
        uses = re.findall(rf"\$\{{{name}[^}}]*\}}", COMPOSE)
        assert uses
        # Without one, compose stops with that sentence.
        assert all(use.startswith(f"${{{name}:?make one") for use in uses)


def test_the_server_publishes_two_ports_and_is_not_on_the_hosts_network():
    for name in ("server", "pi"):
        service = compose()["services"][name]
        assert "network_mode" not in service
        assert service["ports"] == ["8083:8083", "50000:50000/udp"]
        # The port is in what ICE offers, so it is the same outside.
        assert service["environment"]["ICE_PORT"] == "${ICE_PORT:-50000}"
        assert service["environment"]["ICE_ADDRESS"].startswith("${ICE_ADDRESS:?")


def test_its_variables_are_known_and_its_volumes_are_the_images():
    services = compose()["services"]
    volumes = compose()["volumes"].keys()
    for name in ("server", "pi"):
        assert services[name]["environment"].keys() <= KNOWN
        mounted = dict(volume.split(":")[:2] for volume in services[name]["volumes"])
        assert mounted.keys() <= volumes
        assert sorted(mounted.values()) == json.loads(of(name, "VOLUME")[0])
    assert services["pi"]["environment"]["CAMERA_ENABLED"] == "${CAMERA_ENABLED:-0}"
    assert str(services["server"]["environment"]["CAMERA_ENABLED"]) == "0"


def test_the_turn_server_asks_for_credentials_made_with_the_secret():
    lines = compose()["configs"]["turn"]["content"].splitlines()
    assert "use-auth-secret" in lines
    assert any(line.startswith("static-auth-secret=${TURN_SECRET:?") for line in lines)
    assert {"no-tcp-relay", "denied-peer-ip=169.254.0.0-169.254.255.255"} <= set(lines)


def test_what_is_to_be_uncommented_for_a_camera_is_right():
    assert not compose()["services"]["pi"].keys() & {"devices", "security_opt", "privileged"}
    text = re.sub(
        r"^(\s+)# (?=devices:|security_opt:|privileged:|  - /|  - sec|- /run)",
        r"\1",
        COMPOSE,
        flags=re.M,
    )
    pi = compose(text)["services"]["pi"]
    assert "/dev/video0:/dev/video0" in pi["devices"]
    assert pi["security_opt"]
    assert pi["privileged"] is True
    assert len(pi["volumes"]) == 3


# ---- systemd


def settings_of(unit):
    """The unit's settings, each with its values in order."""
    found: dict[str, list[str]] = {}
    for line in unit.read_text().splitlines():
        name, sign, value = line.partition("=")
        if sign and not line.startswith("#"):
            found.setdefault(name, []).append(value)
    return found


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_systemd_understands_the_unit(unit, tmp_path):
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.skip("systemd is not installed")
    text = unit.read_text()
    # What it starts is not installed here.
    text = re.sub(r"^ExecStart=\S+", "ExecStart=/bin/true", text, flags=re.M)
    text = text.replace("/opt/kinecast", str(ROOT))
    copy = tmp_path / unit.name
    copy.write_text(text)
    done = subprocess.run(
        [program, "verify", "--man=no", copy], capture_output=True, text=True, timeout=60
    )
    said = [line for line in done.stderr.splitlines() if unit.name in line]
    assert (done.returncode, said) == (0, [])


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_the_unit_starts_what_there_is_and_locks_it_in(unit):
    found = settings_of(unit)
    program, *arguments = found["ExecStart"][0].split()
    if arguments:
        assert arguments[0] == "-m"
        assert (ROOT / arguments[1].replace(".", "/") / "__main__.py").exists()
    else:
        assert Path(program).name in PROJECT["project"]["scripts"]
    assert found["User"] == ["kinecast"]
    assert found["Restart"] == ["always"]
    # Wrong settings, which both say with status 2.
    assert found["RestartPreventExitStatus"] == ["2"]
    assert found["ProtectSystem"] == ["strict"]
    assert found["NoNewPrivileges"] == ["yes"]
    assert found["CapabilityBoundingSet"] == [""]
    # Each of them would hide the camera.
    assert not {"PrivateDevices", "DevicePolicy", "DeviceAllow", "ProtectClock"} & found.keys()
    assert Path(found["Documentation"][0].replace("file:///opt/kinecast", str(ROOT))).exists()


def test_the_watchdog_is_for_the_one_that_speaks_to_it():
    by_name = {unit.stem: settings_of(unit) for unit in UNITS}
    assert by_name.keys() == {"kinecast", "kinecast-camera"}
    assert by_name["kinecast-camera"]["Type"] == ["notify"]
    assert float(by_name["kinecast-camera"]["WatchdogSec"][0]) >= 10
    # The server's supervisor takes this long to find out, and to start it again.
    started_again_s = media_process.SILENT_WITHIN_S + supervisor.TRACE_WITHIN_S
    assert by_name["kinecast"]["Type"] == ["notify"]
    assert by_name["kinecast"]["NotifyAccess"] == ["main"]
    assert float(by_name["kinecast"]["WatchdogSec"][0]) > 2 * started_again_s
    assert "TimeoutStartSec" not in by_name["kinecast"]
    assert media_process.START_WITHIN_S < 90, "what systemd allows"
    # All of SIGTERM's work fits in: what the server allows itself, and the camera.
    least_s = app.DRAIN_WITHIN_S + recordings.CLOSES_WITHIN_S + 2 * app.SHUTDOWN_S
    assert float(by_name["kinecast"]["TimeoutStopSec"][0]) > least_s
    assert float(by_name["kinecast-camera"]["TimeoutStopSec"][0]) > 2


# ---- the Raspberry Pi's page


PAGE = (ROOT / "docs" / "raspberry-pi.md").read_text()


def test_the_settings_that_the_page_writes_can_be_used(monkeypatch, tmp_path):
    (written,) = re.findall(r"camera\.env <<'END'\n(.*?)^END", PAGE, re.S | re.M)
    for name in [n for n in os.environ if n.startswith(("PUBLISH_", "CAMERA"))]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    # With the lines that are to be uncommented.
    pairs = dict(
        line.removeprefix("# ").split("=", 1)
        for line in written.splitlines()
        if re.match(r"(# )?[A-Z_]+=", line)
    )
    assert pairs.keys() <= variables(PeerSettings) | variables(Settings)
    pairs["PUBLISH_FINGERPRINT"] = pairs["PUBLISH_FINGERPRINT"].replace("…", "CC:" * 29 + "DD")
    for name, value in pairs.items():
        monkeypatch.setenv(name, value)
    settings, camera, _ = parse_settings([])
    assert (settings.name, str(settings.to)) == ("yard", "wss://media.example:8083")
    assert settings.token_file == Path("/etc/kinecast/token")
    assert camera.camera == "/dev/video0"


def test_the_flags_that_the_page_names_are_the_commands():
    named = re.findall(r"python -m server\.publisher ([^`]*)`", PAGE)
    assert named
    words = " ".join(named).split()
    words = [word for word in words if word != "-v"]
    settings, _, _ = parse_settings(words)
    assert settings.name == "yard"


def test_the_files_that_the_page_copies_are_there():
    copied = re.findall(r"(?:cp|install) (deploy/\S+)", "\n".join(fenced(PAGE, "bash")))
    assert copied
    assert all((ROOT / name).exists() for name in copied)
