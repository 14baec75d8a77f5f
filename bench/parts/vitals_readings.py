"""What was read of each frame of a clip, kept in files.

To draw a clip, encode it and read its face takes half a minute; what is made of the readings takes
a part of a second. With readings kept, a run that was broken off goes on where it was, and another
way of making something of them is measured in a minute.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from analyzers.networks.runtime import Runtime
from analyzers.pose.on_openvino.region import Region
from analyzers.vitals import weights
from analyzers.vitals.face_detector import FaceDetector
from analyzers.vitals.face_mesh import FaceMesh
from analyzers.vitals.face_tracker import Reading
from analyzers.vitals.history import Moment
from analyzers.vitals.people import People
from analyzers.vitals.pulse import PersonPulse, Told
from analyzers.vitals.reasons import Reason
from bench.parts.vitals_scene import Shown

_NOBODY = Told(None, 0.0, Reason.NO_FACE)


@dataclass(frozen=True, slots=True)
class Read:
    """One frame: when, what the heart does then, and what was read; None where no face was."""

    time_s: float
    bpm: float
    moment: Moment | None


@dataclass(slots=True)
class _Kept:
    """Takes a person's moments in place of measuring them."""

    last: Moment | None = None

    def see(self, moment: Moment) -> Told:
        self.last = moment
        return _NOBODY

    def nobody(self) -> Told:
        self.last = None
        return _NOBODY


class Reader:
    """Reads faces as the analyzer does, and measures nothing."""

    def __init__(self) -> None:
        runtime, networks = Runtime(), weights.load()
        self._detector = FaceDetector(runtime, runtime.read(networks.detector))
        self._mesh = FaceMesh(runtime, runtime.read(networks.mesh))

    def read(self, shown: Iterable[Shown]) -> Iterator[Read]:
        """Read a clip with one person, or nobody, in it."""
        kept = _Kept()
        people = People(self._detector, self._mesh, lambda: kept)
        for one in shown:
            kept.last = None
            people.by_detector(one.rgb, one.time_s, 1)
            yield Read(one.time_s, one.bpm, kept.last)


def readings(clip: Callable[[], Iterable[Shown]], reader: Reader, kept: Path | None) -> list[Read]:
    """Return those of a clip, from the file if it is there; or make it, and keep them there."""
    if kept is not None and kept.is_file():
        return load(kept)
    read = list(reader.read(clip()))
    if kept is not None:
        save(read, kept)
    return read


def told(read: Iterable[Read]) -> Iterator[tuple[Read, Told]]:
    """Measure the person of a clip."""
    person = PersonPulse()
    for one in read:
        yield one, person.nobody() if one.moment is None else person.see(one.moment)


def save(read: list[Read], path: Path) -> None:
    """Write readings into a file of numpy's."""
    seen = [each.moment for each in read if each.moment is not None]
    most = max((len(each.reading.colors) for each in seen), default=0)
    # Places of skin may be fewer after another look; those that are not there are NaN.
    colors = np.full((len(seen), most, 3), np.nan)
    for row, each in zip(colors, seen, strict=True):
        row[: len(each.reading.colors)] = each.reading.colors
    regions = [each.reading.region for each in seen]
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part.npz")
    np.savez_compressed(
        part,
        time_s=[each.time_s for each in read],
        bpm=[each.bpm for each in read],
        there=[each.moment is not None for each in read],
        colors=colors,
        place=np.array([each.reading.place for each in seen]).reshape(-1, 4),
        width_px=[each.reading.width_px for each in seen],
        clipped=[each.reading.clipped for each in seen],
        anchor=np.array([each.reading.anchor for each in seen], int),
        region=np.array([(r.x, r.y, r.size, r.angle) for r in regions]).reshape(-1, 4),
        turned=[each.reading.turned for each in seen],
        behind=np.array([each.behind for each in seen]).reshape(-1, 3),
        chest=[each.chest for each in seen],
    )
    # Whole or not at all.
    part.replace(path)


def load(path: Path) -> list[Read]:
    """Read what `save` wrote."""
    with np.load(path) as file:
        kept = {name: file[name] for name in file.files}
    read, at = [], 0
    for time_s, bpm, there in zip(
        kept["time_s"].tolist(), kept["bpm"].tolist(), kept["there"].tolist(), strict=True
    ):
        moment = None
        if there:
            moment = _moment(kept, at, time_s)
            at += 1
        read.append(Read(time_s, bpm, moment))
    return read


def _moment(kept: dict[str, np.ndarray], at: int, time_s: float) -> Moment:
    colors = kept["colors"][at]
    reading = Reading(
        colors=colors[~np.isnan(colors).any(axis=1)],
        place=kept["place"][at],
        width_px=float(kept["width_px"][at]),
        clipped=float(kept["clipped"][at]),
        anchor=int(kept["anchor"][at]),
        region=Region(*kept["region"][at].tolist()),
        turned=float(kept["turned"][at]),
    )
    return Moment(time_s, reading, kept["behind"][at], float(kept["chest"][at]))
