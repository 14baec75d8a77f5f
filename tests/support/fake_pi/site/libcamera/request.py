"""A request: buffers that go to the camera empty and come back with a picture."""

import enum


class Request:
    """One of them; it is used again and again."""

    Status = enum.Enum("Status", "Pending Complete Cancelled")

    def __init__(self, cookie):
        self.cookie = cookie
        self.buffers = {}
        self.controls = {}
        self.metadata = {}
        self.status = Request.Status.Pending

    def add_buffer(self, stream, buffer, fence=None):
        self.buffers[stream] = buffer

    def set_control(self, control, value):
        self.controls[control] = value

    def reuse(self):
        self.status, self.metadata, self.controls = Request.Status.Pending, {}, {}
