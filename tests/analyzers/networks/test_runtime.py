"""Networks compute what they should, from and into arrays that are shared, or say why not."""

import os
import subprocess
import sys
import tempfile

import numpy as np
import pytest

from analyzers.base_model import AnalyzerUnavailable
from analyzers.networks import runtime as module
from analyzers.networks.runtime import Picture, Runtime, faster
from analyzers.pose import weights

openvino = pytest.importorskip("openvino", reason="OpenVINO is not installed")
ops = pytest.importorskip("openvino.opset8")

HAS_BF16 = "BF16" in openvino.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")


@pytest.fixture
def capabilities(monkeypatch):
    """Say what the CPU computes in."""

    def say(*precisions):
        monkeypatch.setattr(openvino.Core, "get_property", lambda *args: list(precisions))

    return say


def network(*steps, shape=(1, 1, 2, 3)):
    """Return a network whose output "out" is what the steps make of its input."""
    start = ops.parameter(list(shape), np.float32)
    end = start
    for step in steps:
        end = step(end)
    end.output(0).set_names({"out"})
    return openvino.Model([end], [start], "network")


def times(factor):
    return lambda node: ops.multiply(node, ops.constant(np.float32(factor)))


def plus(term):
    return lambda node: ops.add(node, ops.constant(np.float32(term)))


def mixed(node):
    """Multiply the channels by a matrix: what bf16 is for."""
    # In bf16, of eight binary digits, 1 + 1/512 is 1.
    matrix = np.eye(3, dtype=np.float32) * np.float32(1 + 1 / 512)
    return ops.matmul(node, ops.constant(matrix), False, False)


def show(network, pixels):
    """Run a network on a row of two pixels."""
    network.picture[0, 0] = pixels
    network.run()
    return network.outputs["out"]


PIXELS = [(0, 100, 200), (1, 2, 255)]


@pytest.mark.parametrize(
    ("picture", "out"),
    [
        (Picture("NHWC"), [[0, 100, 200], [1, 2, 255]]),
        (Picture("NHWC", std=255.0), [[0, 100 / 255, 200 / 255], [1 / 255, 2 / 255, 1]]),
        (Picture("NHWC", mean=100.0), [[-100, 0, 100], [-99, -98, 155]]),
        (Picture("NHWC", mean=100.0, std=50.0), [[-2, 0, 2], [-1.98, -1.96, 3.1]]),
        (
            Picture("NHWC", mean=(1.0, 2.0, 3.0), std=(1.0, 2.0, 4.0)),
            [[-1, 49, 49.25], [0, 0, 63]],
        ),
        # In the network's own order: blue comes first.
        (
            Picture("NHWC", mean=(1.0, 2.0, 3.0), channels="BGR"),
            [[199, 98, -3], [254, 0, -2]],
        ),
        (Picture("NHWC", channels="BGR"), [[200, 100, 0], [255, 2, 1]]),
        (
            Picture("NHWC", mean=100.0, std=50.0, channels="BGR"),
            [[2, 0, -2], [3.1, -1.96, -1.98]],
        ),
    ],
)
@pytest.mark.parametrize("layout", ["NHWC", "NCHW"])
def test_a_picture_reaches_the_network_as_it_wants_it(picture, out, layout):
    expected = np.array(out)[None, None]
    shape = (1, 1, 2, 3)
    if layout == "NCHW":
        picture = Picture("NCHW", picture.mean, picture.std, picture.channels)
        expected, shape = expected.transpose(0, 3, 1, 2), (1, 3, 1, 2)
    compiled = Runtime().compile(network(plus(0), shape=shape), picture)
    # Bytes come in one layout, whatever the network's is.
    assert (compiled.picture.shape, compiled.picture.dtype) == ((1, 1, 2, 3), np.uint8)
    assert show(compiled, PIXELS) == pytest.approx(expected, rel=1e-5, abs=1e-5)


