"""Analyzers to test with: small ones, faulty ones, and some in the older signature."""

import numpy as np

from analyzers.base_model import BaseModel

FRAME = np.zeros((48, 64, 3), np.uint8)


def model(class_name, *, requires=(), after=(), frame=None, start=None, end=None, configure=None):
    """Make an analyzer from functions; by default `frame` answers {name: 1}."""

    def default_frame(self, sid, frame, timestamp, *args, **kwargs):
        return {self.name: 1}

    members = {
        "requires": tuple(requires),
        "after": tuple(after),
        "frame": frame or default_frame,
    }
    optional = {"start": start, "end": end, "configure": configure}
    members |= {name: function for name, function in optional.items() if function}
    return type(class_name, (BaseModel,), members)()


def failing(message):
    def method(self, *args, **kwargs):
        raise RuntimeError(message)

    return method


class OldFullSignature(BaseModel):
    """As the older README describes it."""

    def __init__(self):
        self.calls = []

    def start(self, sid, timestamp, *args, **kwargs):
        self.calls.append(("start", sid, timestamp, args, set(kwargs)))

    def frame(self, sid, frame, timestamp, *args, **kwargs):
        self.calls.append(("frame", sid, frame.shape, timestamp, args, set(kwargs)))
        return {"old": timestamp}

    def end(self, sid, timestamp=None, *args, **kwargs):
        self.calls.append(("end", sid, timestamp, args))
        return {"old_final": True}


class OldShortSignature(BaseModel):
    """No *args, no **kwargs, other names, no timestamp at the end."""

    def __init__(self):
        self.calls = []

    def start(self, session, ts):
        self.calls.append(("start", session, ts))

    def frame(self, session, image, ts):
        self.calls.append(("frame", session, image.shape, ts))
        return {"short": ts}

    def end(self, sid):
        self.calls.append(("end", sid))
        return {"short_final": True}
