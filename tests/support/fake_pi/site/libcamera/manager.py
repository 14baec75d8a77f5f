"""Knows the cameras, and hands over what they have done."""

import weakref

from libcamera import faults
from libcamera.camera import Camera
from libcamera.completions import Completions


class CameraManager:
    """There is one, as long as somebody has it. It notices what is plugged in and out."""

    _only = staticmethod(lambda: None)

    @classmethod
    def singleton(cls):
        manager = cls._only()
        if manager is None:
            manager = cls()
            cls._only = weakref.ref(manager)
        return manager

    def __init__(self):
        self._completions = Completions()
        self._camera = Camera(self._completions)

    @property
    def cameras(self):
        return [self._camera] if faults.get(faults.ABSENT) is None else []

    @property
    def event_fd(self):
        return self._completions.event_fd

    def get_ready_requests(self):
        return self._completions.take()