def test_the_arrays_stay_the_same():
    compiled = Runtime().compile(network(times(2)), Picture("NHWC"))
    picture, out = compiled.picture, compiled.outputs["out"]
    assert out.dtype == np.float32
    for pixels in (PIXELS, PIXELS[::-1]):
        assert show(compiled, pixels) is out
        assert out[0, 0].tolist() == (2 * np.array(pixels)).tolist()
    assert compiled.picture is picture


def test_every_output_has_its_names():
    start = ops.parameter([1, 1, 1, 3], np.float32)
    ends = [ops.add(start, ops.constant(np.float32(term))) for term in (1, 2)]
    ends[0].output(0).set_names({"one", "uno"})
    ends[1].output(0).set_names({"two"})
    model = openvino.Model(ends, [start], "network")
    compiled = Runtime().compile(model, Picture("NHWC"))
    compiled.run()
    assert {name: out.flat[0] for name, out in compiled.outputs.items()} == {
        "one": 1,
        "uno": 1,
        "two": 2,
    }


def test_compiling_leaves_the_network_as_it_is():
    model = network(times(2))
    runtime = Runtime()
    for picture, expected in ((Picture("NHWC", mean=1.0), -2), (Picture("NHWC"), 0)):
        compiled = runtime.compile(model, picture)
        compiled.run()
        assert compiled.outputs["out"].flat[0] == expected
        assert model.input().get_element_type() == openvino.Type.f32


@pytest.mark.parametrize(
    "precision",
    [
        "auto",
        "f32",
        pytest.param("bf16", marks=pytest.mark.skipif(not HAS_BF16, reason="the CPU has no bf16")),
    ],
)
def test_what_is_to_be_exact_is_exact_whatever_the_precision(precision):
    compiled = Runtime("CPU", precision).compile(network(mixed), Picture("NHWC"))
    assert show(compiled, [(1, 2, 128)] * 2)[0, 0, 0].tolist() == [
        1 + 1 / 512,
        2 + 2 / 512,
        128 + 128 / 512,
    ]


@pytest.mark.skipif(not HAS_BF16, reason="the CPU has no bf16")
def test_what_is_to_be_quick_is_rounded_and_reads_the_same_picture():
    runtime = Runtime()
    exact = runtime.compile(network(mixed), Picture("NHWC"))
    quick = runtime.compile_quick(network(mixed), Picture("NHWC"), into=exact.picture)
    assert quick.picture is exact.picture
    for pixels in ([(1, 2, 128)] * 2, [(4, 8, 16)] * 2):
        # The picture is given to the one and read by the other.
        show(exact, pixels)
        quick.run()
        assert quick.outputs["out"][0, 0].tolist() == [list(pixel) for pixel in pixels]
        assert exact.outputs["out"][0, 0, 0, 2] == pixels[0][2] * (1 + 1 / 512)


def test_without_another_array_the_quick_one_has_its_own():
    runtime = Runtime("AUTO", "f32")
    exact = runtime.compile(network(times(2)), Picture("NHWC"))
    quick = runtime.compile_quick(network(times(2)), Picture("NHWC"))
    assert not np.shares_memory(exact.picture, quick.picture)
    assert show(quick, PIXELS)[0, 0].tolist() == (2 * np.array(PIXELS)).tolist()


def test_a_network_behind_another_reads_its_output_in_place():
    runtime = Runtime()
    first = runtime.compile(network(times(2)), Picture("NHWC"))
    second = runtime.compile_after(first, "out", network(plus(1)))
    assert second.picture.size == 0
    for pixels in (PIXELS, PIXELS[::-1]):
        show(first, pixels)
        second.run()
        assert second.outputs["out"][0, 0].tolist() == (2 * np.array(pixels) + 1).tolist()
    # What is in the array is what counts, not what was computed.
    first.outputs["out"][:] = 7
    second.run()
    assert (second.outputs["out"] == 8).all()


