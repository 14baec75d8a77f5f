"""Draw what the pose engine does with a frame, stage by stage: docs/pose-stages.jpg.

.venv/bin/python tools/draw_pose_stages.py
"""

import math
from pathlib import Path

import av
import cv2
import numpy as np

from analyzers.networks.runtime import Runtime
from analyzers.pose import weights
from analyzers.pose.landmarks import CONNECTIONS
from analyzers.pose.on_openvino.detector import PoseDetector
from analyzers.pose.on_openvino.landmark_network import LandmarkNetwork
from analyzers.pose.on_openvino.region import Region

ROOT = Path(__file__).resolve().parent.parent
CLIP = ROOT / "sample-video.mp4"
PICTURE = ROOT / "docs" / "pose-stages.jpg"
# Deep in a squat.
FRAME = 33
PANEL_PX = 512
GAP_PX = 12
QUALITY = (cv2.IMWRITE_JPEG_QUALITY, 88)
FONT = cv2.FONT_HERSHEY_DUPLEX

ORANGE, BLUE, WHITE, GREEN = (255, 150, 60), (70, 170, 255), (245, 245, 245), (90, 220, 120)
BACKGROUND = (24, 26, 30)

Image = np.ndarray


def main() -> None:
    frame = read_frame()
    runtime = Runtime()
    networks = weights.load(None)
    detector = PoseDetector(runtime, runtime.read(networks.detector), quick=False)
    network = LandmarkNetwork(runtime, runtime.read(networks.landmarks))
    (found,) = detector.find(frame)
    sight = network.look(frame, found)
    view = np.empty((PANEL_PX, PANEL_PX, 3), np.uint8)
    found.cut(frame, view, repeat_edge=True)
    panels = [
        captioned(fit(draw_detection(frame, found)), "1  detector: hips, circle, region"),
        captioned(draw_heat(view, network.heat_maps()), "2  the region, turned upright; heat maps"),
        captioned(draw_landmarks(view, sight.landmarks, found), "3  landmarks, refined"),
        captioned(
            fit(draw_result(frame, sight.landmarks, sight.region)), "4  in the frame; next region"
        ),
    ]
    gap = np.full((panels[0].shape[0], GAP_PX, 3), BACKGROUND, np.uint8)
    rows = [np.hstack([panels[left], gap, panels[left + 1]]) for left in (0, 2)]
    cv2.imwrite(str(PICTURE), cv2.cvtColor(np.vstack(rows), cv2.COLOR_RGB2BGR), QUALITY)
    print(PICTURE.relative_to(ROOT))


def read_frame() -> Image:
    with av.open(str(CLIP)) as container:
        for number, frame in enumerate(container.decode(video=0)):
            if number == FRAME:
                return frame.to_ndarray(format="rgb24")
    raise SystemExit(f"{CLIP} has no frame {FRAME}")


def corners(region: Region) -> np.ndarray:
    return region.to_frame(np.array([(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)]))


def draw_square(image: Image, region: Region, color: tuple[int, int, int]) -> None:
    cv2.polylines(image, [corners(region).round().astype(int)], True, color, 2, cv2.LINE_AA)


def draw_detection(frame: Image, region: Region) -> Image:
    image = frame.copy()
    middle = np.array((region.x, region.y))
    radius = region.size / 2.5
    edge = middle + radius * np.array((math.sin(region.angle), -math.cos(region.angle)))
    cv2.circle(image, point(middle), round(radius), BLUE, 2, cv2.LINE_AA)
    cv2.arrowedLine(image, point(middle), point(edge), BLUE, 2, cv2.LINE_AA, tipLength=0.05)
    cv2.circle(image, point(middle), 5, ORANGE, -1, cv2.LINE_AA)
    draw_square(image, region, ORANGE)
    return image


def draw_heat(view: Image, heat_maps: np.ndarray) -> Image:
    heat = 1 / (1 + np.exp(-heat_maps[..., :33].max(axis=-1).clip(-80, 80)))
    heat = cv2.resize(heat, view.shape[1::-1], interpolation=cv2.INTER_CUBIC).clip(0, 1)
    colors = cv2.cvtColor(
        cv2.applyColorMap((heat * 255).astype(np.uint8), cv2.COLORMAP_INFERNO), cv2.COLOR_BGR2RGB
    )
    share = (0.25 + 0.75 * heat)[..., None]
    return (view * (1 - share) + colors * share).astype(np.uint8)


def draw_landmarks(view: Image, landmarks: np.ndarray, region: Region) -> Image:
    image = view.copy()
    turned = (landmarks[:, :2] - (region.x, region.y)) / region.size @ region.rotation().T + 0.5
    draw_skeleton(image, turned * len(view))
    return image


def draw_result(frame: Image, landmarks: np.ndarray, region: Region) -> Image:
    image = frame.copy()
    draw_skeleton(image, landmarks[:, :2])
    draw_square(image, region, GREEN)
    return image


def draw_skeleton(image: Image, points: np.ndarray) -> None:
    for a, b in CONNECTIONS:
        cv2.line(image, point(points[a]), point(points[b]), WHITE, 2, cv2.LINE_AA)
    for index, where in enumerate(points):
        color = ORANGE if index % 2 else BLUE
        cv2.circle(image, point(where), 4, color, -1, cv2.LINE_AA)


def point(where: np.ndarray) -> tuple[int, int]:
    return round(float(where[0])), round(float(where[1]))


def fit(image: Image) -> Image:
    scale = PANEL_PX / image.shape[0]
    return cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)


def captioned(image: Image, text: str) -> Image:
    band = np.full((44, image.shape[1], 3), BACKGROUND, np.uint8)
    cv2.putText(band, text, (8, 30), FONT, 0.68, WHITE, 1, cv2.LINE_AA)
    return np.vstack([image, band])


if __name__ == "__main__":
    main()
