"""Writes the tables of docs/configuration.md as the settings are.

Run it as ``python -m tools.write_configuration``. What stands above each table is written by hand
and left alone.
"""

import re
from collections.abc import Iterable
from pathlib import Path

from server.config import Settings
from server.config.base import Setting
from server.publisher import settings as publisher

DOCUMENT = Path(__file__).parent.parent / "docs" / "configuration.md"

SECTIONS: dict[str, list[Setting]] = {
    **{group.title: group.settings() for group in Settings.groups()},
    publisher.PeerSettings.title: [
        setting for group, names in publisher.FLAGS.items() for setting in group.settings(*names)
    ],
}
"""Settings by their section's heading."""


def render(document: str) -> str:
    """The document with its tables as the settings are.

    Raises
    ------
    ValueError
        A group of settings has no section, or a section no group.
    """
    opening, *sections = re.split(r"^(?=## )", document, flags=re.MULTILINE)
    headings = [section[3:].partition("\n")[0].lower() for section in sections]
    expected = [title.lower() for title in SECTIONS]
    if headings != expected:
        raise ValueError(f"the sections are {headings}, and should be {expected}")
    parts = [opening.rstrip()]
    for section, settings in zip(sections, SECTIONS.values(), strict=True):
        text = re.sub(r"^\|.*\n", "", section, flags=re.MULTILINE).rstrip()
        parts.append(f"{text}\n\n{_table(settings)}")
    return "\n\n".join(parts) + "\n"


def _table(settings: Iterable[Setting]) -> str:
    rows = ["| flag | variable | default | |", "|---|---|---|---|"]
    rows += [f"| {' | '.join(_cells(setting))} |" for setting in settings]
    return "\n".join(rows)


def _cells(setting: Setting) -> list[str]:
    is_switch = setting.switches_to is not None
    flag, *older = setting.flags
    flags = [flag if is_switch else f"{flag} {setting.metavar}", *filter(None, [setting.short])]
    variable, *others = setting.variables
    variables = [f"{variable}={setting.switches_to:d}" if is_switch else variable]
    return [
        _codes(flags + older) + (", repeatable" if setting.is_repeatable else ""),
        _codes(variables + others),
        _escape(setting.default),
        _escape(setting.description),
    ]


def _codes(words: Iterable[str]) -> str:
    return ", ".join("`" + word.replace("|", r"\|") + "`" for word in words)


def _escape(text: str) -> str:
    return re.sub(r"([|*<])", r"\\\1", text)


if __name__ == "__main__":
    DOCUMENT.write_text(render(DOCUMENT.read_text()))
