"""What the groups of settings have in common."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal, get_args, get_origin

from pydantic import AliasChoices, BeforeValidator
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, SettingsConfigDict

from server.config import parse


class BadSettings(ValueError):
    """A setting or an argument can not be used: one line that says which and why."""


@dataclass(frozen=True, slots=True)
class Flag:
    """Stands in a field's annotation: what its name, type and default do not say of its flag."""

    metavar: str = ""
    """Without it the last word of the name is taken."""
    default: str = ""
    """In words, where it is worked out later."""
    short: str = ""
    variables: tuple[str, ...] = ()
    """What other servers call it in the environment, if that is not read as ours is."""


Count = Annotated[int, Flag("N")]
Seconds = Annotated[float, BeforeValidator(parse.seconds), Flag("TIME")]


@dataclass(frozen=True, slots=True)
class Setting:
    """A field, as the command line, the environment and docs/configuration.md show it."""

    name: str
    flags: list[str]
    """The first is to be used, the others are older spellings."""
    variables: list[str]
    """The same of the environment, and then what other servers call it there."""
    short: str
    metavar: str
    default: str
    """As one would give it, or in words; empty for nothing."""
    description: str
    is_repeatable: bool
    switches_to: bool | None
    """What the flag sets if it takes no value."""


class SettingsGroup(BaseSettings):
    """Settings that belong together: each field is a flag and, in capitals, a variable."""

    title: ClassVar[str] = "options"
    """Heads the group in --help."""

    model_config = SettingsConfigDict(
        env_file=".env",
        extra="ignore",
        arbitrary_types_allowed=True,
        env_ignore_empty=True,
        use_attribute_docstrings=True,
        # What is wrong with a secret is told without it.
        hide_input_in_errors=True,
    )

    @classmethod
    def settings(cls, *names: str) -> list[Setting]:
        """Those of these names, or all."""
        prefix = cls.model_config.get("env_prefix", "")
        return [
            _describe(name, cls.model_fields[name], prefix) for name in names or cls.model_fields
        ]


def _describe(name: str, field: FieldInfo, prefix: str) -> Setting:
    flag = next((entry for entry in field.metadata if isinstance(entry, Flag)), Flag())
    names = [name]
    if isinstance(field.validation_alias, AliasChoices):
        # Pydantic puts no prefix before these.
        names, prefix = [str(choice) for choice in field.validation_alias.choices], ""
    # In capitals it is a variable alone.
    spellings = [spelling.replace("_", "-") for spelling in names if not spelling.isupper()]
    metavar = flag.metavar or name.rsplit("_", 1)[-1].upper()
    if get_origin(field.annotation) is Literal:
        metavar = "|".join(get_args(field.annotation))
    value, is_switch = field.default, field.annotation is bool
    has_default = isinstance(value, int | float | str) and not is_switch
    return Setting(
        name,
        flags=[("--no-" if value is True else "--") + spelling for spelling in spellings],
        variables=[(prefix + spelling).upper() for spelling in names] + list(flag.variables),
        short=flag.short,
        metavar=metavar,
        default=flag.default or (str(value).removesuffix(".0") if has_default else ""),
        description=" ".join((field.description or "").split()),
        is_repeatable=field.annotation == tuple[str, ...],
        switches_to=not value if is_switch else None,
    )
