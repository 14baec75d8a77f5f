"""OpenVINO as Kinecast uses it: one thread, one request at a time, arrays in and out.

A network can be compiled twice: exactly, in f32 on the CPU, and quickly, in
lower precision or on another device. What is quick may be less exact; whoever
uses it decides when to ask the exact one.
"""

from __future__ import annotations

import contextlib
import importlib
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import perf_counter
from types import MappingProxyType
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from analyzers.base_model import AnalyzerUnavailable
from analyzers.networks.compiled_cache import CompiledCache

CPU = "CPU"

_CPU_OPTIONS = {
    # A worker has one core; sessions are what fills the others.
    "INFERENCE_NUM_THREADS": 1,
    "NUM_STREAMS": 1,
    # Pinned, two workers would sit on the same core.
    "ENABLE_CPU_PINNING": False,
}

PRECISIONS = ("auto", "f32", "bf16")
_CONVERTER = "openvino.tools.ovc"


@dataclass(frozen=True, slots=True)
class Picture:
    """How a network wants its picture; it is given RGB bytes, shape (H, W, 3).

    A pixel p (0..255) reaches the network as (p - mean) / std. Both are one
    number for all channels or one for each, in the order of `channels`.
    """

    layout: Literal["NHWC", "NCHW"]
    mean: float | tuple[float, float, float] = 0.0
    std: float | tuple[float, float, float] = 1.0
    channels: Literal["RGB", "BGR"] = "RGB"


class Network:
    """A compiled network with the arrays that it reads and writes.

    Attributes
    ----------
    picture : ndarray, shape (1, H, W, 3), uint8
        Fill it before `run`. Empty for a network that reads another's output.
    outputs : mapping of str to ndarray, float32
        The same arrays after every `run`, overwritten by the next.
    """

    def __init__(self, request: Any, compiled: Any, picture: NDArray[np.uint8]) -> None:
        self._request = request
        self._compiled = compiled
        self.picture = picture
        self.outputs: Mapping[str, NDArray[np.float32]] = MappingProxyType(
            {
                name: request.get_tensor(output).data
                for output in compiled.outputs
                for name in output.names
            }
        )

    def tensor(self, name: str) -> Any:
        """Return an output's tensor, for another network to read in place."""
        return self._request.get_tensor(name)

    def run(self) -> None:
        """Compute the outputs; other Python threads go on meanwhile."""
        self._request.start_async()
        self._request.wait()


