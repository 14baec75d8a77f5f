"""``kinecast token``: makes a bearer token for a client."""

from __future__ import annotations

import argparse
import sys

from server.config import parse
from server.config.base import BadSettings
from server.config.command_line import Parser, add_flags, make_settings
from server.config.security import AuthSettings
from server.security import tokens
from server.security.identity import Scope

_BAD_USAGE = 2

_EPILOG = """\
scopes:
  publish   send video, read its results, resume and end one's own sessions
  view      look at one's own sessions, at published streams, at metrics
  control   all of that with everybody's sessions; the camera, recordings
  coach     the trainings and the running sessions of those who share with one (--database)

The secret is the server's: AUTH_SECRET or AUTH_SECRET_FILE, from the environment or .env, or
--auth-secret-file. A token can not be taken back before it expires, except by changing the secret,
which takes back all of them. Sessions belong to the token's subject: several tokens with the same
--subject share theirs.

examples:
  export AUTH_SECRET=$(openssl rand -hex 32)            and start the server with the same
  kinecast token --scope publish,view --ttl 12h
  kinecast token --scope control --ttl 1h --subject operator
  curl -H "Authorization: Bearer $(kinecast token --scope view --ttl 1m)" localhost:8083/sessions

From a page: new WebSocket("wss://host:8083/signaling?token=" + token), or, so that it stands in no
address: new WebSocket("wss://host:8083/signaling", ["kinecast", "bearer." + token]).
"""


def main(arguments: list[str]) -> int:
    """Carry out ``kinecast token`` with what follows it.

    Returns
    -------
    int
        The exit status: 0, or 2 when there is no secret or the arguments are wrong.
    """
    try:
        asked = _parser().parse_args(arguments)
        secret = make_settings(AuthSettings, vars(asked)).auth_secret.get_secret_value()
        if not secret:
            raise BadSettings(
                "there is no secret: set AUTH_SECRET to the server's, or make one with:"
                " openssl rand -hex 32"
            )
        print(tokens.issue(secret, asked.scope, asked.ttl, asked.subject))
    except (BadSettings, tokens.BadTokenRequest) as error:
        print(f"kinecast token: {error}", file=sys.stderr)
        return _BAD_USAGE
    except SystemExit as end:  # --help
        return int(end.code or 0)
    return 0


def _parser() -> Parser:
    parser = Parser(
        prog="kinecast token",
        description="Makes a token that lets a client in, and prints it.",
        epilog=_EPILOG,
    )
    parser.add_argument(
        "--scope",
        type=_scopes,
        required=True,
        metavar="A,B",
        help="what it allows: publish, view, control, coach, with commas between",
    )
    parser.add_argument(
        "--ttl",
        type=_seconds,
        required=True,
        metavar="TIME",
        help="how long it is good for: 90s, 30m, 12h, 7d",
    )
    parser.add_argument(
        "--subject",
        metavar="NAME",
        help="who holds it (default: a made-up one that nobody else has)",
    )
    add_flags(parser, AuthSettings.settings("auth_secret_file"))
    return parser


def _scopes(text: str) -> list[Scope]:
    try:
        return [Scope(name) for name in parse.words(text)]
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not of publish, view, control, coach, with commas between"
        ) from None


def _seconds(text: str) -> float:
    try:
        return float(parse.seconds(text))
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
