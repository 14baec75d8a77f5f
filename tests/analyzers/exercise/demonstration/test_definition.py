"""A definition comes back as it went, and a hostile one is refused by name."""

import json
import math

import pytest

from analyzers.exercise.demonstration import BadExercise, read_exercise, read_exercises
from analyzers.exercise.demonstration.definition import MAX_EXERCISES
from analyzers.exercise.demonstration.folder import MAX_BYTES, read_folder
from analyzers.exercise.demonstration.motion import ANGLES
from analyzers.exercise.demonstration.path import POINTS


def definition(**changed):
    """A definition as a client gives it back."""
    return {
        "version": 1,
        "name": "band_pull",
        "repetitions": 3,
        "out": "up",
        "out_s": 0.8,
        "back_s": 1,
        "signals": [{"name": "elbows_2d", "rest": 168.2, "turn": 71.0}],
        "joints": [
            {"name": joint, "weight": 0.9, "spread_deg": 3.1, "path_deg": [90.0] * POINTS}
            for joint in ANGLES
        ],
        **changed,
    }


def deep(levels):
    value = 0
    for _ in range(levels):
        value = [value]
    return value


def joints(**changed):
    return [{**each, **changed} for each in definition()["joints"]]


def signal(**changed):
    return [{**definition()["signals"][0], **changed}]


def test_it_comes_back_as_it_went():
    exercise = read_exercise(definition())
    assert json.loads(json.dumps(exercise.as_json())) == definition()
    assert read_exercise(exercise.as_json()) == exercise


@pytest.mark.parametrize(
    ("value", "says"),
    [
        (definition(version=2), "'band_pull'.*version is 2, and 1 is known"),
        (definition(version=True), "version is True"),
        (definition(version="1"), "version is '1'"),
        (definition(version=10**400), "version is a huge number"),
        ({"name": "x"}, "'x'.*version is None"),
        (definition(name="Band Pull"), "no name for an exercise"),
        (definition(name="x" * 10_000), "no name for an exercise"),
        (definition(name=None), "no name for an exercise"),
        (definition(name="squat"), "taken by Kinecast"),
        (definition(name="unknown"), "taken by Kinecast"),
        (definition(extra=1), "has not the keys.*extra"),
        (definition(repetitions=1000), "repetitions is 1000"),
        (definition(repetitions=2.5), "repetitions is 2.5"),
        (definition(out="left"), "up or down"),
        (definition(out_s=math.nan), "out_s is nan"),
        (definition(out_s=math.inf), "out_s is inf"),
        (definition(out_s=-1.0), "out_s is -1.0"),
        (definition(out_s="1"), "out_s is '1'"),
        (definition(back_s=10**400), "back_s is a huge number"),
        (definition(signals=[]), "signals must be a list of 1 to 7"),
        (definition(signals=signal() * 8), "signals must be a list of 1 to 7"),
        (definition(signals=signal() * 2), "names a signal twice"),
        (definition(signals=signal(name="pulse")), "'pulse', which is no signal"),
        (definition(signals=signal(name=["elbows_2d"])), "a list, which is no signal"),
        (definition(signals=signal(rest=math.nan)), "elbows_2d's rest is nan"),
        (definition(signals=signal(turn=168.2)), "elbows_2d does not move"),
        (definition(signals=deep(5)), "a signal is a list"),
        (definition(signals=deep(900)), "a signal is a list"),
        (definition(joints=joints()[:-1]), "joints must be a list of 9"),
        (definition(joints=joints()[::-1]), "its joints are not left_elbow"),
        (definition(joints=joints(path_deg=[1.0] * 1000)), "path_deg must be a list of 20"),
        (definition(joints=joints(path_deg=[math.nan] * POINTS)), "path_deg is nan"),
        (definition(joints=joints(weight=2.0)), "weight is 2.0"),
        (definition(joints=joints(name={})), "called a dict"),
        (definition(joints={}), "joints must be a list"),
        (deep(900), "a list is no learned exercise"),
        ("band_pull", "'band_pull' is no learned exercise"),
    ],
)
def test_a_hostile_one_is_refused_in_one_line(value, says):
    with pytest.raises(BadExercise, match=says) as raised:
        read_exercise(value)
    assert len(str(raised.value)) < 400
    assert "\n" not in str(raised.value)


def test_lists_of_them_are_bounded_and_names_are_each_ones_own():
    several = [definition(name=f"pull_{n}") for n in range(MAX_EXERCISES)]
    assert [each.name for each in read_exercises(several)] == [each["name"] for each in several]
    with pytest.raises(BadExercise, match=f"at most {MAX_EXERCISES}"):
        read_exercises([*several, definition()])
    with pytest.raises(BadExercise, match="two exercises 'band_pull'"):
        read_exercises([definition(), definition()])
    with pytest.raises(BadExercise, match="must be a list"):
        read_exercises(definition())


def test_a_folder_is_read_in_order_and_a_bad_file_is_named(tmp_path):
    for name in ("b_pull", "a_push"):
        (tmp_path / f"{name}.json").write_text(json.dumps(definition(name=name)))
    (tmp_path / "notes.txt").write_text("not looked at")
    assert [each.name for each in read_folder(tmp_path)] == ["a_push", "b_pull"]
    bad = tmp_path / "c.json"
    for text, says in (
        ("{", "no JSON"),
        ("[" * 5000, "no JSON"),
        (" " * (MAX_BYTES + 1), f"more than {MAX_BYTES} bytes"),
        (json.dumps(definition(name="a_push")), "another exercise 'a_push'"),
        (json.dumps(definition(version=7)), "version is 7"),
    ):
        bad.write_text(text)
        with pytest.raises(BadExercise, match=rf"c\.json: .*{says}"):
            read_folder(tmp_path)
    with pytest.raises(BadExercise, match="no folder"):
        read_folder(tmp_path / "missing")