class Runtime:
    """A device and a precision.

    Parameters
    ----------
    device : str
        OpenVINO's name for it: CPU, GPU, NPU, AUTO and so on.
    precision : str
        ``f32``, ``bf16``, or ``auto``: on a CPU bf16 if it computes in that
        itself and proves faster, on other devices what suits them.

    Attributes
    ----------
    has_quick : bool
        Whether networks can be compiled quickly.
    quick_must_prove_itself : bool
        Whether the quick one is to be used only where it is faster.

    Raises
    ------
    AnalyzerUnavailable
        When OpenVINO is not installed, or has no such device or precision here.
    ValueError
        When the precision is none of the three.
    """

    def __init__(self, device: str = CPU, precision: str = "auto") -> None:
        if precision not in PRECISIONS:
            raise ValueError(f"the precision is {precision!r}, not one of {', '.join(PRECISIONS)}")
        self._openvino = import_openvino()
        self._core = self._openvino.Core()
        # For devices that hand on to the CPU: AUTO, HETERO and so on.
        self._core.set_property(CPU, _CPU_OPTIONS)
        self._cache = CompiledCache(self._openvino, self._core)
        if device != CPU:
            self._check_device(device)
        self._device = device
        self._precision = precision
        native_bf16 = "BF16" in self._core.get_property(CPU, "OPTIMIZATION_CAPABILITIES")
        if device == CPU and precision == "bf16" and not native_bf16:
            raise AnalyzerUnavailable(
                "this CPU does not compute in bf16: leave --inference-precision at auto"
            )
        self.has_quick = device != CPU or (precision != "f32" and native_bf16)
        self.quick_must_prove_itself = device == CPU and precision == "auto"

    def read(self, source: Path | bytes) -> Any:
        """Read a network: a file of any format OpenVINO knows, or a TFLite one's bytes.

        Raises
        ------
        ValueError
            When it is none.
        """
        try:
            if isinstance(source, Path):
                return self._core.read_model(str(source))
            return self._cache.read_tflite(source)
        except RuntimeError as error:
            what = str(source) if isinstance(source, Path) else "the TFLite network"
            raise ValueError(
                f"OpenVINO can not read {what}: it is damaged, or of another format"
            ) from error

    def set_picture_size(self, model: Any, width: int, height: int, path: Path) -> None:
        """Make the network of a file take one picture of this size.

        Raises
        ------
        ValueError
            When it does not take pictures of three channels, or not this size.
        """
        shapes = [port.get_partial_shape() for port in model.inputs]
        wanted = self._openvino.PartialShape([-1, 3, height, width])
        if len(shapes) == 1 and shapes[0].compatible(wanted):
            try:
                model.reshape([1, 3, height, width])
                return
            except RuntimeError:
                pass
        takes = ", ".join(map(str, shapes))
        raise ValueError(f"{path} takes {takes}, no picture of {width}x{height} in three channels")

    def part(self, outputs: Sequence[Any], inputs: Sequence[Any]) -> Any:
        """Return the part of a network that leads from `inputs` to `outputs`."""
        return self._openvino.Model(list(outputs), list(inputs), "part")

    def parameter_like(self, output: Any) -> Any:
        """Return an input of the shape of a network's inner `output`, to cut the network there."""
        shape = output.get_partial_shape()
        return self._openvino.opset8.parameter(shape, self._openvino.Type.f32)

    def compile(self, model: Any, picture: Picture, *, quick: bool = False) -> Network:
        """Compile a network that looks at a picture, to be exact.

        Parameters
        ----------
        model
            What `read` or `part` returned. It is left as it is.
        picture
            How it wants its picture.
        quick
            Be quick instead; see `compile_quick`.
        """
        if quick:
            return self.compile_quick(model, picture)
        return self._compile(model, picture, CPU, "f32", None)

    def compile_quick(
        self, model: Any, picture: Picture, into: NDArray[np.uint8] | None = None
    ) -> Network:
        """Compile a network that looks at a picture, to be quick.

        Parameters
        ----------
        model
            What `read` or `part` returned. It is left as it is.
        picture
            How it wants its picture.
        into : ndarray, shape (1, H, W, 3), uint8, optional
            An array to read the picture from, shared with another network.

        Raises
        ------
        AnalyzerUnavailable
            When OpenVINO says that it can, and then can not.
        """
        precision = "bf16" if self._device == CPU else self._precision
        try:
            return self._compile(model, picture, self._device, precision, into)
        except RuntimeError as error:
            raise AnalyzerUnavailable(
                f"OpenVINO can not compile for {self._device} in {precision} ({_reason(error)}):"
                " set --inference-device or --inference-precision"
            ) from error

    def compile_after(self, network: Network, output: str, model: Any) -> Network:
        """Compile a network that reads an output of another one in place, to be exact."""
        compiled = self._cache.compile(model, CPU, _options(CPU, "f32"))
        request = compiled.create_infer_request()
        request.set_input_tensor(network.tensor(output))
        return Network(request, compiled, np.empty((0, 0, 0, 3), np.uint8))

    def _compile(
        self,
        model: Any,
        picture: Picture,
        device: str,
        precision: str,
        into: NDArray[np.uint8] | None,
    ) -> Network:
        ov = self._openvino
        steps = ov.preprocess.PrePostProcessor(model.clone())
        source = steps.input()
        source.tensor().set_element_type(ov.Type.u8).set_layout(ov.Layout("NHWC"))
        source.model().set_layout(ov.Layout(picture.layout))
        process = source.preprocess().convert_element_type(ov.Type.f32)
        if picture.channels == "BGR":
            process.reverse_channels()
        if picture.mean:
            process.mean(_as_list(picture.mean))
        if picture.std != 1.0:
            process.scale(_as_list(picture.std))
        compiled = self._cache.compile(steps.build(), device, _options(device, precision))
        request = compiled.create_infer_request()
        array = np.zeros(compiled.input().shape, np.uint8) if into is None else into
        request.set_input_tensor(ov.Tensor(array, shared_memory=True))
        return Network(request, compiled, array)

    def _check_device(self, device: str) -> None:
        ov = self._openvino
        entry = ov.opset8.parameter([1], ov.Type.f32)
        trivial = ov.Model([ov.opset8.relu(entry)], [entry], "trivial")
        try:
            self._core.compile_model(trivial, device)
        except RuntimeError as error:
            there = ", ".join(self._core.available_devices)
            raise AnalyzerUnavailable(
                f"OpenVINO can not use the device {device!r} ({_reason(error)}); this machine"
                f" has {there}: set --inference-device to one of these"
            ) from error


