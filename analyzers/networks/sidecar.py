"""What a network's file does not say about its picture, in a small file beside it.

`osnet.onnx` has `osnet.toml` (or `osnet.json`, with the same keys)::

    task = "re-identification"    # or "detection"
    size = [128, 256]             # width, height in pixels
    channels = "RGB"              # or "BGR"
    mean = [123.675, 116.28, 103.53]
    scale = [58.395, 57.12, 57.375]
    name = "osnet_x0_25"          # optional; otherwise the file's name
    threshold = 0.45              # optional, re-identification: largest cosine distance of a match
    family = "ssd"                # detection: "ssd" or "yolox"

A pixel p (0..255) reaches the network as (p - mean) / scale. Both are one number or three, these in
the order in which the network sees the channels; without them p goes in as it is. The networks of
the catalogue need no such file.
"""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from analyzers.networks.runtime import Picture

SUFFIXES = (".toml", ".json")

Triple = tuple[float, float, float]


def _three(value: Any) -> Any:
    return (value,) * 3 if isinstance(value, int | float) else value


PerChannel = Annotated[Triple, BeforeValidator(_three)]
Positive = Annotated[float, Field(gt=0)]


class Sidecar(BaseModel):
    """How a network wants its picture, and what it is for.

    Attributes
    ----------
    task : {"re-identification", "detection"}
        What it is for.
    size : tuple of int
        Width and height of its picture, pixels.
    channels : {"RGB", "BGR"}
        Their order.
    mean, scale : tuple of float
        For each channel, see above.
    name : str or None
        What the network is called; two with one name are taken for the same.
    threshold : float or None
        The largest cosine distance, 0..2, at which two pictures show one person.
    family : {"ssd", "yolox"} or None
        How a detector answers.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    task: Literal["re-identification", "detection"]
    size: tuple[Annotated[int, Field(gt=0, le=4096)], Annotated[int, Field(gt=0, le=4096)]]
    channels: Literal["RGB", "BGR"]
    mean: PerChannel = (0.0, 0.0, 0.0)
    scale: Annotated[tuple[Positive, Positive, Positive], BeforeValidator(_three)] = (1.0, 1.0, 1.0)
    name: Annotated[str, Field(min_length=1, max_length=100)] | None = None
    threshold: Annotated[float, Field(ge=0, le=2)] | None = None
    family: Literal["ssd", "yolox"] | None = None

    @model_validator(mode="after")
    def _detectors_have_a_family(self) -> Self:
        if (self.task == "detection") != (self.family is not None):
            raise ValueError("'family' is for detection, and detection needs it")
        return self

    @property
    def picture(self) -> Picture:
        """What the runtime is told."""
        return Picture("NCHW", mean=self.mean, std=self.scale, channels=self.channels)


def find(network: Path) -> Path | None:
    """Return the file beside a network's, None when there is none."""
    for suffix in SUFFIXES:
        path = network.with_suffix(suffix)
        if path.is_file():
            return path
    return None


def read(path: Path) -> Sidecar:
    """Read a sidecar.

    Raises
    ------
    ValueError
        When it can not be used: one line that says what is wrong.
    """
    try:
        text = path.read_text(encoding="utf-8")
        content = json.loads(text) if path.suffix == ".json" else tomllib.loads(text)
        return Sidecar.model_validate(content)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"]))
        raise ValueError(f"{path}: {where + ': ' if where else ''}{first['msg']}") from error
    except (OSError, ValueError) as error:
        raise ValueError(f"{path} can not be read: {error}") from error