def test_a_network_is_cut_in_two():
    runtime = Runtime()
    model = network(times(2), plus(1), times(3))
    last = model.output("out").get_node().input_value(0).get_node()
    cut = last.input_value(0)
    start = runtime.parameter_like(cut)
    last.input(0).replace_source_output(start.output(0))
    tail = runtime.part([last.output(0)], [start])
    cut.get_tensor().set_names({"cut"})
    body = runtime.part([cut], model.get_parameters())
    first = runtime.compile(body, Picture("NHWC"))
    second = runtime.compile_after(first, "cut", tail)
    first.picture[:] = 5
    first.run()
    second.run()
    # (5 * 2 + 1) * 3
    assert (first.outputs["cut"] == 11).all()
    assert (second.outputs["out"] == 33).all()


@pytest.mark.parametrize("device", ["TPU", "cpu", "", "CPU.7"])
def test_an_unknown_device_is_refused_with_those_that_exist(device):
    with pytest.raises(AnalyzerUnavailable) as caught:
        Runtime(device)
    message = str(caught.value)
    assert f"the device {device!r}" in message
    there = ", ".join(openvino.Core().available_devices)
    assert f"this machine has {there}: set --inference-device" in message
    assert "CPU" in there
    assert len(message.splitlines()) == 1
    assert "src/" not in message


@pytest.mark.parametrize("precision", ["", "fp16", "BF16", "f16", None])
def test_an_unknown_precision_is_refused(precision):
    with pytest.raises(ValueError, match="not one of auto, f32, bf16"):
        Runtime("CPU", precision)


def test_bf16_is_refused_where_the_cpu_has_none(capabilities):
    capabilities("FP32", "INT8")
    with pytest.raises(AnalyzerUnavailable, match=r"not compute in bf16: .*-precision at auto"):
        Runtime("CPU", "bf16")
    # Another device answers for itself.
    assert Runtime("AUTO", "bf16").has_quick


@pytest.mark.parametrize(
    ("device", "precision", "computes_in", "has_quick", "must_prove"),
    [
        ("CPU", "auto", ["FP32", "BF16"], True, True),
        ("CPU", "bf16", ["FP32", "BF16"], True, False),
        ("CPU", "f32", ["FP32", "BF16"], False, False),
        ("CPU", "auto", ["FP32"], False, True),
        ("CPU", "f32", ["FP32"], False, False),
        ("AUTO", "auto", ["FP32"], True, False),
        ("AUTO", "f32", ["FP32"], True, False),
    ],
)
def test_there_is_a_quick_way_on_another_device_and_in_bf16(
    capabilities, device, precision, computes_in, has_quick, must_prove
):
    capabilities(*computes_in)
    runtime = Runtime(device, precision)
    assert runtime.has_quick is has_quick
    # Only what is there can be asked to prove itself.
    assert (has_quick and runtime.quick_must_prove_itself) is (has_quick and must_prove)


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        ("openvino", r"openvino is not installed: pip install 'kinecast\[pose\]'"),
        ("openvino.opset8", r"openvino does not load \(.*openvino\.opset8.*\): pip install"),
    ],
)
def test_without_openvino_it_says_what_to_do(monkeypatch, broken, message):
    monkeypatch.setitem(sys.modules, broken, None)
    with pytest.raises(AnalyzerUnavailable, match=message):
        Runtime()


def test_a_network_is_read_from_a_file(tmp_path):
    openvino.save_model(network(times(2), plus(1)), str(tmp_path / "network.xml"))
    runtime = Runtime()
    compiled = runtime.compile(runtime.read(tmp_path / "network.xml"), Picture("NHWC"))
    assert show(compiled, PIXELS)[0, 0].tolist() == (2 * np.array(PIXELS) + 1).tolist()


