"""Settings of how much one client gets, and all of them together."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import AliasChoices, Field

from server.config.base import Count, Flag, Seconds, SettingsGroup


class LimitSettings(SettingsGroup):
    """How much one client gets."""

    title: ClassVar[str] = "limits"

    max_sessions: Count = Field(16, ge=1)
    """sessions at once; further offers get 503"""
    sessions_per_subject: Annotated[int, Flag("N", default="half of --max-sessions")] = Field(
        0, ge=0
    )
    """sessions at once of one token's subject; further offers get 429"""
    connections_per_address: Count = Field(10, ge=0)
    """requests and sockets of one address that are served at once, further ones get 429; 0 is no
    limit, for a server behind a proxy"""
    max_connections: Count = Field(1000, ge=1)
    """connections in all; those that ask for nothing make room for new ones"""
    handshake_timeout: Seconds = Field(
        10.0, gt=0, validation_alias=AliasChoices("handshake_timeout", "handshake_time")
    )
    """seconds in which TLS and the head of a request must be here"""
    body_timeout: Seconds = Field(
        60.0, gt=0, validation_alias=AliasChoices("body_timeout", "request_time")
    )
    """seconds in which the body of a request must be here"""
    write_timeout: Seconds = Field(
        10.0, gt=0, validation_alias=AliasChoices("write_timeout", "send_time")
    )
    """seconds in which a client must read what waits for it"""
    idle_timeout: Seconds = Field(
        300.0, gt=0, validation_alias=AliasChoices("idle_timeout", "idle_time")
    )
    """seconds after which a WebSocket that says nothing is closed"""
    expensive_per_minute: Count = Field(60, ge=0)
    """pictures and videos that one client may send in single requests a minute; further ones get
    429; 0 is no limit"""
    frames_per_second: Annotated[float, Flag("N")] = Field(30.0, ge=0)
    """frames taken a second in one session, others are dropped; 0 is all"""
    max_message_bytes: int = Field(8 * 1024 * 1024, ge=1024)
    """length of a WebSocket message"""
    max_body_bytes: int = Field(8 * 1024 * 1024, ge=1024)
    """length of a request's body"""
    max_pixels: int = Field(4096 * 4096, ge=64 * 64)
    """width times height of a picture that is decoded"""
