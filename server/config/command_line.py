"""The flags of the command line, one for each setting."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Literal, NoReturn, TypeVar, get_args, get_origin

from pydantic import ValidationError
from pydantic.fields import FieldInfo

from server.config.base import BadSettings, SettingsGroup
from server.config.settings import GROUPS, Settings

_EXAMPLES = """\
examples:
  python -m server                                      pose on 127.0.0.1:8083
  python -m server --analyzers pose,my_models.hr:HeartRate
                                                        and a model of your own, found on PYTHONPATH
                                                        or in the working directory
  export AUTH_SECRET=$(openssl rand -hex 32)
  kinecast token --scope publish,view --ttl 12h         for whoever may come
  python -m server --host 0.0.0.0 --self-signed         for browsers on other machines, which give a
                                                        page its camera over HTTPS only
  python -m server --record-to recordings               keep every session

  kinecast models list                                  networks that can be fetched, see
                                                        kinecast models --help

Every flag can also be set in the environment or in a file .env: --max-sessions 4 is MAX_SESSIONS=4.
"""

_Group = TypeVar("_Group", bound=SettingsGroup)

_REPEATABLE = ("ice_address", "allow_origin", "allow_source")
_METAVARS = {
    "to": "SERVER",
    "record_to": "DIR",
    "recordings": "DIR",
    "recordings_quota": "SIZE",
    "max_recordings": "N",
    "camera": "KIND|FILE",
    "camera_size": "WxH",
    "camera_hook": "MODULE:FUNCTION",
    "allow_source": "PATTERN",
    "ice_port_range": "FIRST-LAST",
    "analyzers": "A,B",
    "pose_model": "FILE",
    "detector": "NAME|FILE",
    "reid_model": "NAME|FILE",
    "inference_device": "NAME",
    "handshake_time": "SECONDS",
    "request_time": "SECONDS",
    "send_time": "SECONDS",
    "idle_time": "SECONDS",
    "connections_per_address": "N",
    "max_connections": "N",
    "expensive_per_minute": "N",
    "frames_per_second": "N",
    "max_sessions": "N",
    "max_viewers": "N",
}


def parse_settings(arguments: Sequence[str]) -> Settings:
    """The settings that a command line and the environment make.

    Raises
    ------
    BadSettings
        One line that says what is wrong with which setting.
    SystemExit
        ``--help`` was asked for.
    """
    given = vars(_make_parser().parse_args(arguments))
    return make_settings(Settings, given)


def make_settings(group: type[_Group], given: dict[str, object]) -> _Group:
    """The settings of a group, from what was given and the environment.

    Raises
    ------
    BadSettings
        One line that says what is wrong with which setting.
    """
    try:
        return group(**given)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        message = first["msg"].removeprefix("Value error, ")
        field = str(first["loc"][0]) if first["loc"] else ""
        flag = f"--{field.replace('_', '-')}: " if field in group.model_fields else ""
        shown = f" (got {first['input']!r})" if flag and first["type"] != "value_error" else ""
        raise BadSettings(" ".join(f"{flag}{message}{shown}".split())) from error


class Parser(argparse.ArgumentParser):
    """Tells of a wrong flag in one line."""

    def error(self, message: str) -> NoReturn:
        raise BadSettings(f"{message} (see --help)")


def _make_parser() -> Parser:
    parser = Parser(
        prog="kinecast",
        usage="kinecast [FLAG ...]\n       kinecast models | token | find [--help]",
        description="A WebRTC media server that watches people move: video in, results back over"
        " a data channel while the movement goes on.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        argument_default=argparse.SUPPRESS,
        allow_abbrev=False,
    )
    for group in GROUPS:
        section = parser.add_argument_group(group.title)
        for name, field in group.model_fields.items():
            add_flag(section, name, field)
    return parser


def add_flag(section: argparse._ArgumentGroup, name: str, field: FieldInfo) -> None:
    """Add a setting's flag to a section of --help."""
    flags = [f"--{name.replace('_', '-')}"] + (["-v"] if name == "verbose" else [])
    text = (field.description or "").replace("%", "%%")
    if field.annotation is bool and field.default:
        section.add_argument(f"--no-{flags[0][2:]}", dest=name, action="store_false", help=text)
        return
    if field.annotation is bool:
        section.add_argument(*flags, action="store_true", help=text)
        return
    if isinstance(field.default, int | float | str) and field.default != "":
        shown = f"{field.default:g}" if isinstance(field.default, float) else field.default
        text += "" if "(default:" in text else f" (default: {shown})"
    action = "append" if name in _REPEATABLE else "store"
    section.add_argument(*flags, action=action, help=text, metavar=_metavar(name, field))


def _metavar(name: str, field: FieldInfo) -> str:
    if get_origin(field.annotation) is Literal:
        return "|".join(get_args(field.annotation))
    return _METAVARS.get(name, name.rsplit("_", 1)[-1].upper())
