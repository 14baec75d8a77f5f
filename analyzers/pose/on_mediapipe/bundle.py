"""Builds a pose model bundle from the networks that come with MediaPipe.

MediaPipe 0.10.21 carries BlazePose for its older API. The Tasks API refuses
those files as they are ("requires specifying NormalizationOptions metadata"):
it wants to read from the file how to scale the picture, and both networks in
one zip. So that is written into them, once, into the user's cache.
"""

from __future__ import annotations

import logging
import zipfile
from pathlib import Path

from platformdirs import user_cache_path

from analyzers.base_model import AnalyzerUnavailable
from analyzers.networks import bundles
from analyzers.pose import weights
from analyzers.pose.weights import Weights

logger = logging.getLogger(__name__)

# Counts changes of what a bundle is made of, so that one made before is not taken.
_RECIPE = 1


# A pixel p (0..255) is scaled to (p - mean) / std: to -1..1 for the detector and to 0..1 for the
# landmarks, as MediaPipe's own graphs do (modules/pose_detection, modules/pose_landmark:
# ImageToTensorCalculator's output range).
_DETECTOR_MEAN, _DETECTOR_STD = 127.5, 127.5
_LANDMARKS_MEAN, _LANDMARKS_STD = 0.0, 255.0


def cached_bundle() -> Path:
    """Return the bundle in the user's cache, built if it is not there.

    Any number of processes may do this at once: each builds the same bytes in
    a file of its own and moves it into place.

    Raises
    ------
    AnalyzerUnavailable
        When there are no networks, or the cache cannot be written.
    """
    import mediapipe

    directory = user_cache_path("kinecast")
    path = directory / f"pose_full-mediapipe_{mediapipe.__version__}-{_RECIPE}.task"
    if _is_whole(path):
        return path
    content = build(weights.load(None))
    try:
        bundles.write(path, content)
    except OSError as error:
        raise AnalyzerUnavailable(
            f"pose cannot write its model to {directory} ({error.strerror}): set XDG_CACHE_HOME to"
            " a directory that can be written, or pass --pose-model FILE.task"
        ) from error
    logger.info("built the pose model %s", path)
    return path


def build(networks: Weights) -> bytes:
    """Build the bundle.

    Returns
    -------
    bytes
        A zip with both networks. The same bytes every time.
    """
    detector = _described(networks.detector, _DETECTOR_MEAN, _DETECTOR_STD)
    landmarks = _described(networks.landmarks, _LANDMARKS_MEAN, _LANDMARKS_STD)
    return bundles.pack(
        {weights.DETECTOR_IN_BUNDLE: detector, weights.LANDMARKS_IN_BUNDLE: landmarks}
    )


def _described(model: bytes, mean: float, std: float) -> bytes:
    """Write into a network how its input is scaled and what its tensors are called."""
    from mediapipe.tasks.python.metadata.metadata_writers import metadata_writer, writer_utils

    writer = metadata_writer.MetadataWriter.create(bytearray(model))
    writer.add_image_input([mean], [std])
    for name in writer_utils.get_output_tensor_names(bytearray(model)):
        writer.add_feature_output(name)
    described, _ = writer.populate()
    return bytes(described)


def _is_whole(path: Path) -> bool:
    try:
        with zipfile.ZipFile(path) as bundle:
            return bundle.namelist() == [weights.DETECTOR_IN_BUNDLE, weights.LANDMARKS_IN_BUNDLE]
    except (OSError, zipfile.BadZipFile):
        return False