def _as_list(value: float | tuple[float, float, float]) -> float | list[float]:
    """Return what OpenVINO takes: it knows no tuples."""
    return list(value) if isinstance(value, tuple) else value


def import_openvino() -> Any:
    """Import OpenVINO, without its converter of models.

    Nothing here converts any, and that reports each import to a statistics service over the
    network, on a thread of its own. Whoever imports it by its name still gets it.

    Raises
    ------
    AnalyzerUnavailable
        When it is not installed, or does not load.
    """
    try:
        with _hidden(_CONVERTER):
            openvino = importlib.import_module("openvino")
        importlib.import_module("openvino.opset8")
    except ImportError as error:
        missing = isinstance(error, ModuleNotFoundError) and error.name == "openvino"
        state = "is not installed" if missing else f"does not load ({error})"
        raise AnalyzerUnavailable(
            f"openvino {state}: pip install 'kinecast[pose]', or choose --pose-engine mediapipe"
        ) from error
    return openvino


@contextlib.contextmanager
def _hidden(module: str) -> Iterator[None]:
    """Have a module that was not imported yet not be found."""
    if module in sys.modules:
        yield
        return
    sys.modules[module] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        del sys.modules[module]


def faster(first: Callable[[], None], second: Callable[[], None], rounds: int = 8) -> bool:
    """Tell whether `first` takes clearly less time than `second`, run in turns.

    In turns, since whatever else the machine does then hits both alike.
    """
    durations_s: tuple[list[float], list[float]] = ([], [])
    for _ in range(rounds + 1):
        for run, kept in zip((first, second), durations_s, strict=True):
            began = perf_counter()
            run()
            kept.append(perf_counter() - began)
    # The first round warms up. A twentieth is less than it varies by.
    quick, slow = (median(kept[1:]) for kept in durations_s)
    return quick < 0.95 * slow


def _options(device: str, precision: str) -> dict[str, Any]:
    options: dict[str, Any] = {}
    if precision != "auto":
        options["INFERENCE_PRECISION_HINT"] = precision
    return options | (_CPU_OPTIONS if device == CPU else {"PERFORMANCE_HINT": "LATENCY"})


def _reason(error: RuntimeError) -> str:
    """Return the sentence in OpenVINO's error, which begins with lines about its source files."""
    lines = [line.strip() for line in str(error).splitlines()]
    for line in lines:
        if line and not line.startswith(("Exception from", "Check '")):
            line = line.partition(" Error: Exception from")[0].rstrip(".")
            # Where this machine keeps its libraries is nobody's business.
            return re.sub(r"/\S*/", "", line)
    return "it gives no reason"
