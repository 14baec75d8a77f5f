"""Settings of how media find their way."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import BeforeValidator, Field, SecretStr
from pydantic_settings import NoDecode

from server.config import parse
from server.config.base import SettingsGroup
from signaling.ice import IceServer


class MediaSettings(SettingsGroup):
    """Addresses and ports of media, STUN and TURN."""

    title: ClassVar[str] = "the way of media"

    ice_address: Annotated[tuple[str, ...], NoDecode, BeforeValidator(parse.addresses)] = Field(
        (),
        description="address of this machine that ICE offers for media; repeatable"
        " (default: all but loopback)",
    )
    ice_port_range: Annotated[range | None, NoDecode, BeforeValidator(parse.ports)] = Field(
        None, description="UDP ports for media as FIRST-LAST (default: any)"
    )
    ice_servers: Annotated[tuple[IceServer, ...], NoDecode, BeforeValidator(parse.ice_servers)] = (
        Field(
            (),
            description="STUN and TURN servers for clients: URLs with commas between, or a JSON"
            ' list of {"urls","username","credential"}',
        )
    )
    turn_secret: SecretStr = Field(
        SecretStr(""),
        description="shared with the TURN server: clients get credentials that expire",
    )
    turn_ttl: int = Field(3600, ge=60, description="seconds that TURN credentials are good for")
