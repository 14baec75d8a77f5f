"""Messages of the recordings' API."""

from __future__ import annotations

from pydantic import BaseModel, Field

from server.recordings import names
from server.recordings.status import RecordingStatus

# What is known of each frame until the file is finished takes 10 MB an hour.
MAX_SECONDS = 6 * 3600


class StartRecording(BaseModel):
    """What is to be recorded, and how long."""

    source: str = Field(
        min_length=1,
        max_length=names.MAX_CHARS + len("/annotated"),
        pattern=r"^[A-Za-z0-9_.-]+(/annotated)?$",
        description="camera, or a name that something is published under; with /annotated behind"
        " it, the same with what was found drawn in",
    )
    name: str | None = Field(
        None,
        min_length=1,
        max_length=names.MAX_CHARS,
        description=f"{names.WHAT_IT_IS}; without one it is made of the source and the time",
    )
    seconds: float = Field(3600, gt=0, le=MAX_SECONDS, description="Then it ends by itself")


class Recording(RecordingStatus):
    """A recording, running or over."""

    url: str = Field(description="Where its MP4 is")


class RecordingList(BaseModel):
    """All recordings, oldest first."""

    recordings: list[Recording]
