"""Each analyzer draws its own, over what comes before, and one that raises costs its own only."""

import logging

import numpy as np
import orjson
import pytest

from analyzers.annotator import Annotator
from analyzers.base_model import BaseModel
from analyzers.lane import Lane
from analyzers.signatures import SignatureError
from tests.analyzers.models import FRAME, OldFullSignature, OldShortSignature, failing, model


def painter(class_name, columns, **kwargs):
    """Fills columns of the picture with what its result says."""

    def draw(self, frame, result):
        frame[:, columns] = result["level"]

    return with_draw(class_name, draw, **kwargs)


def with_draw(class_name, draw, **kwargs):
    made = model(class_name, **kwargs)
    type(made).draw = draw
    return made


def said(**levels):
    return {name: {"level": orjson.dumps(level)} for name, level in levels.items()}


def test_each_draws_its_result_over_the_one_before():
    annotator = Annotator("a", [painter("One", slice(0, 30)), painter("Two", slice(20, 40))])
    before = FRAME.copy()
    picture, problems = annotator.annotate(FRAME, said(two=200, one=100))
    assert problems == ()
    assert [picture[0, x, 0] for x in (10, 25, 35, 50)] == [100, 200, 200, 0]
    assert np.array_equal(FRAME, before), "the frame is everybody's"
    assert annotator.at is None


def test_who_has_said_nothing_draws_nothing():
    annotator = Annotator("a", [painter("One", slice(0, 30)), painter("Two", slice(20, 40))])
    picture, _ = annotator.annotate(FRAME, said(two=200))
    assert [picture[0, x, 0] for x in (10, 25)] == [0, 200]


def test_who_does_not_draw_costs_nothing():
    analyzers = [OldFullSignature(), OldShortSignature(), painter("One", slice(0, 30))]
    results = said(one=100) | {"old_full_signature": {"x": b"not even JSON"}}
    picture, problems = Annotator("a", analyzers).annotate(FRAME, results)
    assert problems == ()
    assert picture[0, 10, 0] == 100


def test_one_that_raises_leaves_no_half_drawn_picture(caplog):
    broken = True

    def draw(self, frame, result):
        frame[:, 20:30] = 99
        if broken:
            raise ValueError("no such colour")

    analyzers = [
        painter("One", slice(0, 25)),
        with_draw("Broken", draw),
        painter("Two", slice(40, 50)),
    ]
    annotator = Annotator("a", analyzers)
    for _ in range(3):
        with caplog.at_level(logging.ERROR):
            picture, problems = annotator.annotate(FRAME, said(one=10, broken=0, two=20))
        (problem,) = problems
        assert (problem.analyzer, problem.phase) == ("broken", "draw")
        assert "no such colour" in problem.message
        assert [picture[0, x, 0] for x in (10, 22, 28, 45)] == [10, 10, 0, 20]
    assert len(caplog.records) == 1, "logged once"
    broken = False
    picture, problems = annotator.annotate(FRAME, said(one=10, broken=0, two=20))
    assert problems == ()
    assert picture[0, 28, 0] == 99, "it is tried again with every frame"


def test_all_may_raise():
    analyzers = [with_draw(name, failing(name)) for name in ("One", "Two")]
    picture, problems = Annotator("a", analyzers).annotate(FRAME, said(one=1, two=2))
    assert [p.analyzer for p in problems] == ["one", "two"]
    assert np.array_equal(picture, FRAME)


def test_a_draw_with_other_parameters_is_refused_when_it_is_loaded():
    def draw(self, frame, result, colour):
        """Wants what nobody gives."""

    with pytest.raises(SignatureError, match=r"Some\.draw needs 'colour'.*frame, result"):
        Lane([with_draw("Some", draw)])


def test_drawing_is_not_asked_for():
    BaseModel.draw(model("Plain"), FRAME, {})
    assert not FRAME.any()
