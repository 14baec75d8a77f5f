"""BlazePose's landmark network: 33 points of the person in a region."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from typing import Any, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from analyzers.base_model import AnalyzerUnavailable
from analyzers.networks.runtime import Picture, Runtime, faster
from analyzers.pose.on_openvino.refinement import refine
from analyzers.pose.on_openvino.region import Region
from analyzers.pose.on_openvino.split import narrow_places

logger = logging.getLogger(__name__)

LANDMARKS = 33
# The network gives six more points; the first two of them say where to look in the next frame.
_POINTS = 39
_MIDDLE, _EDGE = 33, 34
# x, y, z, visibility and presence of each.
_VALUES = 5

# Pixels as 0..1.
_PICTURE = Picture("NHWC", std=255.0)
_SIDE_PX = 256

# The last of the maps of 4 x 4 cells; what follows is 1 % of the work.
_CUT_MAP = [4, 4]

# bf16 shifts the score, mostly down by 0.05: where that could matter, the exact network decides.
_DOUBTFUL = (0.05, 0.7)

# Of the person's larger side; and blurred enough that a face is none any more.
_FOCUS_MARGIN = 0.15
_BLUR_PX = (31, 31)


@dataclass(frozen=True, slots=True)
class LandmarkResult:
    """What the network sees in a region.

    Attributes
    ----------
    score : float
        That there is a person, 0..1.
    landmarks : ndarray, shape (33, 4)
        x, y and z in pixels of the frame, visibility 0..1.
    world_landmarks : ndarray, shape (33, 3)
        Metres from the middle of the hips.
    region : Region
        Where the person will be in the next frame.
    """

    score: float
    landmarks: NDArray[np.float64]
    world_landmarks: NDArray[np.float64]
    region: Region

    def scaled(self, factor: float) -> LandmarkResult:
        """Return what would be seen in a frame of another size."""
        return replace(
            self,
            landmarks=self.landmarks * (factor, factor, factor, 1.0),
            region=self.region.scaled(factor),
        )


@dataclass(frozen=True, slots=True)
class _Outputs:
    """What the outputs are called; they are told apart by their shapes."""

    landmarks: str
    score: str
    heat_maps: str
    world: str

    @classmethod
    def of(cls, model: Any) -> _Outputs:
        names = {tuple(output.shape)[1:]: output.any_name for output in model.outputs}
        try:
            return cls(
                landmarks=names[(_POINTS * _VALUES,)],
                score=names[(1,)],
                heat_maps=names[(64, 64, _POINTS)],
                world=names[(_POINTS * 3,)],
            )
        except KeyError:
            raise ValueError(f"it has outputs of shapes {sorted(names)}") from None


class _Variant(Protocol):
    """The network, compiled one way."""

    def run(self) -> None: ...

    def output(self, name: str) -> NDArray[np.float32]: ...


class _Exact:
    """All of it but the segmentation mask, which nobody asks for."""

    def __init__(self, runtime: Runtime, model: Any, names: _Outputs) -> None:
        wanted = (names.landmarks, names.score, names.heat_maps, names.world)
        part = runtime.part([model.output(name) for name in wanted], model.get_parameters())
        self._network = runtime.compile(part, _PICTURE)
        self.picture = self._network.picture

    def run(self) -> None:
        self._network.run()

    def output(self, name: str) -> NDArray[np.float32]:
        return self._network.outputs[name]


class _Quick:
    """The body quickly, the heads exactly.

    With the heads in bf16 the world landmarks are off by 9 cm: they cancel
    large terms.
    """

    _CUT = "cut"

    def __init__(
        self, runtime: Runtime, model: Any, names: _Outputs, into: NDArray[np.uint8]
    ) -> None:
        model = model.clone()
        heads = [model.output(name) for name in (names.landmarks, names.score, names.world)]
        places = [place for place in narrow_places(model, heads) if _is_cut_map(place)]
        if not places:
            raise AnalyzerUnavailable("this landmark network has no place to cut it at")
        cut = places[-1]
        entry = runtime.parameter_like(cut)
        for reader in cut.get_target_inputs():
            reader.replace_source_output(entry.output(0))
        tail = runtime.part(heads, [entry])
        cut.get_tensor().set_names({self._CUT})
        body = runtime.part([model.output(names.heat_maps), cut], model.get_parameters())
        self._heat_maps = names.heat_maps
        self._body = runtime.compile_quick(body, _PICTURE, into)
        self._tail = runtime.compile_after(self._body, self._CUT, tail)

    def run(self) -> None:
        self._body.run()
        self._tail.run()

    def output(self, name: str) -> NDArray[np.float32]:
        network = self._body if name == self._heat_maps else self._tail
        return network.outputs[name]


class LandmarkNetwork:
    """Finds the landmarks of the person in a region.

    Parameters
    ----------
    runtime
        What computes it, and in which precision.
    model
        The network, as the runtime read it: lite, full or heavy.

    Attributes
    ----------
    is_quick : bool
        Whether the quick network looks first.

    Raises
    ------
    ValueError
        When the network is no pose landmark network.
    """

    def __init__(self, runtime: Runtime, model: Any) -> None:
        self._names = _Outputs.of(model)
        exact = _Exact(runtime, model, self._names)
        self._exact: _Variant = exact
        self._used: _Variant = exact
        self._picture = exact.picture[0]
        self._quick: _Variant | None = None
        if runtime.has_quick:
            self._quick = self._make_quick(runtime, model, exact)
        self.is_quick = self._quick is not None

    def _make_quick(self, runtime: Runtime, model: Any, exact: _Exact) -> _Quick | None:
        try:
            quick = _Quick(runtime, model, self._names, exact.picture)
        except AnalyzerUnavailable as error:
            if not runtime.quick_must_prove_itself:
                raise
            logger.warning("pose is computed in f32: %s", error)
            return None
        if runtime.quick_must_prove_itself and not faster(quick.run, exact.run):
            logger.info("pose is computed in f32, which is as fast as bf16 here")
            return None
        return quick

    def heat_maps(self) -> NDArray[np.float32]:
        """Return where the network saw each point in its last region: (64, 64, 39), logits."""
        heat_maps: NDArray[np.float32] = self._used.output(self._names.heat_maps)[0]
        return heat_maps

    def look(
        self, rgb: NDArray[np.uint8], region: Region, focus: NDArray[np.float64] | None = None
    ) -> LandmarkResult:
        """Find the landmarks of the person in a region.

        Parameters
        ----------
        rgb : ndarray, shape (H, W, 3), uint8
            The frame.
        region
            Where the person is.
        focus : ndarray, shape (N, 2), optional
            Points of the frame around which the person is, when others are
            beside: what is away from them is blurred.
        """
        region.cut(rgb, self._picture, repeat_edge=True)
        if focus is not None:
            self._blur_around(region.from_frame(focus))
        network = self._quick or self._exact
        network.run()
        if network is self._quick and _DOUBTFUL[0] < self._score(network) < _DOUBTFUL[1]:
            network = self._exact
            network.run()
        self._used = network
        points = network.output(self._names.landmarks).reshape(_POINTS, _VALUES).astype(float)
        # As in MediaPipe, what says where to look next is refined too.
        refined = refine(
            points[: _EDGE + 1, :2] / _SIDE_PX, network.output(self._names.heat_maps)[0]
        )
        xy = region.to_frame(refined)
        landmarks = np.empty((LANDMARKS, 4))
        landmarks[:, :2] = xy[:LANDMARKS]
        landmarks[:, 2] = points[:LANDMARKS, 2] * (region.size / _SIDE_PX)
        landmarks[:, 3] = 1.0 / (1.0 + np.exp(-points[:LANDMARKS, 3].clip(-80, 80)))
        world = network.output(self._names.world).reshape(_POINTS, 3)[:LANDMARKS].astype(float)
        world[:, :2] = world[:, :2] @ region.rotation()
        return LandmarkResult(
            score=self._score(network),
            landmarks=landmarks,
            world_landmarks=world,
            region=Region.around(xy[_MIDDLE], xy[_EDGE]),
        )

    def _blur_around(self, focus: NDArray[np.float64]) -> None:
        low, high = focus.min(axis=0), focus.max(axis=0)
        margin = _FOCUS_MARGIN * (high - low).max()
        edges = (np.array([low - margin, high + margin]) * _SIDE_PX).round().clip(0, _SIDE_PX)
        (x0, y0), (x1, y1) = edges.astype(int)
        sharp = self._picture[y0:y1, x0:x1].copy()
        cv2.blur(self._picture, _BLUR_PX, dst=self._picture)
        self._picture[y0:y1, x0:x1] = sharp

    def _score(self, network: _Variant) -> float:
        return float(network.output(self._names.score).flat[0])


def _is_cut_map(place: Any) -> bool:
    return list(place.shape)[2:] == _CUT_MAP
