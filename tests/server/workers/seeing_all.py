"""Analyzers that see every frame, and what a stepped worker has said of them."""

import time

from analyzers.base_model import BaseModel

FRESH_S = 600.0


class Whole(BaseModel):
    """Sees every frame, and writes down what."""

    consecutive = True

    def __init__(self):
        self.seen = []

    def frame(self, sid, frame, timestamp):
        self.seen.append((round(timestamp / 33), float(frame[0, 0].mean())))
        return {"whole": len(self.seen)}


class OnRed(BaseModel):
    """Sees every frame, and reads what another said last."""

    consecutive = True
    requires = ("red",)

    def __init__(self):
        self.read = []

    def frame(self, sid, frame, timestamp, *, results):
        self.read.append((round(timestamp / 33), results.get("red", {}).get("red")))


def fresh():
    """When a frame came that does not get old during the test."""
    return time.monotonic() + FRESH_S


def put(worker, frames):
    for frame in frames:
        worker.dispatcher.receive(frame)


def run_all(worker, name):
    while worker.run(name):
        pass


def sent(worker, kind):
    return [message for message in worker.sent if isinstance(message, kind)]


def numbers(whole):
    return [number for number, _ in whole.seen]
