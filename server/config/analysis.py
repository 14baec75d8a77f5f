"""Settings of what looks at the frames, and on what."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import AfterValidator, AliasChoices, BeforeValidator, Field, FilePath, model_validator
from pydantic_settings import NoDecode

from analyzers.base_model import AnalyzerUnavailable
from analyzers.models_folder import find_models
from analyzers.networks import model_cache
from analyzers.registry import AnalyzerSpec, UnknownAnalyzer
from server.config import parse
from server.config.base import Flag, SettingsGroup

# With less, none of the built-in analyzers can be loaded.
_LEAST_MEMORY = 256 * 10**6


def _check_memory(size: int) -> int:
    if 0 < size < _LEAST_MEMORY:
        raise ValueError("a worker needs 256MB at least")
    return size


def _check_exercises(folder: Path | None) -> Path | None:
    if folder is not None:
        # Only who has exercises pays for what reads them.
        from analyzers.exercise.demonstration.folder import read_folder

        read_folder(folder)
    return folder


class AnalysisSettings(SettingsGroup):
    """Analyzers and their networks."""

    title: ClassVar[str] = "analysis"

    analyzers: Annotated[
        tuple[AnalyzerSpec, ...], NoDecode, BeforeValidator(parse.analyzer_names), Flag("A,B")
    ] = Field("pose,exercise,reid", validate_default=True)
    """analyzers to run, in order, by name or as package.module:Class, with commas between; on the
    same key in their results the later one wins"""
    models: Annotated[Path | None, BeforeValidator(parse.directory), Flag("DIR")] = None
    """folder of an older server's models, a file or package each, to run as they are: without
    --analyzers they alone, with it after those"""
    workers: Annotated[int, Flag("N", default="as many as cores")] = Field(
        default_factory=parse.cores, ge=1, le=256
    )
    """processes that run analyzers, a core each"""
    worker_memory: Annotated[
        int,
        BeforeValidator(parse.size),
        AfterValidator(_check_memory),
        Flag("SIZE", default="half of what the machine has, shared by all"),
    ] = Field(0, ge=0)
    """memory that each of them may take for itself, as 800MB or 2GB, beyond which it is replaced"""
    pose_engine: Literal["auto", "openvino", "mediapipe"] = "auto"
    """what runs pose; auto: openvino if it imports"""
    pose_model: Annotated[
        FilePath | None, Flag("FILE", default="the networks of that wheel, fetched once")
    ] = Field(None, validation_alias=AliasChoices("pose_model", "KINECAST_POSE_WHEEL"))
    """a pose landmarker bundle (.task: lite, full, heavy), or mediapipe 0.10.21's wheel"""
    detector: Annotated[
        str | None,
        Flag("NAME|FILE", default="person-detection-retail-0013, if `kinecast models` fetched it"),
    ] = None
    """a person detector, by name or file (.xml, .onnx), for several people and people far away"""
    reid_model: Annotated[
        str | None,
        Flag("NAME|FILE", default="one that `kinecast models` fetched, or else no network"),
    ] = None
    """a re-identification network, by name or file"""
    exercises: Annotated[
        Path | None, AfterValidator(_check_exercises), Flag("DIR", default="the built-in ones")
    ] = None
    """a folder of exercises that `kinecast learn` has learned, for all sessions"""
    inference_device: Annotated[str, Flag("NAME")] = "CPU"
    """what openvino computes on, by its own name: CPU, GPU, NPU, AUTO"""
    inference_precision: Literal["auto", "f32", "bf16"] = "auto"
    """what openvino computes in; auto: bf16 if the CPU has it and it proves faster"""

    @model_validator(mode="after")
    def _add_models(self) -> Self:
        if self.models is None:
            return self
        try:
            found = find_models(self.models)
        except UnknownAnalyzer as error:
            raise ValueError(f"--models: {error}") from error
        others = self.analyzers if "analyzers" in self.model_fields_set else ()
        self.analyzers = (*others, *found)
        return self

    @model_validator(mode="after")
    def _check_files(self) -> Self:
        for flag, network in (("--detector", self.detector), ("--reid-model", self.reid_model)):
            try:
                # The server does without a network that is asked for by name and is not here.
                if network is not None:
                    model_cache.locate(network)
            except AnalyzerUnavailable as reason:
                raise ValueError(f"{flag}: {reason}") from reason
        return self

    def analyzer_settings(self) -> dict[str, dict[str, Any]]:
        """What the analyzers' constructors are given, by name."""
        inference = {"device": self.inference_device, "precision": self.inference_precision}
        pose: dict[str, Any] = {"engine": self.pose_engine, "detector": self.detector, **inference}
        if self.pose_model is not None:
            pose["model"] = str(self.pose_model)
        reid = {"model": self.reid_model, "detector": self.detector, **inference}
        settings = {"pose": pose, "reid": reid}
        if self.exercises is not None:
            settings["exercise"] = {"exercises": str(self.exercises)}
        return settings
