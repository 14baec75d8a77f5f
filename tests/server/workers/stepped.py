"""A worker's dispatcher, which a test steps: its lanes run when they are told to."""

import threading
from collections import deque

import av
import numpy as np

from analyzers.base_model import BaseModel
from analyzers.chain import arrange
from server.workers.dispatch import Dispatcher
from server.workers.drawing import Drawing
from server.workers.lane_frame import LaneFrame
from server.workers.mailbox import FrameInfo, MailboxWriter
from server.workers.messages import (
    PICTURE,
    Draw,
    EncodedInput,
    End,
    FrameAvailable,
    FrameResult,
    Start,
)

QUICK_S, SLOW_S = 0.01, 1.0


class Red(BaseModel):
    def frame(self, sid, frame, timestamp):
        return {"red": int(frame[0, 0, 0]), "winner": "red"}

    def end(self, sid, timestamp=None):
        return {"red_ended": True}


class Blue(BaseModel):
    def configure(self, sid, options):
        if "wrong" in options:
            raise ValueError("no such colour")

    def frame(self, sid, frame, timestamp):
        return {"blue": int(frame[0, 0, 2]), "winner": "blue"}


class OnRed(BaseModel):
    requires = ("red",)

    def frame(self, sid, frame, timestamp, *, results):
        return {"more": results["red"]["red"] + 1}


class RecordedDrawing(Drawing):
    """Draws, and writes down what it was given: sid, frame number, what each analyzer said."""

    def __init__(self, send):
        super().__init__(send)
        self.begun = {}
        self.given = []
        self.shown = []

    def begin(self, sid, analyzers):
        if analyzers is not None:
            self.begun[sid] = [analyzer.name for analyzer in analyzers]
        super().begin(sid, analyzers)

    def put(self, sid, frame, said=None):
        (self.shown if said is None else self.given).append((sid, frame.info.number, said))
        super().put(sid, frame, said)


class HeldVideo:
    """Holds what comes of videos, undecoded."""

    def __init__(self):
        self.frames = []

    def put(self, frame):
        self.frames.append(frame)

    def forget(self, sid):
        self.frames = [frame for frame in self.frames if frame.sid != sid]


class Runner:
    """Holds a lane's jobs until the test lets one run."""

    def __init__(self, lane):
        self.lane = lane
        self.outstanding = 0
        self.jobs = deque()

    def submit(self, job):
        self.outstanding += 1
        self.jobs.append(job)


class Worker:
    """A dispatcher with lanes that the test steps, and mailboxes that it fills."""

    def __init__(self, *analyzers):
        self.runners = {lane.name: Runner(lane) for lane in arrange(analyzers)}
        self.sent = []
        self.now = 100.0
        self.mailboxes = {}
        self.numbers = {}
        names = [analyzer.name for analyzer in analyzers]
        self.has_drawn = threading.Event()
        self.drawing = RecordedDrawing(self.send_drawn)
        runners = list(self.runners.values())
        self.video = HeldVideo()
        self.dispatcher = Dispatcher(
            *(runners, names, self.sent.append, self.drawing, self.video), max_pixels=4096 * 4096
        )

    def send_drawn(self, message):
        self.sent.append(message)
        self.has_drawn.set()

    def start(self, sid, *names):
        self.dispatcher.receive(Start(sid, names, {}, 0.0))
        self.mailboxes[sid] = MailboxWriter()
        self.numbers[sid] = 0
        for name in self.runners:
            self.run(name)

    def frame(self, sid, red=0, side=16):
        self.numbers[sid] += 1
        number = self.numbers[sid]
        info = FrameInfo(number, number * 33.0, 0.0, self.now, side, side)
        self.mailboxes[sid].put(of_one_red(red, side), info)
        self.ring(sid)

    def picture(self, sid, data, size=(16, 16)):
        self.numbers[sid] += 1
        number = self.numbers[sid]
        info = FrameInfo(number, number * 33.0, 0.0, self.now, *size)
        self.dispatcher.receive(EncodedInput(sid, info, PICTURE, data))
        self.dispatcher.dispatch(self.now)
        self.dispatcher.draw()

    def decoded(self, sid, red=0, side=16):
        """Let a video's next frame be decoded."""
        self.numbers[sid] += 1
        number = self.numbers[sid]
        info = FrameInfo(number, number * 33.0, 0.0, self.now, 0, 0)
        self.dispatcher.show(sid, LaneFrame(info, of_one_red(red, side), self.now))
        self.dispatcher.dispatch(self.now)
        self.dispatcher.draw()

    def ring(self, sid):
        self.dispatcher.receive(FrameAvailable(sid, self.mailboxes[sid].name))
        self.dispatcher.dispatch(self.now)
        self.dispatcher.draw()

    def run(self, name, duration_s=QUICK_S):
        """Let a lane finish the job it has, if it has one."""
        runner = self.runners[name]
        if not runner.jobs:
            return None
        job = runner.jobs.popleft()
        report = job.run(runner.lane)
        runner.outstanding -= 1
        self.dispatcher.finished(runner, job, report, duration_s)
        self.dispatcher.dispatch(self.now)
        self.handed_over_before = len(self.drawing.given)
        self.dispatcher.draw()
        return job

    def results(self):
        return [message for message in self.sent if isinstance(message, FrameResult)]

    def watch(self, sid, wanted=True, annotated=True):
        self.dispatcher.receive(Draw(sid, wanted, annotated))
        self.dispatcher.dispatch(self.now)
        self.dispatcher.draw()

    def drawn(self):
        """Session and frame number of all that was drawn."""
        return [(sid, number) for sid, number, _ in self.drawing.given]

    def close(self):
        for sid in self.mailboxes:
            self.dispatcher.receive(End(sid, 0.0))
        run_all(self)
        self.drawing.close()
        for mailbox in self.mailboxes.values():
            mailbox.close()


def of_one_red(red, side):
    picture = np.zeros((side, side, 3), np.uint8)
    picture[..., 0] = red
    return av.VideoFrame.from_ndarray(picture, "rgb24").reformat(format="yuv420p")


def numbers(results):
    return [(result.sid, result.frame.number) for result in results]


def run_all(worker):
    while any(runner.jobs for runner in worker.runners.values()):
        for name in worker.runners:
            worker.run(name)
