"""Settings of a server on several machines."""

from __future__ import annotations

import ipaddress
import re
from pathlib import Path
from typing import Annotated, ClassVar, Self

from pydantic import BeforeValidator, Field, SecretStr, model_validator

from server.config.base import Flag, SettingsGroup
from server.security import tokens

ON_THIS_MACHINE = "ray"


def _cluster(value: object) -> object:
    if value in ("", ON_THIS_MACHINE) or re.fullmatch(r"ray://[^\s/:@]+:\d{1,5}", str(value)):
        return value
    raise ValueError(f"{value!r} is neither ray nor ray://HOST:PORT")


def _address(value: object) -> object:
    if value == "":
        return value
    try:
        address = ipaddress.ip_address(str(value))
    except ValueError:
        raise ValueError(f"{value!r} is no IP address") from None
    if address.is_unspecified:
        raise ValueError("nodes listen for each other on one address alone, a private one")
    return str(address)


class ClusterSettings(SettingsGroup):
    """Where the cluster is, and how its nodes reach each other."""

    title: ClassVar[str] = "several machines"

    cluster: Annotated[str, BeforeValidator(_cluster), Flag("ray|ray://HOST:PORT")] = ""
    """start nodes on the machines of a Ray cluster: the one that this machine belongs to, or the
    one whose client port that is; see kinecast cluster --help"""
    cluster_secret: SecretStr = SecretStr("")
    """by which nodes on several machines know each other, of 32 characters or more; in the
    environment of each machine"""
    cluster_secret_file: Path | None = None
    """a file that holds it"""
    cluster_address: Annotated[str, BeforeValidator(_address), Flag(default="Ray's own")] = ""
    """address of a machine at which the others reach it"""
    cluster_port: Annotated[int, Flag(default="any")] = Field(0, ge=0, le=65526)
    """TCP port at which they do; the first free one of ten from there on"""

    @model_validator(mode="after")
    def _read_cluster_secret(self) -> Self:
        secret = self.cluster_secret.get_secret_value()
        if self.cluster_secret_file is not None:
            if secret:
                raise ValueError("--cluster-secret and --cluster-secret-file: give one of them")
            try:
                secret = self.cluster_secret_file.read_text().strip()
            except (OSError, UnicodeDecodeError) as error:
                raise ValueError(f"--cluster-secret-file: {error}") from error
            self.cluster_secret = SecretStr(secret)
        if secret or self.cluster_secret_file is not None:
            try:
                tokens.check_secret(secret)
            except ValueError as error:
                raise ValueError(f"--cluster-secret: {error}") from error
        return self
