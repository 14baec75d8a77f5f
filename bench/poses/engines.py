"""The pose engines that are held against each other, and which of them this machine has."""

from dataclasses import dataclass
from pathlib import Path

from analyzers.networks import model_cache, person_detector
from analyzers.pose.engine import PoseEngine
from analyzers.pose.engines import make_engine

NO_BF16 = (
    "openvino bf16 is left out: this CPU does not compute in bf16 itself, and emulating it is "
    "slower than f32."
)


@dataclass(frozen=True, slots=True)
class EngineKind:
    """How an engine is asked for.

    Attributes
    ----------
    name
        In the tables.
    choice, precision
        As `analyzers.pose.engines.make_engine` takes them.
    """

    name: str
    choice: str
    precision: str = "auto"

    @property
    def with_detector(self) -> str:
        """In the tables, with a person detector."""
        return f"{self.name} with detector"

    def start(self, *, num_poses: int = 1, detector: Path | None = None) -> PoseEngine:
        """Load the networks.

        `detector` is person-detection-retail-0013.xml; without it, openvino takes the one of the
        model cache, if there is one (see `cached_detector`).
        """
        return make_engine(
            self.choice,
            num_poses=num_poses,
            precision=self.precision,
            detector=None if detector is None else str(detector),
        )


MEDIAPIPE = EngineKind("mediapipe", "mediapipe")
OPENVINO_F32 = EngineKind("openvino f32", "openvino", "f32")
OPENVINO_BF16 = EngineKind("openvino bf16", "openvino", "bf16")


def cached_detector() -> Path | None:
    """The person detector that openvino takes if it is given none."""
    return model_cache.find(person_detector.DEFAULT_NAME)


def has_native_bf16() -> bool:
    """Whether the CPU has instructions for bf16, as OpenVINO sees it."""
    import openvino

    capabilities = openvino.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    return "BF16" in capabilities
