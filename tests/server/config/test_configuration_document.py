"""docs/configuration.md tells of each setting what the settings say."""

import pytest

from server.config import Settings
from server.publisher.settings import PeerSettings
from tools.write_configuration import DOCUMENT, SECTIONS, render


@pytest.fixture
def document():
    return DOCUMENT.read_text()


def test_it_is_as_the_settings_are(document):
    assert render(document) == document, "run: python -m tools.write_configuration"


def test_every_setting_is_there_and_described(document):
    described = [setting for settings in SECTIONS.values() for setting in settings]
    assert {setting.name for setting in described} == (
        Settings.model_fields.keys() | PeerSettings.model_fields.keys()
    )
    for setting in described:
        assert setting.description
        for flag in setting.flags:
            assert f"`{flag}`" in document or f"`{flag} " in document
        for variable in setting.variables:
            assert f"`{variable}`" in document or f"`{variable}=" in document


@pytest.mark.parametrize(
    ("written", "other"),
    [
        ("`--write-timeout TIME`", "`--write-time TIME`"),
        ("`SEND_TIME`", "`SENDTIME`"),
        ("| 8083 |", "| 8084 |"),
        ("address to listen on", "address to hear on"),
        ("| `--key-file FILE`", "| `--extra FILE` | | | |\n| `--key-file FILE`"),
    ],
)
def test_what_differs_is_noticed(document, written, other):
    assert document.count(written) == 1
    assert render(document.replace(written, other)) == document


def test_a_section_that_is_missing_or_of_nothing_is_noticed(document):
    for changed in (document.replace("## Limits", "## Bounds"), document + "\n## More\n"):
        with pytest.raises(ValueError, match="sections are"):
            render(changed)
