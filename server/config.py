"""The settings: from flags, the environment and .env, in that order."""

from __future__ import annotations

import argparse
import ipaddress
import os
import re
import ssl
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, NoReturn, Self, get_args, get_origin

from pydantic import BeforeValidator, Field, SecretStr, ValidationError, model_validator
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from analyzers.registry import AnalyzerSpec, find
from signaling.ice import IceServer, parse_ice_servers


class BadSettings(ValueError):
    """A setting can not be used: one line that says which and why."""


def _parse_names(value: Any) -> Any:
    names = value.split(",") if isinstance(value, str) else value
    return find([name.strip() for name in names])


def _parse_addresses(value: Any) -> Any:
    parts = value.split(",") if isinstance(value, str) else [p for v in value for p in v.split(",")]
    addresses = [part.strip() for part in parts if part.strip()]
    for address in addresses:
        try:
            ipaddress.ip_address(address)
        except ValueError:
            raise ValueError(f"{address!r} is not an IP address of this machine") from None
    return tuple(addresses)


def _parse_ports(value: Any) -> Any:
    if value is None or isinstance(value, range):
        return value
    match = re.fullmatch(r"(\d+)-(\d+)", str(value).strip())
    if not match or not 1024 <= int(match[1]) <= int(match[2]) <= 65535:
        raise ValueError(f"{value!r} is not FIRST-LAST with both within 1024 to 65535")
    return range(int(match[1]), int(match[2]) + 1)


def _parse_servers(value: Any) -> Any:
    return parse_ice_servers(value) if isinstance(value, str) else value


def _cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class Settings(BaseSettings):
    """Everything that can be set: each field is a flag and, in capitals, a variable."""

    model_config = SettingsConfigDict(
        env_file=".env", extra="ignore", arbitrary_types_allowed=True, env_ignore_empty=True
    )

    host: str = Field("127.0.0.1", description="address to listen on")
    port: int = Field(
        8083,
        ge=1,
        le=65534,
        description="HTTP and WebSocket port; the next one takes signaling WebSockets on any path",
    )
    websocket_only: bool = Field(False, description="serve the signaling WebSocket on PORT+1 alone")
    verbose: bool = Field(False, description="debug logging")
    record_to: Path | None = Field(
        None,
        description="record each session to DIR/<id>/ (video.mp4, results.jsonl, summary.json)",
    )
    cert_file: Path | None = Field(
        None, description="TLS certificate chain (PEM); turns both ports into HTTPS and WSS"
    )
    key_file: Path | None = Field(None, description="the certificate's private key (PEM)")
    analyzers: Annotated[tuple[AnalyzerSpec, ...], NoDecode, BeforeValidator(_parse_names)] = Field(
        "pose",
        validate_default=True,
        description="analyzers to run, in order, by name or as package.module:Class, with commas"
        " between; on the same key in their results the later one wins",
    )
    pose_engine: Literal["auto", "openvino", "mediapipe"] = Field(
        "auto", description="what runs pose; auto: openvino if it imports"
    )
    pose_model: Path | None = Field(
        None,
        description="a pose landmarker bundle (.task: lite, full, heavy) instead of the networks in"
        " mediapipe's wheel; with it openvino needs no mediapipe",
    )
    detector: str | None = Field(
        None,
        description="a person detector, by name or file (.xml, .onnx), for several people and"
        " people far away (default: person-detection-retail-0013, if fetched by `kinecast"
        " models`)",
    )
    reid_model: str | None = Field(
        None,
        description="a re-identification network, by name or file (default: one that `kinecast"
        " models` has fetched, or else a descriptor that needs none)",
    )
    inference_device: str = Field(
        "CPU", description="what openvino computes on, by its own name: CPU, GPU, NPU, AUTO"
    )
    inference_precision: Literal["auto", "f32", "bf16"] = Field(
        "auto",
        description="what openvino computes in; auto: bf16 if the CPU has it and it proves faster",
    )
    workers: int = Field(
        default_factory=_cores,
        ge=1,
        le=256,
        description="processes that run analyzers, a core each (default: as many as there are)",
    )
    ice_servers: Annotated[tuple[IceServer, ...], NoDecode, BeforeValidator(_parse_servers)] = (
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
    ice_address: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_parse_addresses)] = Field(
        (),
        description="address of this machine that ICE offers for media; repeatable"
        " (default: all but loopback)",
    )
    ice_port_range: Annotated[range | None, NoDecode, BeforeValidator(_parse_ports)] = Field(
        None, description="UDP ports for media as FIRST-LAST (default: any)"
    )
    max_sessions: int = Field(16, ge=1, description="sessions at once; further offers get 503")
    resume_window: float = Field(
        30.0, ge=0, le=3600, description="seconds that a session waits for a lost peer to come back"
    )

    @model_validator(mode="after")
    def _check_together(self) -> Self:
        if (self.cert_file is None) != (self.key_file is None):
            raise ValueError("--cert-file and --key-file go together")
        self.tls_context()
        if self.pose_model is not None and not self.pose_model.is_file():
            raise ValueError(f"--pose-model: there is no file {self.pose_model}")
        for flag, network in (("--detector", self.detector), ("--reid-model", self.reid_model)):
            is_file_name = network is not None and Path(network).suffix in (".xml", ".onnx")
            if network is not None and is_file_name and not Path(network).is_file():
                raise ValueError(f"{flag}: there is no file {network}")
        return self

    def tls_context(self) -> ssl.SSLContext | None:
        """What both ports serve TLS with, None without a certificate.

        Raises
        ------
        ValueError
            The certificate or its key can not be used.
        """
        if self.cert_file is None or self.key_file is None:
            return None
        for flag, path in (("--cert-file", self.cert_file), ("--key-file", self.key_file)):
            if not path.is_file():
                raise ValueError(f"{flag}: there is no file {path}")
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        try:
            context.load_cert_chain(self.cert_file, self.key_file)
        except (ssl.SSLError, OSError) as error:
            raise ValueError(
                f"--cert-file {self.cert_file} and --key-file {self.key_file} do not work together:"
                f" {error}"
            ) from error
        return context

    def analyzer_settings(self) -> dict[str, dict[str, Any]]:
        """What the analyzers' constructors are given, by name."""
        inference = {"device": self.inference_device, "precision": self.inference_precision}
        pose: dict[str, Any] = {"engine": self.pose_engine, "detector": self.detector, **inference}
        if self.pose_model is not None:
            pose["model"] = str(self.pose_model)
        reid = {"model": self.reid_model, "detector": self.detector, **inference}
        return {"pose": pose, "reid": reid}


