"""A Raspberry Pi's camera: picamera2's own code, on a double of libcamera."""

import asyncio
import logging
import re
import threading

import numpy as np
import pytest

from server.broadcast.broadcast import Broadcast
from server.camera.camera import Camera, CameraState
from server.camera.source import CameraError, CameraUnavailable, Focus, Mode
from server.camera.timeouts import CameraTimeouts
from server.media.encoder import Codec
from tests.support import fake_pi
from tests.support.fake_pi import on_fake_pi
from tests.support.viewing import next_packet

pytestmark = on_fake_pi

FPS = 50
MODE = Mode(320, 180, FPS)
# As far as a test goes that breaks the camera on purpose.
IMPATIENT = CameraTimeouts(
    opens_s=5.0, silent_s=0.5, stops_s=5.0, first_pause_s=0.02, longest_pause_s=0.05
)


@pytest.fixture
def picamera(pi):
    """The module; it can be imported where the double is in its place."""
    from server.camera import picamera

    return picamera


@pytest.fixture
def opened(picamera):
    """Opens a camera in some mode."""
    sources = []

    def make(mode=MODE):
        sources.append(picamera.PiCamera(mode))
        sources[-1].open()
        return sources[-1]

    yield make
    for source in sources:
        source.close()
        source.release()


def grey(frame):
    """Its luma, and its colours as far from grey as they go."""
    planes = [
        np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)[:, : plane.width]
        for plane in frame.reformat(format="yuv420p").planes
    ]
    return planes[0], max(np.abs(plane.astype(int) - 128).max() for plane in planes[1:])


# 1536 columns fill their rows. The others' rows are padded, and heights that are no multiple of
# four are ones that PyAV's own conversion gets wrong.
@pytest.mark.parametrize("size", [(1536, 864), (1540, 866), (642, 362), (100, 70)])
def test_pictures_are_whole_whatever_their_rows_are_padded_to(opened, size):
    from libcamera import scene

    width, height = size
    source = opened(Mode(width, height, FPS))
    capture = source.read()
    stride = source._camera.camera_configuration()["main"]["stride"]
    assert stride > width or width == 1536
    luma, colour = grey(capture.frame)
    assert luma.shape == (height, width)
    assert luma[0, 0] == scene.DARKEST
    assert (luma[:, -scene.EDGE_COLUMNS :] == scene.EDGE).all(), "the right edge"
    assert (luma[0, : -scene.EDGE_COLUMNS] < scene.EDGE).all()
    assert colour == 0


