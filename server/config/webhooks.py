"""Settings of what is told to another server."""

from __future__ import annotations

from typing import Annotated, ClassVar, Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, model_validator

from server.config.base import Flag, SettingsGroup
from server.webhooks import signing


class WebhookSettings(SettingsGroup):
    """Where events go."""

    title: ClassVar[str] = "webhooks"

    webhook: Annotated[str, Flag("URL")] = ""
    """tell this URL of sessions, repetitions, recordings and workers, by signed POSTs"""
    webhook_secret: Annotated[SecretStr, Flag("SECRET")] = Field(SecretStr(""))
    """what they are signed with, of 16 characters or more, or whsec_ and base64"""

    @model_validator(mode="after")
    def _check_webhook(self) -> Self:
        if not self.webhook:
            return self
        parts = urlsplit(self.webhook)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("--webhook: give an address as https://host/path")
        secret = self.webhook_secret.get_secret_value()
        if not secret:
            raise ValueError("--webhook: it needs --webhook-secret, which it is signed with")
        try:
            signing.check_secret(secret)
        except ValueError as error:
            raise ValueError(f"--webhook-secret: {error}") from error
        return self
