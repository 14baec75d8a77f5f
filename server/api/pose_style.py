"""How a client of the pose API wants landmarks: in which coordinates, and by which names.

The server's settings say it, and a client's query, which comes first:
``?coordinates=pixels&names=upper``.
"""

from __future__ import annotations

from typing import Literal

import orjson
from aiohttp import web
from pydantic import BaseModel, ConfigDict, ValidationError

from server.api.context import SETTINGS
from server.workers.mailbox import FrameInfo
from signaling.errors import BadMessage


class PoseStyle(BaseModel):
    """A client's wish."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    coordinates: Literal["relative", "pixels"]
    names: Literal["lower", "upper"]

    @classmethod
    def wished(cls, request: web.Request) -> PoseStyle:
        """The wish of a request's query.

        Raises
        ------
        BadMessage
            There is no such way.
        """
        settings = request.app[SETTINGS]
        usual = {"coordinates": settings.pose_coordinates, "names": settings.pose_names}
        try:
            return cls.model_validate({**usual, **request.query})
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            raise BadMessage(f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from None

    def apply(self, landmarks: bytes, frame: FrameInfo) -> bytes:
        """Landmarks, as a worker wrote them, in this way.

        Parameters
        ----------
        landmarks
            JSON: a list with x, y in 0..1 of the frame and z on x's scale.
        frame
            What they were found in.
        """
        if self.coordinates == "relative" and self.names == "lower":
            return landmarks
        marks = orjson.loads(landmarks)
        for mark in marks:
            if self.coordinates == "pixels":
                mark["x"] *= frame.width
                mark["y"] *= frame.height
                mark["z"] *= frame.width
            if self.names == "upper":
                mark["name"] = mark["name"].upper()
        return orjson.dumps(marks)
