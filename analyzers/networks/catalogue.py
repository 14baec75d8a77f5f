"""The networks that Kinecast knows: where their weights come from, and what they want.

Files, sizes, checksums and licences are those published in Open Model Zoo's model.yml files and on
MediaPipe's model pages. The checksums of the networks in mediapipe's wheel are our own; its wheels
for Linux, macOS and Windows all have the same. A network without files has no place that publishes
a checksum: it is used when its file is there, and its licence is that of its project's code
(torchreid, YOLOX).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from analyzers.networks.installers import Release
from analyzers.networks.sidecar import Sidecar
from analyzers.networks.wheels import Member, Packed

_ZOO = "https://storage.openvinotoolkit.org/repositories/open_model_zoo"
_ZOO_2021 = "https://download.01.org/opencv/2021/openvinotoolkit/2021.2/open_model_zoo"
_MEDIAPIPE = "https://storage.googleapis.com/mediapipe-models"
_APACHE = "Apache-2.0"

# ImageNet's mean and standard deviation of red, green and blue, in 0..255: what torchvision's
# networks, and with them OSNet (torchreid), are trained with.
_IMAGENET_MEAN = (123.675, 116.28, 103.53)
_IMAGENET_STD = (58.395, 57.12, 57.375)

# Thresholds are chosen by bench/reid.py so that 2 % of strangers are accepted; how many right
# persons are refused then, from one camera to another, it says too. retail-0287 could not be
# measured, and is given that of its sister.
_THRESHOLD_RETAIL = 0.63


class Task(StrEnum):
    """What a network is for."""

    DETECTION = "detection"
    REIDENTIFICATION = "re-identification"
    POSE = "pose"
    FACE = "face"


@dataclass(frozen=True, slots=True)
class WeightsFile:
    """One file as it is published.

    Attributes
    ----------
    url : str
        Where.
    size : int
        Bytes.
    checksum : str
        The algorithm, a colon, and its value in hexadecimal.
    """

    url: str
    size: int
    checksum: str

    @property
    def name(self) -> str:
        """What it is called in a folder."""
        return self.url.rpartition("/")[2]


@dataclass(frozen=True, slots=True)
class Weights:
    """A network that is known by name.

    Attributes
    ----------
    name : str
        As in Open Model Zoo.
    task : Task
        What it is for.
    licence : str
        Of the weights, by its SPDX name.
    files : tuple of WeightsFile
        The first one is the network, the others belong beside it.
    packed : Packed or None
        The wheel that it comes in, when it is not published by itself.
    sidecar : Sidecar or None
        How it wants its picture.
    """

    name: str
    task: Task
    licence: str
    files: tuple[WeightsFile, ...] = ()
    packed: Packed | None = None
    sidecar: Sidecar | None = None

    @property
    def size(self) -> int:
        """Bytes of all that it consists of; 0 when it can not be fetched."""
        members = self.packed.members if self.packed else ()
        return sum(file.size for file in self.files) + sum(member.size for member in members)


def _retail_reid(name: str, threshold: float, base: str, *files: tuple[str, int, str]) -> Weights:
    return Weights(
        name,
        Task.REIDENTIFICATION,
        _APACHE,
        files=tuple(
            WeightsFile(f"{base}/models_bin/3/{name}/FP32/{name}{suffix}", size, f"sha256:{value}")
            for suffix, size, value in files
        ),
        sidecar=Sidecar(
            task="re-identification",
            size=(128, 256),
            channels="BGR",
            name=name,
            threshold=threshold,
        ),
    )


# The last release of mediapipe whose wheel has networks.
_WHEEL = Release("mediapipe", "0.10.21", python="3.11", glibc="2_28")
_WHEEL_SIZE = 35_622_638

# BlazePose: its detector, and the "full" one of its landmark networks.
POSE = Weights(
    "pose",
    Task.POSE,
    _APACHE,
    packed=Packed(
        _WHEEL,
        _WHEEL_SIZE,
        (
            Member(
                "pose_detector.tflite",
                "mediapipe/modules/pose_detection/pose_detection.tflite",
                2_959_046,
                "9ba9dd3d42efaaba86b4ff0122b06f29c4122e756b329d89dca1e297fd8f866c",
            ),
            Member(
                "pose_landmarks_detector.tflite",
                "mediapipe/modules/pose_landmark/pose_landmark_full.tflite",
                6_440_512,
                "e9a5c5cb17f736fafd4c2ec1da3b3d331d6edbe8a0d32395855aeb2cdfd64b9f",
            ),
        ),
    ),
)

# BlazeFace for faces within 2 m, and the mesh of 468 points.
FACE = Weights(
    "face",
    Task.FACE,
    _APACHE,
    packed=Packed(
        _WHEEL,
        _WHEEL_SIZE,
        (
            Member(
                "face_detector.tflite",
                "mediapipe/modules/face_detection/face_detection_short_range.tflite",
                229_714,
                "bbff11cebd1eb27a1e004cae0b0e63ec8c551cbf34a4451148b4908b8db3eca8",
            ),
            Member(
                "face_landmarks_detector.tflite",
                "mediapipe/modules/face_landmark/face_landmark.tflite",
                1_242_398,
                "1055cb9d4a9ca8b8c688902a3a5194311138ba256bcc94e336d8373a5f30c814",
            ),
        ),
    ),
)

KNOWN: tuple[Weights, ...] = (
    POSE,
    FACE,
    Weights(
        "person-detection-retail-0013",
        Task.DETECTION,
        _APACHE,
        (
            WeightsFile(
                f"{_ZOO}/2022.1/models_bin/3/person-detection-retail-0013/FP32/"
                "person-detection-retail-0013.xml",
                470_356,
                "sha384:0a346bc301457760eed3570a03a650529016505487c8f76bc4fb06d4a68d9ac9"
                "01def7d5d7d4728b0699ab359dec4cfb",
            ),
            WeightsFile(
                f"{_ZOO}/2022.1/models_bin/3/person-detection-retail-0013/FP32/"
                "person-detection-retail-0013.bin",
                2_891_364,
                "sha384:9e0fb51e3b9064657b14ddd8c190f7088fd561a184acd38ba7a7d4c491879e56"
                "a5a6d4619810cbbaef36a9653810486a",
            ),
        ),
        sidecar=Sidecar(
            task="detection",
            size=(544, 320),
            channels="BGR",
            name="person-detection-retail-0013",
            family="ssd",
        ),
    ),
    _retail_reid(
        "person-reidentification-retail-0287",
        _THRESHOLD_RETAIL,
        f"{_ZOO}/2021.2",
        (".xml", 504_295, "95b7dc76dd85bae3dae4e528540e6133e54d86ed6f241c9a24e26b9b9ebcb064"),
        (".bin", 2_362_196, "2def95a238b8c6a63925d9772deb5684ceb2e933d20a5e3a1dbcade15e287eea"),
    ),
    _retail_reid(
        "person-reidentification-retail-0288",
        _THRESHOLD_RETAIL,
        _ZOO_2021,
        (".xml", 503_748, "9f53a621a24cddb743421d4ae89ebacffe89f250371c4ba162a7b39b3b2956b0"),
        (".bin", 728_632, "1d50150374cf33e0fb582d7b7affc06feb8fe2c8081e877e6456cc1f8d2eef3e"),
    ),
    Weights(
        "osnet_x0_25_msmt17",
        Task.REIDENTIFICATION,
        "MIT",
        sidecar=Sidecar(
            task="re-identification",
            size=(128, 256),
            channels="RGB",
            mean=_IMAGENET_MEAN,
            scale=_IMAGENET_STD,
            name="osnet_x0_25_msmt17",
            threshold=0.32,
        ),
    ),
    Weights(
        "yolox_nano",
        Task.DETECTION,
        _APACHE,
        sidecar=Sidecar(
            task="detection", size=(416, 416), channels="BGR", name="yolox_nano", family="yolox"
        ),
    ),
    Weights(
        "pose_landmarker_lite",
        Task.POSE,
        _APACHE,
        (
            WeightsFile(
                f"{_MEDIAPIPE}/pose_landmarker/pose_landmarker_lite/float16/latest/"
                "pose_landmarker_lite.task",
                5_777_746,
                "sha256:59929e1d1ee95287735ddd833b19cf4ac46d29bc7afddbbf6753c459690d574a",
            ),
        ),
    ),
)


def known(name: str) -> Weights | None:
    """Return the network of a name, None when there is none in the catalogue."""
    return next((weights for weights in KNOWN if weights.name == name), None)


def names(task: Task | None = None) -> list[str]:
    """Return the names in the catalogue, of one task or all."""
    return [weights.name for weights in KNOWN if task in (None, weights.task)]
