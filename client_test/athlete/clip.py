"""A clip: shots of people exercising, its ground truth, and the two files that hold them."""

import contextlib
import functools
import json
import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from .geometry import ease
from .performance import Moment, Performance
from .scene import Picture, Viewpoint, take_picture
from .skeleton import LANDMARK_NAMES

# x264's constant rate factor: no artefacts that a pose network would stumble over.
_CRF = 21
_KEYFRAME_INTERVAL_S = 2

_UNITS = {
    "timestamp_ms": "milliseconds since the first frame",
    "start_ms, turn_ms, end_ms": "milliseconds since the first frame; turn is the lowest point of "
    "a squat, the highest of a curl",
    "joints_m": "x, y, z in metres, one triple per landmark name; x to the right, y up from the "
    "floor, z towards the first camera's side of the room",
    "joints_px": "x to the right and y downwards in pixels, from the picture's top left corner",
    "position_m, target_m": "metres: where the camera is and what it looks at; it is never tilted "
    "sideways",
    "vertical_fov_deg": "degrees between the picture's top and bottom; no lens distortion",
}


@dataclass(frozen=True, slots=True)
class View:
    """Where a camera stands, in metres, and its angle from the picture's top to its bottom."""

    position: tuple[float, float, float]
    target: tuple[float, float, float]
    vertical_fov_deg: float = 40.0


@dataclass(frozen=True, slots=True)
class Shot:
    """People exercising, filmed from a view that may move to another one meanwhile."""

    performances: tuple[Performance, ...]
    view: View
    view_at_end: View | None = None

    @property
    def duration_s(self) -> float:
        return max(p.duration_s for p in self.performances)

    def camera(self, time_s: float, width: int, height: int) -> Viewpoint:
        end = self.view_at_end or self.view
        fraction = ease(time_s / self.duration_s)

        def between(a: tuple[float, ...], b: tuple[float, ...]) -> tuple[float, float, float]:
            x, y, z = ((1.0 - fraction) * p + fraction * q for p, q in zip(a, b, strict=True))
            return x, y, z

        return Viewpoint(
            between(self.view.position, end.position),
            between(self.view.target, end.target),
            self.view.vertical_fov_deg,
            width,
            height,
        )


@dataclass(frozen=True, slots=True)
class Clip:
    """Shots one after the other.

    Attributes
    ----------
    width, height, fps
        Of the video. Another size keeps what is seen from top to bottom.
    """

    name: str
    description: str
    shots: tuple[Shot, ...]
    width: int = 640
    height: int = 480
    fps: int = 30

    @property
    def frame_count(self) -> int:
        return round(sum(s.duration_s for s in self.shots) * self.fps)

    def resized(self, *, width: int, height: int, fps: int) -> "Clip":
        return replace(self, width=width, height=height, fps=fps)

    def frame(self, number: int) -> "Frame":
        """What is true of one frame, by its number from 0."""
        time_s = number / self.fps
        start_s = 0.0
        for shot in self.shots[:-1]:
            if time_s < start_s + shot.duration_s:
                break
            start_s += shot.duration_s
        else:
            shot = self.shots[-1]
        into_s = time_s - start_s
        moments = tuple(p.at(into_s) for p in shot.performances)
        return Frame(number, time_s, shot, shot.camera(into_s, self.width, self.height), moments)

    def picture(self, number: int) -> Picture:
        """Render one frame."""
        frame = self.frame(number)
        people = [
            (performance.person, moment.skeleton)
            for performance, moment in zip(frame.shot.performances, frame.moments, strict=True)
        ]
        return take_picture(frame.camera, people, noise_seed=number)


@dataclass(frozen=True, slots=True)
class Frame:
    """What is true at one frame of a clip."""

    number: int
    time_s: float
    shot: Shot
    camera: Viewpoint
    moments: tuple[Moment, ...]


def ground_truth(clip: Clip) -> dict[str, Any]:
    """All that is known of a clip, ready for JSON; `meta.units` says how to read it."""
    frames = [_frame_truth(clip.frame(number)) for number in range(clip.frame_count)]
    return {
        "meta": {
            "clip": clip.name,
            "description": clip.description,
            "fps": clip.fps,
            "width": clip.width,
            "height": clip.height,
            "frame_count": clip.frame_count,
            "units": _UNITS,
            "landmark_names": LANDMARK_NAMES,
        },
        "repetitions": _repetitions_truth(clip),
        "frames": frames,
    }


