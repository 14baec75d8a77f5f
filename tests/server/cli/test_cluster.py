"""`kinecast cluster` as it is typed: what is wrong is one line that says what to do."""

import pytest

from server.cli import cluster
from server.config import parse_settings


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("begin", "invalid choice"),
        ("", "required: COMMAND"),
        ("drain", "required: NODE"),
        ("drain xy", "'xy' is no node"),
        ("scale many", "invalid int value"),
        ("status --analyzers pose", "unrecognized arguments"),
        ("stop --cluster elsewhere", "is neither ray nor ray://HOST:PORT"),
        ("start --auth-secret x", "set AUTH_SECRET where ray start is called on each machine"),
        ("start --turn-secret=x", "set TURN_SECRET where ray start is called"),
        ("start --cluster-secret x", "set CLUSTER_SECRET where ray start is called"),
    ],
)
def test_what_is_wrong_is_said(line, said, capsys):
    assert cluster.main(line.split()) == 2
    told = capsys.readouterr().err
    assert said in told
    assert told.count("\n") == 1


def test_flags_of_the_servers_are_passed_on_as_they_are():
    line = "start --nodes 2 --analyzers pose --cluster ray://h:10001 --ice-port=5000 -v"
    asked, flags = cluster._parse(line.split(" "))
    assert (asked.nodes, asked.cluster) == (2, "ray://h:10001")
    assert flags == ["--analyzers", "pose", "--ice-port=5000", "-v"]


def test_without_ray_it_says_what_to_install(monkeypatch, capsys):
    monkeypatch.setattr(cluster, "find_spec", lambda _: None)
    assert cluster.main(["status"]) == 2
    assert "pip install 'kinecast[ray]'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (["--cluster", "ray://h"], "--cluster: .* is neither ray nor"),
        (["--cluster-secret", "short"], "--cluster-secret: the secret is shorter than"),
        (["--cluster-address", "0.0.0.0"], "on one address alone"),
        (["--cluster-address", "host"], "'host' is no IP address"),
        (["--cluster-port", "70000"], "--cluster-port"),
    ],
)
def test_settings_that_can_not_be_used(flags, said):
    with pytest.raises(ValueError, match=said):
        parse_settings(flags)


def test_a_secret_may_stand_in_a_file(tmp_path):
    file = tmp_path / "secret"
    file.write_text("x" * 32 + "\n")
    told = parse_settings(["--cluster-secret-file", str(file)])
    assert told.cluster_secret.get_secret_value() == "x" * 32
    with pytest.raises(ValueError, match="give one of them"):
        parse_settings(["--cluster-secret-file", str(file), "--cluster-secret", "y" * 32])
    file.write_text("short")
    with pytest.raises(ValueError, match="shorter"):
        parse_settings(["--cluster-secret-file", str(file)])
