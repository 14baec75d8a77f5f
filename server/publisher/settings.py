"""The command line of ``python -m server.publisher``."""

from __future__ import annotations

import platform
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, ClassVar, Self

from pydantic import BeforeValidator, Field, SecretStr, model_validator
from pydantic_settings import NoDecode, SettingsConfigDict

from server.config.base import Flag, SettingsGroup
from server.config.camera import CameraSettings
from server.config.command_line import Parser, add_flags, make_settings
from server.config.media import MediaSettings
from server.publisher.destination import Destination, Trust, make_trust, parse_destination

_EXAMPLES = """\
examples:
  export PUBLISH_TOKEN=$(kinecast token --scope publish --ttl 90d)      where the secret is
  python -m server.publisher --to wss://server:8083 --name yard
  python -m server.publisher --to wss://server:8083 --token-file /etc/kinecast/token \\
      --fingerprint AA:BB:…                             a server with --self-signed: it logs this
  python -m server.publisher --to localhost --camera pattern
                                                        try it on one machine, without a camera

Others then watch the camera by its name on the server (POST /whep/yard, or the server's page), and
the server analyzes it. It connects again for ever, and continues its session; what happens is
logged, a line for each change.

Flags of the publishing group can also be set in the environment or in .env: --to is PUBLISH_TO,
--token-file is PUBLISH_TOKEN_FILE; the camera's are the server's own, CAMERA_SIZE for one. Do not
give --token on a command line where others have accounts: they can read it there.

exit status: 0 after SIGINT or SIGTERM, 2 for settings that can not be used
"""
# Told in words of our own.
_MISSING: Any = ""
_NAME = re.compile(r"[A-Za-z0-9_.-]{1,128}")


def _server(value: Any) -> Any:
    if value == _MISSING:
        raise ValueError("the server is missing: give it as wss://host:8083")
    return parse_destination(value)


def _name(value: Any) -> Any:
    if not _NAME.fullmatch(str(value)) or value == "camera":
        raise ValueError(f"{value!r} is no name: 1 to 128 of A-Z a-z 0-9 _ . -, and not camera")
    return value


def _host_name() -> str:
    name = re.sub(r"[^A-Za-z0-9_.-]", "-", platform.node().partition(".")[0])
    return name if name and name != "camera" else "pi"


class PeerSettings(SettingsGroup):
    """What is published where."""

    title: ClassVar[str] = "publishing"
    model_config = SettingsConfigDict(env_prefix="PUBLISH_")

    to: Annotated[Destination, NoDecode, BeforeValidator(_server), Flag("SERVER")] = Field(
        _MISSING, validate_default=True
    )
    """the server: wss://host:8083 or https://host, or a host alone, which means TLS and port
    8083"""
    name: Annotated[str, BeforeValidator(_name), Flag(default="this machine's name")] = Field(
        default_factory=_host_name
    )
    """what others watch it by"""
    token: SecretStr = SecretStr("")
    """a token with the scope publish, which `kinecast token` makes; better in PUBLISH_TOKEN or a
    file than on the command line, where others can read it"""
    token_file: Path | None = None
    """a file that holds it, read again for each connection: renew it there"""
    ca_file: Path | None = None
    """certificates (PEM) to trust in place of the system's"""
    fingerprint: str = ""
    """SHA-256 fingerprint of the server's certificate; nothing else is trusted then. A server with
    --self-signed logs it"""
    verbose: Annotated[bool, Flag(short="-v")] = False
    """debug logging"""

    @model_validator(mode="after")
    def _check_together(self) -> Self:
        token = self.token.get_secret_value()
        if token and self.token_file is not None:
            raise ValueError("--token and --token-file: give one of them")
        if self.ca_file is not None and self.fingerprint:
            raise ValueError("--ca-file and --fingerprint: give one of them")
        if (token or self.token_file) and not self.to.is_secure and not self.to.is_local:
            raise ValueError(
                f"--to {self.to}: the token would go over the network in the clear, for anybody to"
                " take: use wss:// (a server without a certificate has --self-signed)"
            )
        self.trust()
        return self

    def trust(self) -> Trust:
        """Whom to take for the server.

        Raises
        ------
        ValueError
            The file or the fingerprint can not be read.
        """
        return make_trust(self.ca_file, self.fingerprint)


FLAGS: dict[type[SettingsGroup], tuple[str, ...]] = {
    PeerSettings: tuple(PeerSettings.model_fields),
    CameraSettings: ("camera", "camera_size", "camera_fps", "camera_hook"),
    MediaSettings: ("ice_address",),
}
"""All of its own, and those of the server's that are its too, in the order of --help."""


def parse_settings(
    arguments: Sequence[str],
) -> tuple[PeerSettings, CameraSettings, MediaSettings]:
    """The settings that a command line and the environment make.

    Raises
    ------
    BadSettings
        One line that says what is wrong with which setting.
    SystemExit
        ``--help`` was asked for.
    """
    parser = Parser(
        prog="python -m server.publisher",
        usage="python -m server.publisher --to SERVER [--name NAME] [FLAG ...]",
        description="Publishes this machine's camera to a Kinecast server elsewhere, which shows it"
        " to others by its name, and analyzes it.",
        epilog=_EXAMPLES,
    )
    for group, names in FLAGS.items():
        add_flags(parser.add_argument_group(group.title), group.settings(*names))
    given = vars(parser.parse_args(arguments))
    return (
        make_settings(PeerSettings, given),
        make_settings(CameraSettings, given),
        make_settings(MediaSettings, given),
    )