def _frame_truth(frame: Frame) -> dict[str, Any]:
    camera = frame.camera
    people = []
    for moment in frame.moments:
        joints = moment.skeleton.landmarks()
        people.append(
            {
                "exercise": moment.exercise,
                "joints_m": joints.round(4).tolist(),
                "joints_px": camera.project(joints).round(2).tolist(),
            }
        )
    return {
        "number": frame.number,
        "timestamp_ms": round(frame.time_s * 1000.0, 3),
        "camera": {
            "position_m": [round(c, 4) for c in camera.position],
            "target_m": [round(c, 4) for c in camera.target],
            "vertical_fov_deg": camera.vertical_fov_deg,
        },
        "people": people,
    }


def _repetitions_truth(clip: Clip) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    start_s = 0.0
    for shot in clip.shots:
        for index, performance in enumerate(shot.performances):
            found += [
                {
                    "person": index,
                    "exercise": each.exercise,
                    "fault": each.fault,
                    "start_ms": round((start_s + each.start_s) * 1000.0),
                    "turn_ms": round((start_s + each.turn_s) * 1000.0),
                    "end_ms": round((start_s + each.end_s) * 1000.0),
                }
                for each in performance.repetitions()
            ]
        start_s += shot.duration_s
    return found


def pictures(clip: Clip, processes: int) -> Iterator[NDArray[np.uint8]]:
    """Render every frame, (H, W, 3) RGB, in order, in as many processes."""
    numbers = range(clip.frame_count)
    render = functools.partial(_render_frame, clip)
    if processes == 1:
        yield from map(render, numbers)
        return
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        yield from pool.map(render, numbers, chunksize=4)


def _render_frame(clip: Clip, number: int) -> NDArray[np.uint8]:
    return clip.picture(number).rgb


def write_clip(clip: Clip, directory: Path, processes: int) -> Iterator[int]:
    """Write NAME.mp4 and NAME.json to a directory; yields each frame's number once it is done.

    Neither file is there before both are whole.
    """
    video, truth = directory / f"{clip.name}.mp4", directory / f"{clip.name}.json"
    new_video, new_truth = video.with_suffix(".new.mp4"), truth.with_suffix(".new.json")
    try:
        yield from _write_video(clip, new_video, processes)
        new_truth.write_text(_compact_json(ground_truth(clip)))
        os.replace(new_video, video)
        os.replace(new_truth, truth)
    finally:
        for left_over in (new_video, new_truth):
            with contextlib.suppress(FileNotFoundError):
                left_over.unlink()


def _compact_json(truth: dict[str, Any]) -> str:
    """A line for the meta data, for the repetitions and for each frame."""

    def dump(value: Any) -> str:
        return json.dumps(value, separators=(",", ":"))

    frames = ",\n".join(dump(frame) for frame in truth["frames"])
    meta, repetitions = dump(truth["meta"]), dump(truth["repetitions"])
    return f'{{"meta":{meta},\n"repetitions":{repetitions},\n"frames":[\n{frames}\n]}}\n'


def _write_video(clip: Clip, path: Path, processes: int) -> Iterator[int]:
    with av.open(str(path), "w", format="mp4", options={"movflags": "+faststart"}) as container:
        stream = container.add_stream("libx264", rate=clip.fps)
        stream.width, stream.height, stream.pix_fmt = clip.width, clip.height, "yuv420p"
        # One thread: with more, x264's output depends on how they happen to run.
        stream.options = {
            "crf": str(_CRF),
            "preset": "slow",
            "threads": "1",
            "g": str(clip.fps * _KEYFRAME_INTERVAL_S),
        }
        for number, rgb in enumerate(pictures(clip, processes)):
            frame = av.VideoFrame.from_ndarray(rgb, format="rgb24")
            container.mux(stream.encode(frame))
            yield number
        container.mux(stream.encode())
