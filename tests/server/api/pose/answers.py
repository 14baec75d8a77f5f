"""What the doors of the pose API answer, and how they are asked."""

import aiohttp
from pydantic import ConfigDict

from server.api.models_pose import PoseAnswer, PoseError, PoseFrame
from tests.support import older_models

FLAGS = ("--workers", "1", "--frames-per-second", "0")
SECRET = "a secret of this test, which is long enough"
STAND_IN = f"{older_models.__name__}:Pose"


class ExactFrame(PoseFrame):
    model_config = ConfigDict(extra="forbid", strict=True)


class ExactAnswer(PoseAnswer):
    model_config = ConfigDict(extra="forbid", strict=True)


class ExactError(PoseError):
    model_config = ConfigDict(extra="forbid", strict=True)


async def post(http, server, data, name="image"):
    """Post a form with one file; returns the status and the answer."""
    form = aiohttp.FormData()
    form.add_field(name, data, filename="picture.jpg", content_type="image/jpeg")
    async with http.post(f"{server.url}/pose", data=form) as response:
        return response.status, await response.json()


def form_of(data):
    form = aiohttp.FormData()
    form.add_field("image", data, filename="picture.jpg")
    return form
