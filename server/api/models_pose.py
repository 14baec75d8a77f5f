"""Messages of the pose API."""

from __future__ import annotations

from pydantic import BaseModel, Field


class PoseForm(BaseModel):
    """A picture to look at."""

    image: bytes = Field(description="A JPEG or PNG", json_schema_extra={"format": "binary"})


class Landmark(BaseModel):
    """A point of the body."""

    index: int = Field(ge=0, le=32, description="Its number in BlazePose's topology")
    name: str
    x: float = Field(description="0..1 of the picture's width; or in pixels, as y and z are then")
    y: float = Field(description="0..1 of the picture's height")
    z: float = Field(description="On x's scale, 0 at the middle of the hips, less is nearer")
    visibility: float = Field(ge=0, le=1)


class PoseAnswer(BaseModel):
    """The most prominent person's landmarks."""

    landmarks: list[Landmark] = Field(description="33, or none without a person")
    has_pose: bool


class PoseFrame(PoseAnswer):
    """The landmarks in one of the pictures on a socket."""

    frame: int = Field(description="The picture's number on this socket, from 1")
    dropped: int = Field(description="Pictures before it that got no answer")


class PoseError(BaseModel):
    """What went wrong, and what to do about it."""

    error: str = Field(description="decode_failed, send_binary_frames, send_a_form, busy or failed")
    detail: str
    frame: int | None = Field(default=None, description="The picture's number, if it has")
    retry_after_s: int | None = Field(
        default=None, description="Seconds after which to try again, if that makes sense"
    )
