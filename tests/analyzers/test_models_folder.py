"""Models of an older server, found without being imported and loaded as they are."""

import sys

import numpy as np
import pytest

from analyzers.base_model import BaseModel
from analyzers.models_folder import find_models
from analyzers.registry import AnalyzerLoadError, UnknownAnalyzer, load
from analyzers.signatures import adapted_calls
from tests.support import older_project


@pytest.fixture(autouse=True)
def forgotten():
    """Modules that are imported here, and where they are found, are forgotten afterwards."""
    before, path = set(sys.modules), list(sys.path)
    yield
    for name in set(sys.modules) - before:
        del sys.modules[name]
    sys.path[:] = path


def names(folder):
    return [spec.name for spec in find_models(folder)]


def test_the_list_says_which_and_in_which_order(tmp_path):
    folder = older_project.write(tmp_path)
    assert names(folder) == ["Skin", "Pulse"]
    assert "models" not in sys.modules, "nothing is imported to find them"
    (folder / "__init__.py").write_text("from .pulse import Pulse as P\nMODELS = [P]\n")
    assert names(folder) == ["Pulse"], "what the folder says itself counts first"


@pytest.mark.parametrize(
    "lines",
    [
        "from models.skin import Skin\nfrom models.pulse import Pulse\nMODELS = [Skin(), Pulse()]",
        "from models import pulse, skin\nMODELS = (skin.Skin, pulse.Pulse)",
        "import models.pulse, models.skin\nMODELS = [models.skin.Skin, models.pulse.Pulse()]",
        "import models.pulse as p\nimport models.skin as s\nMODELS = [s.Skin, p.Pulse]",
    ],
)
def test_the_list_may_name_them_in_any_way(tmp_path, lines):
    folder = older_project.write(tmp_path)
    (tmp_path / "main.py").write_text(lines)
    specs = find_models(folder)
    assert [type(load(spec)).__name__ for spec in specs] == ["Skin", "Pulse"]


def test_a_model_in_a_file_of_its_package(tmp_path):
    folder = older_project.write(tmp_path, listed=False)
    (folder / "skin" / "__init__.py").rename(folder / "skin" / "model.py")
    (folder / "skin" / "__init__.py").write_text("from .model import Skin\n")
    specs = find_models(folder)
    assert [type(load(spec)).__name__ for spec in specs] == ["Pulse", "Skin"]


def test_times_that_it_says_nothing_of_and_a_frame_to_draw_into_are_as_they_were(tmp_path):
    folder = older_project.write(tmp_path, listed=False)
    (folder / "plain.py").write_text(
        "from models.base_model import BaseModel\n"
        "class Plain(BaseModel):\n"
        "    def start(self, sid, timestamp): self.begun = timestamp\n"
        "    def frame(self, sid, frame, timestamp):\n"
        "        frame[:] = 1\n"
        "        return {'at': timestamp, 'drawn': int(frame.sum())}\n"
        "    def end(self, sid, timestamp): return {'begun': self.begun, 'ended': timestamp}\n"
    )
    calls = adapted_calls(load(find_models(folder)[0]))
    calls["start"](sid="s", timestamp=0.0, options={})
    frame = np.zeros((2, 2, 3), np.uint8)
    frame.flags.writeable = False
    answer = calls["frame"](sid="s", frame=frame, timestamp=33.4, results={})
    assert (answer, type(answer["at"])) == ({"at": 33, "drawn": 12}, int)
    assert not frame.any(), "what it draws, it draws for itself"
    assert calls["end"](sid="s", timestamp=66.7) == {"begun": None, "ended": None}


def test_without_one_they_go_by_name(tmp_path):
    assert names(older_project.write(tmp_path, listed=False)) == ["Pulse", "Skin"]


def test_one_that_others_extend_is_none(tmp_path):
    folder = older_project.write(tmp_path, listed=False)
    (folder / "more.py").write_text(
        "import models.base_model as b\nfrom models.skin import Skin\n"
        "class Own(b.BaseModel): pass\nclass Deep(Skin): pass\nclass Other(dict): pass\n"
    )
    assert names(folder) == ["Own", "Deep", "Pulse"]


@pytest.mark.parametrize("base", [True, False])
def test_they_run_as_they_are(tmp_path, base):
    specs = find_models(older_project.write(tmp_path, base=base))
    skin, pulse = [load(spec) for spec in specs]
    assert isinstance(pulse, BaseModel)
    assert (pulse.name, skin.name) == ("Pulse model", "skin")
    calls = adapted_calls(pulse)
    calls["start"](sid="s", timestamp=0.0, options={})
    frame = np.full((4, 4, 3), 7, np.uint8)
    answer = calls["frame"](sid="s", frame=frame, timestamp=33.4, results={})
    assert answer == {"hr": 66, "from": "pulse", "whole": True}
    assert calls["end"](sid="s", timestamp=66.7) == {"ended_at": None, "hr": 61}
    # This one's start wants a number, its end none.
    calls = adapted_calls(skin)
    calls["start"](sid="s", timestamp=12.6, options={})
    answer = calls["frame"](sid="s", frame=frame, timestamp=33.4, results={})
    assert answer == {"shade": 7.0, "from": "skin", "begun": 13}
    assert calls["end"](sid="s", timestamp=66.7) == {"skin_end": None}


def test_what_lies_beside_them_does_not_come_before_ours(tmp_path):
    specs = find_models(older_project.write(tmp_path))
    (tmp_path / "analyzers").mkdir()
    (tmp_path / "analyzers" / "__init__.py").write_text("raise ImportError('the wrong one')")
    load(specs[0])
    assert sys.path[-1] == str(tmp_path)


def test_what_can_not_be_used_is_told_in_one_line(tmp_path):
    with pytest.raises(UnknownAnalyzer, match="there is no folder"):
        find_models(tmp_path / "nowhere")
    with pytest.raises(UnknownAnalyzer, match="no class extends BaseModel"):
        find_models(tmp_path)
    folder = older_project.write(tmp_path)
    (tmp_path / "main.py").write_text("from models.pulse import Pulse\nMODELS = [Pulse, Made]\n")
    with pytest.raises(UnknownAnalyzer, match="Made in MODELS is not imported by"):
        find_models(folder)
    (tmp_path / "main.py").write_text("MODELS = [")
    with pytest.raises(UnknownAnalyzer, match=r"main\.py can not be read"):
        find_models(folder)
    (tmp_path / "main.py").unlink()
    (folder / "again.py").write_text("class Pulse(BaseModel): pass")
    with pytest.raises(UnknownAnalyzer, match="2 models called Pulse"):
        find_models(folder)


def test_one_that_fails_says_which_and_why(tmp_path):
    folder = older_project.write(tmp_path, listed=False)
    (folder / "base_model.py").write_text("raise RuntimeError('no graphics card')")
    for spec in find_models(folder):
        with pytest.raises(AnalyzerLoadError, match=f"{spec.name}.*no graphics card"):
            load(spec)
