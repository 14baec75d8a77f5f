"""The command line: a flag for each setting."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Sequence
from importlib.metadata import version
from typing import Any, NoReturn, TypeVar

from pydantic import ValidationError
from pydantic_settings import DotEnvSettingsSource, EnvSettingsSource

from server.config.base import BadSettings, Setting, SettingsGroup
from server.config.settings import Settings

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

  kinecast learn coach.mp4 --name band_pull -o exercises/band_pull.json
  python -m server --exercises exercises                an exercise of your own, shown in a clip

  kinecast models list                                  networks that can be fetched, see
                                                        kinecast models --help

Every flag can also be set in the environment or in a file .env: --max-sessions 4 is MAX_SESSIONS=4.
"""

_Group = TypeVar("_Group", bound=SettingsGroup)


def parse_settings(arguments: Sequence[str]) -> Settings:
    """The settings that a command line and the environment make.

    Raises
    ------
    BadSettings
        One line that says what is wrong with which setting.
    SystemExit
        ``--help`` was asked for.
    """
    parser = Parser(
        prog="kinecast",
        usage="kinecast [serve] [FLAG ...]\n"
        "       kinecast models | token | find | learn | webhook | drain | cluster [--help]",
        description="A WebRTC media server that watches people move: video in, results back over"
        " a data channel while the movement goes on.",
        epilog=_EXAMPLES,
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {version('kinecast')}")
    for group in Settings.groups():
        add_flags(parser.add_argument_group(group.title), group.settings())
    return make_settings(Settings, vars(parser.parse_args(arguments)))


def make_settings(group: type[_Group], given: dict[str, object]) -> _Group:
    """The settings of a group, from what was given, whatever else that is, and the environment.

    Raises
    ------
    BadSettings
        One line that says what is wrong with which setting.
    """
    for source in (EnvSettingsSource(group), DotEnvSettingsSource(group)):
        for setting in group.settings():
            ours = setting.variables[: len(setting.flags)]
            named = [variable for variable in ours if variable.lower() in source.env_vars]
            if len(named) > 1:
                raise BadSettings(f"{' and '.join(named)}: give one of them")
    try:
        return group(**given)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        message = first["msg"].removeprefix("Value error, ")
        flag = f"{group.settings(str(first['loc'][0]))[0].flags[0]}: " if first["loc"] else ""
        shown = f" (got {first['input']!r})" if flag and first["type"] != "value_error" else ""
        raise BadSettings(" ".join(f"{flag}{message}{shown}".split())) from error


class Parser(argparse.ArgumentParser):
    """Tells of a wrong flag in one line."""

    def __init__(self, **options: Any) -> None:
        super().__init__(
            formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False, **options
        )

    def error(self, message: str) -> NoReturn:
        raise BadSettings(f"{message} (see {self.prog} --help)")


def add_flags(section: argparse._ActionsContainer, settings: Iterable[Setting]) -> None:
    """Add flags to a section of --help; one that is not given leaves nothing when parsed."""
    for setting in settings:
        how: dict[str, Any] = {"dest": setting.name, "default": argparse.SUPPRESS}
        if setting.switches_to is not None:
            how |= {"action": "store_const", "const": setting.switches_to}
        else:
            action = "append" if setting.is_repeatable else "store"
            how |= {"action": action, "metavar": setting.metavar}
        flag, *older = setting.flags
        notes = ["repeatable"] if setting.is_repeatable else []
        notes += [f"also {spelling}" for spelling in older]
        notes += [f"default: {setting.default}"] if setting.default else []
        text = f"{setting.description} ({'; '.join(notes)})".removesuffix(" ()").replace("%", "%%")
        spellings = section.add_mutually_exclusive_group()
        spellings.add_argument(flag, *filter(None, [setting.short]), help=text, **how)
        for spelling in older:
            spellings.add_argument(spelling, help=argparse.SUPPRESS, **how)