def test_analyzers_get_a_small_picture_of_the_same_shape(opened):
    capture = opened(Mode(1536, 864, FPS)).read()
    assert (capture.small.width, capture.small.height) == (640, 360)
    assert capture.small.format.name == "yuv420p"
    # Both are of one moment: the square that moves is at the same place.
    left = [
        (grey(frame)[0][frame.height // 2 + 2] == 220).argmax() / frame.width
        for frame in (capture.frame, capture.small)
    ]
    assert left[0] == pytest.approx(left[1] * 640 / 1536, abs=0.01)


def test_times_are_those_of_the_sensor(opened):
    source = opened()
    times = [source.read().captured_s for _ in range(20)]
    periods = np.diff(times) * FPS
    # The sensor's clock is even, however late each picture is fetched; some may be missed.
    assert periods == pytest.approx(np.round(periods), abs=1e-3)
    assert (periods > 0.5).all()


@pytest.mark.parametrize("given", ["BGR888", "RGB888", "XBGR8888", "XRGB8888", "YUYV"])
def test_a_format_that_is_replaced_without_a_word(pi, opened, given):
    from libcamera import scene

    pi.set("format", given)
    frame = opened(Mode(100, 70, FPS)).read().frame
    assert (frame.width, frame.height) == (100, 70)
    rgb = frame.to_ndarray(format="rgb24").astype(int)
    assert rgb[0, 0, 1] == pytest.approx(scene.DARKEST, abs=20)
    assert rgb[0, -2, 0] == pytest.approx(scene.EDGE, abs=25)
    if given != "YUYV":
        # The double draws with more blue.
        assert rgb[0, 0, 2] == 250


def test_a_format_that_is_not_known(pi, picamera):
    pi.set("format", "YVU420")
    source = picamera.PiCamera(MODE)
    with pytest.raises(CameraUnavailable, match="YVU420"):
        source.open()
    source.release()


@pytest.mark.parametrize(
    ("fault", "told"), [("unplugged", "Input/output error"), ("absent", "No camera number 0")]
)
def test_without_a_camera_it_says_what_is_wrong_and_lets_go_of_all(pi, picamera, fault, told):
    for _ in range(3):
        source = picamera.PiCamera(MODE)
        pi.set(fault)
        with pytest.raises(CameraError, match=told):
            source.open()
        source.release()
        # A camera that somebody still had could not be opened.
        pi.clear(fault)
        source = picamera.PiCamera(MODE)
        source.open()
        assert source.read().frame.width == 320
        source.release()


def read_on(source):
    while True:
        source.read()


def test_closing_ends_a_read_that_waits(pi, opened):
    source = opened()
    source.read()
    pi.set("unplugged")
    threading.Timer(0.1, source.close).start()
    with pytest.raises(CameraError, match="closed"):
        read_on(source)
    with pytest.raises(CameraError, match="closed"):
        source.read()


class Shared:
    """A camera that is shared, and someone who watches it all the time."""

    def __init__(self, picamera):
        self.sources = []

        def make():
            self.sources.append(picamera.PiCamera(MODE))
            return self.sources[-1]

        self.camera = Camera(make, timeouts=IMPATIENT)
        self.broadcast = Broadcast(self.camera)
        self.viewer = self.broadcast.watch(Codec.VP8)

    @property
    def picamera2(self):
        """The object of picamera2's that runs now."""
        return self.sources[-1]._camera

    async def sees(self, count):
        """Wait until the viewer has got more packets."""
        async with asyncio.timeout(60):
            return [await next_packet(self.viewer) for _ in range(count)]

    async def until(self, condition):
        async with asyncio.timeout(60):
            while not condition():
                await asyncio.sleep(0.01)

    async def restarted(self):
        """Wait until it runs again, and the viewer, who never left, sees it."""
        starts = self.camera.starts
        await self.until(lambda: self.camera.starts > starts)
        await self.until(lambda: self.camera.state is CameraState.RUNNING)
        await self.sees(5)
        assert self.camera.error is None


@pytest.fixture
async def shared(picamera):
    made = Shared(picamera)
    await made.sees(5)
    yield made
    made.broadcast.close()
    await made.camera.stop()


async def test_without_free_buffers_it_is_started_again(shared):
    held = []

    def hold():
        while True:
            held.append(shared.picamera2.capture_request(wait=0.2))

    # Somebody takes pictures and never gives them back, until there are none to take.
    with pytest.raises(TimeoutError):
        await asyncio.to_thread(hold)
    await shared.restarted()
    assert len(shared.sources) == 2
    for request in held:
        request.release()
    await shared.sees(5)
    assert len(shared.sources) == 2


class Raises:
    """An encoder of picamera2's that fails, as a driver's can."""

    def __new__(cls):
        from picamera2.encoders import Encoder

        class Broken(Encoder):
            def _encode(self, stream, request):
                raise OSError("the device is gone")

        return Broken()


# What an encoder raises ends picamera2's own thread, which these tests wait for.
ends_a_thread = pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")


@ends_a_thread
async def test_when_an_encoder_ends_picamera2s_thread_it_is_started_again(shared):
    from picamera2.outputs import Output

    thread = shared.picamera2._preview.thread
    shared.picamera2.start_encoder(Raises(), Output())
    await shared.until(lambda: not thread.is_alive())
    await shared.restarted()


@ends_a_thread
async def test_forcing_a_key_frame_with_picamera2_ends_its_thread(shared):
    """Why our own use of its encoder is another one; see test_pi_encoder.py."""
    from picamera2.encoders import LibavH264Encoder
    from picamera2.outputs import Output

    thread = shared.picamera2._preview.thread
    encoder = LibavH264Encoder(bitrate=1_000_000)
    shared.picamera2.start_encoder(encoder, Output())
    encoder.force_key_frame()
    await shared.until(lambda: not thread.is_alive())
    await shared.restarted()


@ends_a_thread
@pytest.mark.parametrize("whose", ["ours", "picamera2's", "libcamera's events"])
async def test_when_a_thread_is_killed_it_is_started_again(shared, whose):
    if whose == "ours":
        thread = next(t for t in threading.enumerate() if t.name == "camera picamera2")
    elif whose == "picamera2's":
        thread = shared.picamera2._preview.thread
    else:
        thread = shared.picamera2._cm.thread
    fake_pi.kill(thread)
    await shared.until(lambda: not thread.is_alive())
    await shared.restarted()


@pytest.mark.parametrize("fault", ["unplugged", "absent"])
async def test_unplugged_it_is_tried_with_growing_pauses_and_comes_back(pi, shared, caplog, fault):
    caplog.set_level(logging.WARNING)
    pi.set("unplugged")
    pi.set(fault)
    await shared.until(lambda: shared.camera.starts >= 5)
    await shared.until(lambda: shared.camera.state is CameraState.FAILED)
    assert re.search("Input/output error|No camera number", shared.camera.status()["error"])
    for name in {"unplugged", fault}:
        pi.clear(name)
    await shared.restarted()
    pauses = [float(s) for s in re.findall(r"again in ([\d.]+) s", caplog.text)]
    assert pauses[:4] == [0.02, 0.04, 0.05, 0.05]


@pytest.mark.parametrize(
    ("focus", "asked"),
    [
        (Focus(), {}),
        (Focus("continuous", "macro", "fast"), {"AfMode": 2, "AfRange": 1, "AfSpeed": 1}),
        (Focus("auto"), {"AfMode": 1, "AfTrigger": 0}),
        (Focus("manual", speed="normal"), {"AfMode": 0, "AfSpeed": 0}),
    ],
)
def test_the_lens_is_told_what_was_asked(opened, focus, asked, caplog):
    source = opened(Mode(320, 180, FPS, focus))
    source.read()
    told = source._camera.camera.asked
    assert {name: value for name, value in told.items() if name.startswith("Af")} == asked
    assert "focus" not in caplog.text


def test_a_lens_that_can_not_be_moved_is_said_and_costs_no_picture(pi, opened, caplog):
    pi.set("fixed_focus")
    assert opened(Mode(320, 180, FPS, Focus("continuous"))).read().frame.width == 320
    assert "fixed focus" in caplog.text
