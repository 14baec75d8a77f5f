"""Faces to measure with: an astronaut's portrait, NASA's and free, out of scikit-image's wheel.

Of that package nothing is installed. The networks for faces are the analyzer's own.
"""

import cv2
import numpy as np

from analyzers.networks import model_cache, wheels
from analyzers.networks.installers import Release
from analyzers.networks.runtime import Runtime
from analyzers.networks.wheels import Member, Packed
from analyzers.vitals import weights
from analyzers.vitals.face_detector import FaceDetector
from analyzers.vitals.face_mesh import Face, FaceMesh
from bench.parts.vitals_refusals import smaller
from bench.parts.vitals_scene import HEIGHT, WIDTH, Actor

_PORTRAIT = Packed(
    Release("scikit-image", "0.26.0", python="3.11", glibc="2_28"),
    13_711_217,
    (
        Member(
            "astronaut.png",
            "skimage/data/astronaut.png",
            791_555,
            "88431cd9653ccd539741b555fb0a46b61558b301d4110412b5bc28b5e3ea6cb5",
        ),
    ),
)
# The part with head and shoulders, as they are before a laptop: rows and columns.
_PART = np.s_[10:340, 10:450]


def portrait() -> np.ndarray:
    """Return her head and shoulders, (480, 640, 3) RGB.

    Raises
    ------
    FetchError
        When it is not there and can not be had.
    """
    bundle = model_cache.directory() / "astronaut.zip"
    wheels.fetch(_PORTRAIT, bundle)
    content = wheels.read(_PORTRAIT, bundle)["astronaut.png"]
    picture = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR_RGB)
    return cv2.resize(picture[_PART], (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)


def actor(picture: np.ndarray) -> Actor:
    """Find the face in a picture, (480, 640, 3) RGB."""
    runtime = Runtime()
    networks = weights.load()
    detector = FaceDetector(runtime, runtime.read(networks.detector))
    mesh = FaceMesh(runtime, runtime.read(networks.mesh))
    faces = detector.find(picture)
    return Actor(picture, mesh.look(picture, faces[0]) if faces else None)


def of_width(picture: np.ndarray, person: Actor, width_px: float) -> Actor:
    """Return somebody whose face is so wide; found in the large picture, and moved with it."""
    assert person.face is not None
    part = width_px / person.face.width
    middle = np.array([WIDTH, HEIGHT]) / 2.0
    points = (person.face.points - middle) * part + middle
    return Actor(smaller(picture, part), Face(person.face.score, points))
