"""Settings of how media find their way."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import BeforeValidator, Field, SecretStr
from pydantic_settings import NoDecode

from server.config import parse
from server.config.base import Flag, SettingsGroup
from signaling.ice import IceServer


class MediaSettings(SettingsGroup):
    """Addresses and ports of media, STUN and TURN."""

    title: ClassVar[str] = "the way of media"

    ice_address: Annotated[
        tuple[str, ...],
        NoDecode,
        BeforeValidator(parse.addresses),
        Flag(default="all but loopback"),
    ] = ()
    """address of this machine that ICE offers for media"""
    ice_port_range: Annotated[
        range | None, NoDecode, BeforeValidator(parse.ports), Flag("FIRST-LAST", default="any")
    ] = None
    """UDP ports for media"""
    ice_servers: Annotated[tuple[IceServer, ...], NoDecode, BeforeValidator(parse.ice_servers)] = ()
    """STUN and TURN servers for clients: URLs with commas between, or a JSON list of
    {"urls","username","credential"}"""
    turn_secret: SecretStr = SecretStr("")
    """shared with the TURN server: clients get credentials that expire"""
    turn_ttl: Annotated[int, Flag("SECONDS")] = Field(3600, ge=60)
    """seconds that TURN credentials are good for"""
