"""Variables of the environment that are read by rules of their own."""

from __future__ import annotations

from abc import ABC
from collections.abc import Mapping
from typing import Any

from pydantic.fields import FieldInfo
from pydantic_settings import (
    BaseSettings,
    DotEnvSettingsSource,
    EnvSettingsSource,
    PydanticBaseSettingsSource,
)

_ON = frozenset({"1", "true", "yes", "on"})
CERT, KEY = "SSL_CERT_FILE", "SSL_KEY_FILE"


class WholeSource(PydanticBaseSettingsSource, ABC):
    """A source that gives its values all at once, not field by field."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        """Nothing for a single field."""
        return None, field_name, False


class EmptiedVariables(WholeSource):
    """Settings that are off when their variable is there and empty, whatever `.env` says.

    Others count as not set then. What is kept of people must not depend on such a reading.

    Parameters
    ----------
    settings_cls
        The settings.
    names
        Of the fields.
    """

    def __init__(self, settings_cls: type[BaseSettings], *names: str) -> None:
        super().__init__(settings_cls)
        self._names = names

    def __call__(self) -> dict[str, Any]:
        there = EnvSettingsSource(self.settings_cls, env_ignore_empty=False).env_vars
        return {name: "" for name in self._names if there.get(name) == ""}


class CertificateVariables(WholeSource):
    """``SSL_CERT_FILE`` and ``SSL_KEY_FILE``, as other servers have them: both, or neither.

    The first alone is OpenSSL's own: the authorities to trust, which many systems set for all that
    runs. A certificate that is given in another way comes before both.
    """

    def __call__(self) -> dict[str, Any]:
        if self.current_state.keys() & {"cert_file", "key_file"}:
            return {}
        for source in (EnvSettingsSource, DotEnvSettingsSource):
            if (pair := _pair(source(self.settings_cls).env_vars)) is not None:
                return pair
        return {}


class TurningVariables(WholeSource):
    """``ROTATE_STREAM_90`` and ``ROTATE_STREAM_180``, switches of an older camera server's."""

    def __call__(self) -> dict[str, Any]:
        if "camera_turn" in self.current_state:
            return {}
        for source in (EnvSettingsSource, DotEnvSettingsSource):
            there = source(self.settings_cls).env_vars
            for degrees in ("90", "180"):
                if str(there.get(f"rotate_stream_{degrees}", "")).strip().lower() in _ON:
                    return {"camera_turn": degrees}
        return {}


def _pair(variables: Mapping[str, str | None]) -> dict[str, Any] | None:
    if (key := variables.get(KEY.lower())) is None:
        return None
    cert = variables.get(CERT.lower())
    return {"key_file": key} if cert is None else {"cert_file": cert, "key_file": key}
