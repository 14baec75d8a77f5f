"""``kinecast token`` makes tokens with the server's own secret."""

import sys

import pytest

from server.__main__ import main
from server.cli import token as token_command
from server.security import tokens

SECRET = "0123456789abcdef" * 4


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("AUTH_SECRET", "AUTH_SECRET_FILE"):
        monkeypatch.delenv(name, raising=False)


def printed_token(capsys):
    out, err = capsys.readouterr()
    assert not err
    (token,) = out.split()
    return tokens.verify(SECRET, token)


def test_the_secret_of_the_environment(monkeypatch, capsys):
    monkeypatch.setenv("AUTH_SECRET", SECRET)
    assert token_command.main(["--scope", "publish,view", "--ttl", "12h", "--subject", "ann"]) == 0
    identity = printed_token(capsys)
    assert identity.subject == "ann"
    assert identity.scopes == {"publish", "view"}


def test_the_secret_of_dot_env(tmp_path, capsys):
    (tmp_path / ".env").write_text(f"AUTH_SECRET={SECRET}\nPORT=9999\n")
    assert token_command.main(["--scope", "control", "--ttl", "90s"]) == 0
    assert printed_token(capsys).scopes == {"control"}


def test_the_secret_of_a_file(tmp_path, capsys):
    (tmp_path / "secret").write_text(f"{SECRET}\n")
    arguments = ["--scope", "view", "--ttl", "60", "--auth-secret-file", str(tmp_path / "secret")]
    assert token_command.main(arguments) == 0
    assert printed_token(capsys).scopes == {"view"}


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--scope", "view"], "--ttl"),
        (["--ttl", "1h"], "--scope"),
        (["--scope", "admin", "--ttl", "1h"], "publish, view, control"),
        (["--scope", "view", "--ttl", "soon"], "12h"),
        (["--scope", "view", "--ttl", "0"], "a second"),
        (["--scope", "view", "--ttl", "1h", "--subject", "a b"], "subject"),
        (["--scope", "view", "--ttl", "1h", "--auth-secret-file", "nowhere"], "nowhere"),
    ],
)
def test_what_is_wrong_is_told_in_one_line(arguments, says, monkeypatch, capsys):
    if "--auth-secret-file" not in arguments:
        monkeypatch.setenv("AUTH_SECRET", SECRET)
    assert token_command.main(arguments) == 2
    out, err = capsys.readouterr()
    assert not out
    assert says in err
    assert err.count("\n") == 1
    assert SECRET not in err


def test_without_a_secret_it_says_where_it_is_looked_for(capsys):
    assert token_command.main(["--scope", "view", "--ttl", "1h"]) == 2
    assert "AUTH_SECRET" in capsys.readouterr().err


def test_help_teaches(capsys, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["kinecast", "token", "--help"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 0
    printed = capsys.readouterr().out
    for word in ("publish", "view", "control", "AUTH_SECRET", "Bearer", "bearer."):
        assert word in printed
