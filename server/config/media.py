"""Settings of how media find their way."""

from __future__ import annotations

from typing import Annotated, ClassVar, Self

from pydantic import BeforeValidator, Field, SecretStr, model_validator
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
    """address of this machine that ICE offers for media; with the server's --ice-port also one
    that something in front of it has"""
    ice_port_range: Annotated[
        range | None, NoDecode, BeforeValidator(parse.ports), Flag("FIRST-LAST", default="any")
    ] = None
    """UDP ports for media, of which each session takes one"""
    ice_port: int | None = Field(None, ge=1024, le=65535)
    """one UDP port for the media of all sessions"""
    ice_servers: Annotated[tuple[IceServer, ...], NoDecode, BeforeValidator(parse.ice_servers)] = ()
    """STUN and TURN servers for clients: URLs with commas between, or a JSON list of
    {"urls","username","credential"}"""
    turn_secret: SecretStr = SecretStr("")
    """shared with the TURN server: clients get credentials that expire"""
    turn_ttl: Annotated[int, Flag("SECONDS")] = Field(3600, ge=60)
    """seconds that TURN credentials are good for"""

    @model_validator(mode="after")
    def _check_ports(self) -> Self:
        if self.ice_port is not None and self.ice_port_range is not None:
            raise ValueError(
                "--ice-port and --ice-port-range exclude each other: all sessions share one port,"
                " or each takes one of a range"
            )
        return self
