"""Settings of what looks at the frames, and on what."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import BeforeValidator, Field, model_validator
from pydantic_settings import NoDecode

from analyzers.registry import AnalyzerSpec
from server.config import parse
from server.config.base import SettingsGroup


class AnalysisSettings(SettingsGroup):
    """Analyzers and their networks."""

    title: ClassVar[str] = "analysis"

    analyzers: Annotated[
        tuple[AnalyzerSpec, ...], NoDecode, BeforeValidator(parse.analyzer_names)
    ] = Field(
        "pose,exercise,reid",
        validate_default=True,
        description="analyzers to run, in order, by name or as package.module:Class, with commas"
        " between; on the same key in their results the later one wins",
    )
    workers: int = Field(
        default_factory=parse.cores,
        ge=1,
        le=256,
        description="processes that run analyzers, a core each (default: as many as there are)",
    )
    pose_engine: Literal["auto", "openvino", "mediapipe"] = Field(
        "auto", description="what runs pose; auto: openvino if it imports"
    )
    pose_model: Path | None = Field(
        None,
        description="a pose landmarker bundle (.task: lite, full, heavy), or mediapipe 0.10.21's"
        " wheel (default: the networks of that wheel, which are fetched once)",
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

    @model_validator(mode="after")
    def _check_files(self) -> Self:
        if self.pose_model is not None and not self.pose_model.is_file():
            raise ValueError(f"--pose-model: there is no file {self.pose_model}")
        for flag, network in (("--detector", self.detector), ("--reid-model", self.reid_model)):
            is_file_name = network is not None and Path(network).suffix in (".xml", ".onnx")
            if network is not None and is_file_name and not Path(network).is_file():
                raise ValueError(f"{flag}: there is no file {network}")
        return self

    def analyzer_settings(self) -> dict[str, dict[str, Any]]:
        """What the analyzers' constructors are given, by name."""
        inference = {"device": self.inference_device, "precision": self.inference_precision}
        pose: dict[str, Any] = {"engine": self.pose_engine, "detector": self.detector, **inference}
        if self.pose_model is not None:
            pose["model"] = str(self.pose_model)
        reid = {"model": self.reid_model, "detector": self.detector, **inference}
        return {"pose": pose, "reid": reid}