def test_a_tflite_network_is_read_from_bytes_and_leaves_no_file(tmp_path, monkeypatch):
    content = weights.load(None).detector
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    runtime = Runtime()
    model = runtime.read(content)
    assert list(tmp_path.iterdir()) == []
    # Its weights are still there.
    compiled = runtime.compile(model, Picture("NHWC", 127.5, 127.5))
    compiled.run()
    assert {out.shape for out in compiled.outputs.values()} == {(1, 2254, 12), (1, 2254, 1)}
    assert all(np.isfinite(out).all() for out in compiled.outputs.values())


NONSENSE = {
    "nothing": b"",
    "zeros": bytes(1000),
    "noise": np.random.default_rng(0).integers(0, 256, 5000, np.uint8).tobytes(),
    "a TFLite file's beginning": b"\x1c\x00\x00\x00TFL3" + bytes(1000),
}


@pytest.mark.parametrize("content", NONSENSE.values(), ids=NONSENSE)
def test_bytes_that_are_no_network_are_refused(content, tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with pytest.raises(ValueError, match="can not read the TFLite network: it is damaged") as got:
        Runtime().read(content)
    assert len(str(got.value).splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["n.tflite", "n.xml", "n.onnx", "n.jpg", "n"])
@pytest.mark.parametrize("content", NONSENSE.values(), ids=NONSENSE)
def test_files_that_are_no_network_are_refused(name, content, tmp_path):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(ValueError, match=f"can not read {path}: it is damaged") as got:
        Runtime().read(path)
    assert len(str(got.value).splitlines()) == 1


class Clock:
    """Time that passes only in what is timed."""

    def __init__(self):
        self.now_s = 0.0
        self.runs = []

    def taking(self, name, *durations_s):
        """Return something that takes one duration after the other, the last one ever after."""
        left = list(durations_s)

        def run():
            self.runs.append(name)
            self.now_s += left.pop(0) if len(left) > 1 else left[0]

        return run


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(module, "perf_counter", lambda: clock.now_s)
    return clock


@pytest.mark.parametrize(
    ("first_s", "second_s", "is_faster"),
    [
        ([1.0], [2.0], True),
        ([2.0], [1.0], False),
        ([1.0], [1.0], False),
        # By a twentieth or more.
        ([0.94], [1.0], True),
        ([0.96], [1.0], False),
        # Some slow ones do not matter: three of eight.
        ([9, 1.0, 9.0, 1.0, 9.0, 1.0, 9.0, 1.0], [2.0], True),
        ([1.0], [9, 1.0, 9.0, 1.0, 9.0, 1.0, 9.0, 1.0], False),
    ],
)
def test_what_takes_clearly_less_time_is_faster(clock, first_s, second_s, is_faster):
    assert faster(clock.taking("first", *first_s), clock.taking("second", *second_s)) is is_faster


def test_the_first_time_does_not_count(clock):
    assert faster(clock.taking("first", 60.0, 1.0), clock.taking("second", 2.0), rounds=1)
    assert not faster(clock.taking("first", 1.0), clock.taking("second", 60.0, 1.0), rounds=1)


@pytest.mark.parametrize("rounds", [1, 8])
def test_both_run_in_turns(clock, rounds):
    faster(clock.taking("first", 1.0), clock.taking("second", 1.0), rounds)
    assert clock.runs == ["first", "second"] * (rounds + 1)


def test_importing_it_tells_nobody_and_leaves_no_thread():
    code = (
        "import os, sys\n"
        "from analyzers.networks.runtime import import_openvino\n"
        "import_openvino().Core()\n"
        "print(len(os.listdir('/proc/self/task')), 'openvino_telemetry' in sys.modules)\n"
        "from openvino.tools.ovc import convert_model\n"
        "print(callable(convert_model))\n"
    )
    # Nor is it to tell anybody from here.
    env = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "HOME": "/nonexistent", "CI": "1"}
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True)
    assert (done.stdout, done.returncode) == ("1 False\nTrue\n", 0), done.stderr
