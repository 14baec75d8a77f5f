"""Methods are given what their signatures take."""

import functools

import pytest

from analyzers.base_model import BaseModel
from analyzers.signatures import AdaptedCall, SignatureError

OFFERS = {
    "start": {"sid": "S", "timestamp": 5, "options": {"o": 1}},
    "frame": {"sid": "S", "frame": "F", "timestamp": 5, "results": {"r": 1}},
    "configure": {"sid": "S", "options": {"o": 1}},
    "end": {"sid": "S", "timestamp": 5},
}


def call(name, function):
    members = {"frame": lambda self, sid, frame, timestamp: None, name: function}
    return AdaptedCall(type("Some", (BaseModel,), members)(), name)(**OFFERS[name])


def logged(function):
    @functools.wraps(function)
    def wrapper(*args, **kwargs):
        return function(*args, **kwargs)

    return wrapper


@pytest.mark.parametrize(
    ("name", "function", "expected"),
    [
        ("frame", lambda self, sid, frame, timestamp: (sid, frame, timestamp), ("S", "F", 5)),
        ("frame", lambda self, a, b, c: (a, b, c), ("S", "F", 5)),
        ("frame", lambda self, a, b: (a, b), ("S", "F")),
        ("frame", lambda self, timestamp, frame: (timestamp, frame), (5, "F")),
        ("frame", lambda self, *args: args, ("S", "F", 5)),
        (
            "frame",
            lambda self, *args, **kwargs: (args, kwargs),
            (("S", "F", 5), {"results": {"r": 1}}),
        ),
        (
            "frame",
            lambda self, sid, *args, **kwargs: (sid, args, kwargs),
            ("S", ("F", 5), {"results": {"r": 1}}),
        ),
        ("frame", lambda self, a, b, c, results: (a, b, c, results), ("S", "F", 5, {"r": 1})),
        (
            "frame",
            lambda self, a, b, c, gain=2, results=None: (c, gain, results),
            (5, 2, {"r": 1}),
        ),
        ("frame", lambda self, a, /, frame, c: (a, frame, c), ("S", "F", 5)),
        ("frame", lambda self, sid, frame, *, results, timestamp: (timestamp, results),
         (5, {"r": 1})),
        ("frame", lambda self, **kwargs: sorted(kwargs), ["frame", "results", "sid", "timestamp"]),
        ("frame", logged(lambda self, a, b, c: (a, b, c)), ("S", "F", 5)),
        ("start", lambda self, sid: sid, "S"),
        ("start", lambda self, sid, options=None, timestamp=None: (options, timestamp),
         ({"o": 1}, 5)),
        ("start", lambda self, sid, options: options, {"o": 1}),
        ("start", lambda self, sid, timestamp=None, *args, options=None, **kw: (options, kw),
         ({"o": 1}, {})),
        ("configure", lambda self, session, wishes: (session, wishes), ("S", {"o": 1})),
        ("end", lambda self, sid: sid, "S"),
        ("end", lambda self, session, when=None: (session, when), ("S", 5)),
        ("end", lambda self, sid, *args: args, (5,)),
        ("end", lambda self: "nothing", "nothing"),
    ],
)  # fmt: skip
def test_a_method_gets_what_it_takes(name, function, expected):
    assert call(name, function) == expected


def test_a_parameter_that_nothing_fills_is_refused_by_name():
    with pytest.raises(SignatureError, match=r"Some\.frame needs 'depth'.*sid, frame, timestamp"):
        call("frame", lambda self, sid, frame, timestamp, depth: None)


def test_a_coroutine_is_refused():
    async def frame(self, sid, frame, timestamp):
        return {}

    with pytest.raises(SignatureError, match=r"Some\.frame is a coroutine"):
        call("frame", frame)
