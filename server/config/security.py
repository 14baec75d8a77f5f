"""Settings of who may use the server, and from where."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Annotated, ClassVar, Self

from pydantic import BeforeValidator, Field, FilePath, SecretStr, model_validator
from pydantic_settings import NoDecode

from server.config import parse
from server.config.base import Flag, Seconds, SettingsGroup
from server.config.variables import CERT, KEY
from server.security import keys, tls, tokens
from server.security.hosts import is_loopback
from server.security.origin_names import parse_origins


class AuthSettings(SettingsGroup):
    """Who may use the server, and which pages."""

    title: ClassVar[str] = "who may use it"

    auth_secret: SecretStr = SecretStr("")
    """every request but /health then needs a token that `kinecast token` makes with the same
    secret, of 32 characters or more; better in the environment than on the command line, where
    others can read it"""
    auth_secret_file: Path | None = None
    """a file that holds the secret"""
    no_auth: bool = False
    """serve other machines without asking who is there; without this and without a secret only
    loopback addresses are served"""
    allow_origin: Annotated[
        tuple[str, ...],
        NoDecode,
        BeforeValidator(lambda value: parse_origins(parse.words(value))),
        Flag(default="its own"),
    ] = ()
    """origin of web pages that may use the server beside its own, as http://localhost:3000, null
    for pages from a file, * for any"""

    @model_validator(mode="after")
    def _read_secret(self) -> Self:
        if self.auth_secret_file is not None:
            if self.auth_secret.get_secret_value():
                raise ValueError("--auth-secret and --auth-secret-file: give one of them")
            try:
                text = self.auth_secret_file.read_text().strip()
            except (OSError, UnicodeDecodeError) as error:
                raise ValueError(f"--auth-secret-file: {error}") from error
            self.auth_secret = SecretStr(text)
            tokens.check_secret(text)
        elif self.auth_secret.get_secret_value():
            tokens.check_secret(self.auth_secret.get_secret_value())
        return self

    @property
    def asks_for_tokens(self) -> bool:
        """Whether clients have to say who they are."""
        return bool(self.auth_secret.get_secret_value())

    def check_host(self, host: str, preset: str = "none") -> None:
        """Refuse to serve other machines without knowing who is there.

        Parameters
        ----------
        host
            What is listened on.
        preset
            Whose clients are expected; older ones can not send a token.

        Raises
        ------
        ValueError
            One sentence that says what to do.
        """
        if self.asks_for_tokens or self.no_auth or is_loopback(host):
            return
        if preset != "none":
            raise ValueError(
                f"--host {host} lets other machines in, and clients of --preset {preset} do not say"
                " who they are: if anybody there may use it, the flag that is missing is --no-auth"
                " (or set AUTH_SECRET, for clients that you teach to send a token)"
            )
        raise ValueError(
            f"--host {host} lets other machines in, and nothing asks who is there: give"
            " --auth-secret (make one with: openssl rand -hex 32), or --no-auth if that is meant"
        )


class TlsSettings(SettingsGroup):
    """HTTPS."""

    title: ClassVar[str] = "TLS"

    cert_file: Annotated[FilePath | None, Flag(variables=(CERT,))] = None
    """TLS certificate chain (PEM); turns both ports into HTTPS and WSS"""
    key_file: Annotated[FilePath | None, Flag(variables=(KEY,))] = None
    """the certificate's private key (PEM)"""
    self_signed: bool = False
    """make a certificate for this machine's names and addresses, and keep it: for development, and
    for a phone on the same network, whose browser warns once"""

    @model_validator(mode="after")
    def _check_certificate(self) -> Self:
        if (self.cert_file is None) != (self.key_file is None):
            raise ValueError(f"--cert-file and --key-file go together, as {CERT} and {KEY} do")
        if self.self_signed and self.cert_file is not None:
            raise ValueError("--self-signed and --cert-file: give one of them")
        self.tls_context()
        return self

    def has_real_certificate(self) -> bool:
        """Whether there is a certificate that somebody else signed."""
        return self.cert_file is not None and not tls.is_self_signed(self.cert_file)

    def tls_context(self) -> ssl.SSLContext | None:
        """What both ports serve TLS with, None without a certificate of the user's.

        Raises
        ------
        ValueError
            The certificate or its key can not be used.
        """
        if self.cert_file is None or self.key_file is None:
            return None
        try:
            return tls.server_context(self.cert_file, self.key_file)
        except (ssl.SSLError, OSError) as error:
            raise ValueError(
                f"--cert-file {self.cert_file} and --key-file {self.key_file} do not work together:"
                f" {error}"
            ) from error


class EmbeddingSettings(SettingsGroup):
    """How embeddings are sealed."""

    title: ClassVar[str] = "embeddings"

    encryption_key: Annotated[SecretStr, Flag(default="one made once, and kept")] = SecretStr("")
    """Fernet key that seals embeddings for clients to keep; several with commas between: the first
    seals, all open"""
    embedding_ttl: Seconds = Field("30d", validate_default=True, ge=0)
    """how long a sealed embedding is good for: seconds, or 12h, 30d; 0 is for ever"""

    @model_validator(mode="after")
    def _check_keys(self) -> Self:
        self.encryption_keys()
        return self

    def encryption_keys(self) -> tuple[str, ...]:
        """The keys that were given; none if the kept one is to be used.

        Raises
        ------
        ValueError
            One of them is no Fernet key.
        """
        return keys.parse(parse.words(self.encryption_key.get_secret_value()))
