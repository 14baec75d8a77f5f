"""Analyzers are found without being imported, and loaded with clear errors."""

import logging
import sys
import textwrap

import pytest

from analyzers.base_model import AnalyzerUnavailable
from analyzers.mock_model_1 import MockModel1
from analyzers.registry import AnalyzerLoadError, AnalyzerSpec, UnknownAnalyzer, find, load


@pytest.fixture
def write_module(tmp_path, monkeypatch):
    """Write a module into a directory on the Python path; it is forgotten afterwards."""
    monkeypatch.syspath_prepend(str(tmp_path))
    before = set(sys.modules)

    def write(name, source):
        path = tmp_path.joinpath(*name.split(".")).with_suffix(".py")
        for package in reversed(path.relative_to(tmp_path).parents[:-1]):
            (tmp_path / package).mkdir(exist_ok=True)
            (tmp_path / package / "__init__.py").touch()
        path.write_text(textwrap.dedent(source))

    yield write
    for name in set(sys.modules) - before:
        del sys.modules[name]


BRIGHTNESS = """
    from analyzers.base_model import BaseModel

    class Brightness(BaseModel):
        def __init__(self, gain=1.0):
            self.gain = gain

        def frame(self, sid, frame, timestamp, *args, **kwargs):
            return {"brightness": self.gain * float(frame.mean())}
"""


def test_names_of_entry_points_keep_their_order():
    assert find(["mock_model_2", "pose"]) == (
        AnalyzerSpec("mock_model_2", "analyzers.mock_model_2:MockModel2"),
        AnalyzerSpec("pose", "analyzers.pose:Pose"),
    )


def test_a_dotted_name_is_found_without_import_and_loaded(write_module):
    write_module("my_models.deep.light", BRIGHTNESS)
    (spec,) = find(["my_models.deep.light:Brightness"])
    assert spec == AnalyzerSpec("brightness", "my_models.deep.light:Brightness")
    assert "my_models" not in sys.modules
    model = load(spec)
    assert (model.name, model.gain) == ("brightness", 1.0)


def test_a_file_in_the_working_directory_is_found(write_module, tmp_path, monkeypatch):
    write_module("light_here", BRIGHTNESS)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", ["", *(p for p in sys.path if p != str(tmp_path))])
    assert load(find(["light_here:Brightness"])[0]).name == "brightness"


def test_settings_that_ones_own_analyzer_does_not_take_are_told_once(write_module, caplog):
    write_module("light", BRIGHTNESS)
    (spec,) = find(["light:Brightness"])
    with caplog.at_level(logging.INFO):
        assert load(spec, {"gain": 2.0}).gain == 2.0
        assert caplog.records == []
        assert load(spec, {"gain": 3.0, "model": "x.task", "device": "CPU"}).gain == 3.0
    (record,) = caplog.records
    assert record.getMessage() == (
        "Analyzer 'brightness' (light:Brightness) goes without settings:"
        " its constructor does not take device, model"
    )


def test_a_constructor_that_takes_all_gets_all(write_module):
    write_module("light", BRIGHTNESS.replace("gain=1.0", "gain=1.0, **others"))
    assert load(find(["light:Brightness"])[0], {"gain": 3.0, "model": "x"}).gain == 3.0


@pytest.mark.parametrize("name", ["mock_model_1", "analyzers.mock_model_1:MockModel1"])
def test_a_setting_that_one_of_ours_does_not_take_is_refused_by_name(name):
    with pytest.raises(AnalyzerLoadError, match=r"'mock_model_1' .* does not take duration_ms$"):
        load(find([name])[0], {"duration_s": 0.0, "duration_ms": 1})


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["pose", "posse"], r"unknown analyzer 'posse'; there are exercise, .*pose"),
        (["no_such_module_x:Thing"], r"'no_such_module_x:Thing': there is no module no_such_mod"),
        (["analyzers.no_such:Thing"], r"there is no module analyzers\.no_such"),
        (["analyzers.chain.deeper:Thing"], r"there is no module analyzers\.chain\.deeper"),
        (["some path:Thing"], r"does not read package\.module:Class"),
        (["analyzers.pose:"], r"does not read package\.module:Class"),
        ([""], r"unknown analyzer ''"),
        ([], r"no analyzer is named; there are exercise"),
        (["pose", "mock_model_1", "pose"], r"analyzers\.pose:Pose is named 2 times"),
        (["pose", "analyzers.pose:Pose"], r"analyzers\.pose:Pose is named 2 times"),
    ],
)
def test_what_cannot_be_found_is_named_on_one_line(names, message):
    with pytest.raises(UnknownAnalyzer, match=message) as caught:
        find(names)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("import no_such_module_x", r"importing it raised ModuleNotFoundError.*no_such_module_x"),
        ("raise ValueError('two\\nlines')", r"importing it raised ValueError: two lines"),
        ("x = (", r"importing it raised SyntaxError"),
        ("Other = 1", r"module faulty has no Thing"),
        ("Thing = 1", r"Thing is not a subclass of analyzers\.base_model\.BaseModel"),
        ("class Thing: pass", r"Thing is not a subclass"),
        (
            "from analyzers.base_model import BaseModel\nclass Thing(BaseModel): pass",
            r"constructor raised TypeError.*abstract",
        ),
        (
            "from analyzers.base_model import BaseModel\n"
            "class Thing(BaseModel):\n"
            "    def __init__(self): raise OSError('no weights')\n"
            "    def frame(self, sid, frame, timestamp): pass",
            r"constructor raised OSError: no weights",
        ),
        (
            "from analyzers.base_model import BaseModel\n"
            "class Thing(BaseModel):\n"
            "    async def frame(self, sid, frame, timestamp): pass",
            r"Thing\.frame is a coroutine",
        ),
        (
            "from analyzers.base_model import BaseModel\n"
            "class Thing(BaseModel):\n"
            "    name = 3\n"
            "    def frame(self, sid, frame, timestamp): pass",
            r"its name is 3, not text",
        ),
    ],
)
def test_what_cannot_be_loaded_says_why_on_one_line(write_module, source, message):
    write_module("faulty", source)
    (spec,) = find(["faulty:Thing"])
    with pytest.raises(AnalyzerLoadError, match=message) as caught:
        load(spec)
    assert str(caught.value).startswith("analyzer 'thing' (faulty:Thing) cannot be used: ")
    assert "\n" not in str(caught.value)


def test_unavailable_comes_through(write_module):
    write_module(
        "lacking",
        """
        from analyzers.base_model import AnalyzerUnavailable, BaseModel

        class Lacking(BaseModel):
            def __init__(self):
                raise AnalyzerUnavailable("needs a thermal camera: plug one in")

            def frame(self, sid, frame, timestamp):
                return None
        """,
    )
    with pytest.raises(AnalyzerUnavailable, match="thermal camera: plug one in"):
        load(find(["lacking:Lacking"])[0])


def test_a_registered_analyzer_loads():
    model = load(find(["mock_model_1"])[0], {"duration_s": 0.0})
    assert isinstance(model, MockModel1)