_EXAMPLES = """\
examples:
  python -m server                                      pose on 127.0.0.1:8083
  python -m server --analyzers pose,my_models.hr:HeartRate
                                                        and a model of your own, found on PYTHONPATH
                                                        or in the working directory
  python -m server --host 0.0.0.0 --cert-file cert.pem --key-file key.pem
                                                        for browsers on other machines, which give a
                                                        page its camera over HTTPS only
  python -m server --record-to recordings               keep every session

  kinecast models list                                  networks that can be fetched, see
                                                        kinecast models --help

Every flag can also be set in the environment or in a file .env: --max-sessions 4 is MAX_SESSIONS=4.
"""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise BadSettings(f"{message} (see --help)")


def parse_settings(arguments: Sequence[str]) -> Settings:
    """The settings that a command line and the environment make.

    Raises
    ------
    BadSettings
        One line that says what is wrong with which setting.
    SystemExit
        ``--help`` was asked for.
    """
    given = vars(_make_parser().parse_args(arguments))
    try:
        return Settings(**given)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        message = first["msg"].removeprefix("Value error, ")
        field = str(first["loc"][0]) if first["loc"] else ""
        flag = f"--{field.replace('_', '-')}: " if field in Settings.model_fields else ""
        shown = f" (got {first['input']!r})" if flag and first["type"] != "value_error" else ""
        raise BadSettings(" ".join(f"{flag}{message}{shown}".split())) from error


def _make_parser() -> _Parser:
    parser = _Parser(
        prog="kinecast",
        description="A WebRTC media server that watches people move: video in, results back over"
        " a data channel while the movement goes on.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        argument_default=argparse.SUPPRESS,
        allow_abbrev=False,
    )
    for name, field in Settings.model_fields.items():
        flags = [f"--{name.replace('_', '-')}"] + (["-v"] if name == "verbose" else [])
        text = (field.description or "").replace("%", "%%")
        if field.annotation is bool:
            parser.add_argument(*flags, action="store_true", help=text)
            continue
        if isinstance(field.default, int | str) and field.default != "":
            text += f" (default: {field.default})"
        action = "append" if name == "ice_address" else "store"
        parser.add_argument(*flags, action=action, help=text, metavar=_metavar(name, field))
    return parser


def _metavar(name: str, field: FieldInfo) -> str:
    if get_origin(field.annotation) is Literal:
        return "|".join(get_args(field.annotation))
    special = {
        "record_to": "DIR",
        "ice_port_range": "FIRST-LAST",
        "analyzers": "A,B",
        "pose_model": "FILE",
        "detector": "NAME|FILE",
        "reid_model": "NAME|FILE",
        "inference_device": "NAME",
    }
    return special.get(name, name.rsplit("_", 1)[-1].upper())
