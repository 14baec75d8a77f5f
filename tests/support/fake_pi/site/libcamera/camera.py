"""The camera."""

import threading
import time
from types import SimpleNamespace

from libcamera import controls, faults, scene
from libcamera.buffers import FrameMetadata
from libcamera.configuration import CameraConfiguration
from libcamera.controls import ControlId, ControlInfo
from libcamera.geometry import Rectangle, Size
from libcamera.request import Request

_WHOLE = Rectangle(0, 0, 4608, 2592)
_SHORTEST_US, _LONGEST_US, _USUAL_US = 8333, 120_000_000, 33_333
_LENS = {
    controls.AfMode: ControlInfo(0, 2, 0),
    controls.AfRange: ControlInfo(0, 2, 0),
    controls.AfSpeed: ControlInfo(0, 1, 0),
    controls.AfTrigger: ControlInfo(0, 1, 0),
}
# From the sensor's time stamp to a picture that is ready.
_READ_OUT_S = 0.010


class Camera:
    """One that is plugged in.

    Parameters
    ----------
    completions
        Gets each request that is done with.
    """

    def __init__(self, completions):
        self.id = "/base/soc/i2c0mux/i2c@1/imx708@1a"
        self.properties = {
            ControlId("Model"): "imx708",
            ControlId("Location"): 2,
            ControlId("Rotation"): 180,
            ControlId("ColorFilterArrangement"): 3,
            ControlId("PixelArraySize"): Size(4608, 2592),
        }
        self.controls = {
            controls.AeEnable: ControlInfo(False, True, True),
            **(_LENS if faults.get(faults.FIXED_FOCUS) is None else {}),
            controls.AnalogueGain: ControlInfo(1.0, 16.0, 1.0),
            controls.ExposureTime: ControlInfo(26, 112_015_443, 20_000),
            controls.FrameDurationLimits: ControlInfo(_SHORTEST_US, _LONGEST_US, _USUAL_US),
            controls.NoiseReductionMode: ControlInfo(0, 4, 0),
            controls.ScalerCrop: ControlInfo(Rectangle(0, 0, 64, 64), _WHOLE, _WHOLE),
        }
        self.asked = {}
        """By the name of a control: what it was last set to."""
        self.lost = 0
        """Pictures for which there was no buffer."""
        self._completions = completions
        self._acquired = False
        self._waiting = []
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._thread = None
        self._duration_us = _USUAL_US

    def acquire(self):
        if self._acquired:
            raise RuntimeError("Failed to acquire camera: Device or resource busy")
        self._acquired = True

    def release(self):
        if self._thread is not None:
            raise RuntimeError("Failed to release camera: Device or resource busy")
        self._acquired = False

    def generate_configuration(self, roles):
        return CameraConfiguration(roles)

    def configure(self, configuration):
        for stream_configuration in configuration:
            stream_configuration.stream.configuration = stream_configuration
        return 0

    def create_request(self, cookie=0):
        return Request(cookie)

    def queue_request(self, request):
        if self._thread is None:
            raise RuntimeError("Failed to queue request: Permission denied")
        with self._lock:
            self._waiting.append(request)

    def start(self, wanted=None):
        if faults.get(faults.UNPLUGGED) is not None:
            raise RuntimeError("Failed to start camera: Input/output error")
        self._set(wanted or {})
        self._stopping.clear()
        self._thread = threading.Thread(target=self._run, name="fake sensor", daemon=True)
        self._thread.start()

    def stop(self):
        self._stopping.set()
        self._thread.join()
        self._thread = None
        with self._lock:
            cancelled, self._waiting = self._waiting, []
        for request in cancelled:
            request.status = Request.Status.Cancelled
            self._completions.add(request)

    def _set(self, wanted):
        self.asked.update((control.name, value) for control, value in wanted.items())
        if controls.FrameDurationLimits in wanted:
            shortest_us = int(wanted[controls.FrameDurationLimits][0])
            self._duration_us = min(max(shortest_us, _SHORTEST_US), _LONGEST_US)

    def _run(self):
        number = 0
        exposed_ns = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
        while True:
            # A sensor's clock is even; whoever is told of its pictures may be late.
            exposed_ns += self._duration_us * 1000
            ready_ns = exposed_ns + int(_READ_OUT_S * 1e9)
            left_s = (ready_ns - time.clock_gettime_ns(time.CLOCK_BOOTTIME)) / 1e9
            if self._stopping.wait(max(left_s, 0.0)):
                return
            number += 1
            if faults.get(faults.UNPLUGGED) is not None:
                continue
            with self._lock:
                request = self._waiting.pop(0) if self._waiting else None
            if request is None:
                self.lost += 1
                continue
            self._take(request, number, exposed_ns)

    def _take(self, request, number, exposed_ns):
        self._set(request.controls)
        for stream, buffer in request.buffers.items():
            made = stream.configuration
            if not made.is_raw:
                scene.draw(
                    buffer.memory,
                    str(made.pixel_format),
                    made.size.width,
                    made.size.height,
                    made.stride,
                    number,
                )
            buffer.metadata.status = FrameMetadata.Status.Success
            buffer.metadata.sequence, buffer.metadata.timestamp = number, exposed_ns
            buffer.metadata.planes = [SimpleNamespace(bytes_used=p.length) for p in buffer.planes]
        request.metadata = {
            controls.SensorTimestamp: exposed_ns,
            controls.FrameWallClock: time.time_ns(),
            controls.FrameDuration: self._duration_us,
            controls.ExposureTime: 20_000,
            controls.AnalogueGain: 1.0,
            controls.Lux: 300.0,
            controls.ColourTemperature: 4200,
            controls.ScalerCrop: _WHOLE,
        }
        request.status = Request.Status.Complete
        self._completions.add(request)
