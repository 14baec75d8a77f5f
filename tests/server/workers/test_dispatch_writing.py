"""In which forms a worker writes results, and which of them it marks as events."""

import itertools

import orjson
import pytest

from analyzers.base_model import BaseModel
from analyzers.compact import Form, compact
from server.workers.messages import End, Final, Write
from tests.server.workers.stepped import SLOW_S, Red, run_all

BOTH = frozenset(Form)
CBOR = frozenset({Form.CBOR})


class Counting(BaseModel):
    """Tells of a repetition in each third frame, and of a mark that comes and goes."""

    events = ("repetition",)

    def start(self, sid, timestamp=None):
        self.frames = 0

    def frame(self, sid, frame, timestamp):
        self.frames += 1
        done = self.frames // 3
        return {"repetition": {"number": done} if done else None, "mark": self.frames % 2}


class Slow(BaseModel):
    def frame(self, sid, frame, timestamp):
        return {"slow": [timestamp] * 20}


class Misfit(BaseModel):
    """Written before there were events, and has something else by that name."""

    events = {}  # noqa: RUF012

    def __init__(self):
        self.events = [{"not": "a key"}]

    def frame(self, sid, frame, timestamp):
        return {"misfit": True}


def write(worker, forms, sid="a"):
    worker.dispatcher.receive(Write(sid, forms))


@pytest.mark.parametrize("forms", [None, BOTH, CBOR, frozenset({Form.JSON})])
def test_results_are_written_as_is_wanted(make_worker, forms):
    worker = make_worker(Red())
    worker.start("a", "red")
    if forms is not None:
        write(worker, forms)
    worker.frame("a", red=100)
    worker.run("red")
    worker.dispatcher.receive(End("a", 40.0))
    run_all(worker)
    (result,) = worker.results()
    (final,) = (message for message in worker.sent if isinstance(message, Final))
    for message in (result, final):
        wants = forms or {Form.JSON}
        assert (message.fragments is not None, message.compact is not None) == (
            Form.JSON in wants,
            Form.CBOR in wants,
        )
        if forms == BOTH:
            assert message.compact == {k: compact(v) for k, v in message.fragments.items()}
    assert "red_ended" in (final.compact or final.fragments)


def test_one_session_wants_what_another_does_not(make_worker):
    worker = make_worker(Red())
    for sid in "ab":
        worker.start(sid, "red")
    write(worker, CBOR, "b")
    for sid in "ab":
        worker.frame(sid)
        worker.run("red")
    assert [(r.sid, r.fragments is None, r.compact is None) for r in worker.results()] == [
        ("a", False, True),
        ("b", True, False),
    ]


def test_a_session_that_is_not_there_wants_nothing(make_worker):
    write(make_worker(Red()), CBOR, "somebody else's")


def test_what_did_not_change_is_not_written_again(make_worker):
    worker = make_worker(Red(), Slow())
    worker.start("a", "red", "slow")
    write(worker, CBOR)
    worker.frame("a")
    worker.run("red")
    worker.run("slow", SLOW_S)
    for red in (10, 200, 200):
        worker.frame("a", red=red)
        worker.run("red")
    results = worker.results()
    held = [result for result in results if result.held]
    assert len(held) >= 2
    for before, after in itertools.pairwise(held):
        assert after.compact["slow"] is before.compact["slow"]
        assert after.compact["winner"] is before.compact["winner"]
    assert results[-3].compact["red"] != results[-2].compact["red"]


def test_a_new_value_of_an_event_marks_its_result_once(make_worker):
    worker = make_worker(Red(), Counting())
    worker.start("a", "red", "counting")
    for _ in range(7):
        worker.frame("a")
        worker.run("red")
        worker.run("counting")
    marked = [(result.frame.number, result.events) for result in worker.results()]
    assert marked == [(n, ("repetition",) if n in (3, 6) else ()) for n in range(1, 8)]
    told = [orjson.loads(result.fragments["repetition"]) for result in worker.results()]
    assert told[2:4] == [{"number": 1}] * 2


def test_an_event_of_an_analyzer_that_the_session_does_not_want_marks_nothing(make_worker):
    worker = make_worker(Red(), Counting())
    worker.start("a", "red")
    for _ in range(4):
        worker.frame("a")
        worker.run("red")
    assert [result.events for result in worker.results()] == [()] * 4


def test_something_else_by_the_name_of_events_is_passed_over(make_worker):
    worker = make_worker(Misfit())
    worker.start("a", "misfit")
    worker.frame("a")
    worker.run("misfit")
    (result,) = worker.results()
    assert (result.events, result.fragments) == ((), {"misfit": b"true"})
