"""Frames of every kind become I420 of the same picture, on several threads at once."""

import subprocess
import sys

import av
import cv2
import numpy as np
import pytest
from av.video.reformatter import ColorRange

from server.media.convert import as_i420

GREYS = (16, 40, 128, 200, 240)


def bars():
    """Grey bars, (96, 160, 3) uint8 RGB."""
    rgb = np.empty((96, 160, 3), np.uint8)
    for index, grey in enumerate(GREYS):
        rgb[:, 32 * index : 32 * (index + 1)] = grey
    return rgb


def from_jpeg():
    """As a camera that gives JPEGs has them: full range."""
    _, data = cv2.imencode(".jpg", bars(), [cv2.IMWRITE_JPEG_QUALITY, 95])
    decoder = av.CodecContext.create("mjpeg", "r")
    (frame,) = decoder.decode(av.Packet(data.tobytes())) or decoder.decode(None)
    assert frame.color_range == ColorRange.JPEG
    return frame


FRAMES = {
    "rgb24": lambda: av.VideoFrame.from_ndarray(bars(), format="rgb24"),
    "nv12": lambda: av.VideoFrame.from_ndarray(bars(), format="rgb24").reformat(format="nv12"),
    "I420": lambda: av.VideoFrame.from_ndarray(bars(), format="rgb24").reformat(format="yuv420p"),
    "JPEG": from_jpeg,
}


@pytest.mark.parametrize("kind", FRAMES)
@pytest.mark.parametrize("size", [(160, 96), (80, 48)])
def test_the_levels_are_those_of_video(kind, size):
    frame = as_i420(FRAMES[kind](), *size)
    assert (frame.format.name, frame.width, frame.height) == ("yuv420p", *size)
    # As the workers read it: without asking for its range.
    rgb = cv2.cvtColor(frame.to_ndarray(), cv2.COLOR_YUV2RGB_I420)
    middles = rgb[size[1] // 2, [round((i + 0.5) * size[0] / len(GREYS)) for i in range(5)]]
    assert middles.mean(axis=1) == pytest.approx(GREYS, abs=3)


def test_what_fits_is_left_as_it_is():
    frame = FRAMES["I420"]()
    assert as_i420(frame) is frame


# In a process of its own: with a converter that is shared it crashes, or hangs.
MANY_THREADS = """
import threading, av, numpy as np
from server.media.convert import convert

frame = av.VideoFrame.from_ndarray(np.full((864, 1536, 3), 200, np.uint8), format="rgb24")
wrong = []

def work(pixel_format, *size):
    for _ in range(60):
        made = convert(frame, pixel_format, *size)
        if (made.width, made.height) != size or not made.to_ndarray().any():
            wrong.append(size)

sizes = (("yuv420p", 1536, 864), ("yuv420p", 640, 360), ("bgr24", 320, 180), ("bgr24", 960, 540))
threads = [threading.Thread(target=work, args=size) for size in sizes]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print("wrong:", wrong)
"""


def test_one_frame_on_several_threads():
    done = subprocess.run(
        [sys.executable, "-c", MANY_THREADS], capture_output=True, text=True, timeout=100
    )
    assert (done.returncode, done.stdout) == (0, "wrong: []\n"), done.stderr
