"""What every foreign client has in common: it is asked to watch or to publish, and tells of it.

Each runs outside this process and says the same things, as one JSON object at a time:

    version, state, codec, width, height
    frames      decoded so far, or sent
    left, right a pixel of the last picture near each side, RGB, where the client decodes
    session     path of the published session
    error       why it could not go on; "unsupported: …" for what it does not have
    done        it has left

It understands two words: "stop", to send no more (and say "stopped"), and "leave", to delete its
resource and end.
"""

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

Role = Literal["watch", "publish"]
Codec = Literal["VP8", "H264"]
Told = dict[str, Any]

STEP_TIMEOUT_S = 40.0


class Unsupported(Exception):
    """The client does not have what was asked for."""


class Failed(Exception):
    """The client could not do it; the text says why."""


@dataclass(frozen=True, slots=True)
class Task:
    """What a client is to do.

    Attributes
    ----------
    url
        The WHIP or WHEP endpoint.
    token
        Bearer token, empty for none.
    trickle
        Send the offer without candidates, and these later by PATCH; browsers can.
    clip
        An IVF file with VP8, for clients that have no encoder.
    """

    role: Role
    url: str
    codec: Codec
    token: str = ""
    trickle: bool = False
    clip: str = ""


@dataclass(slots=True)
class Talk:
    """A client at work: what it told last, and what it is to be told."""

    told: Told = field(default_factory=lambda: {"state": "new", "frames": 0})
    word: str = ""
    _news: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def hear(self, told: Told) -> None:
        """The client has told something."""
        async with self._news:
            self.told = {**self.told, **told}
            self._news.notify_all()

    def say(self, word: str) -> None:
        """Tell it "stop" or "leave"."""
        self.word = word

    async def wait_for(
        self, condition: Callable[[Told], Any], what: str, within_s: float = STEP_TIMEOUT_S
    ) -> Told:
        """Wait until the client tells what fulfils a condition.

        Raises
        ------
        Unsupported, Failed
            It said why it could not, or `what` did not come in time.
        """
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within_s), self._news:
                await self._news.wait_for(lambda: condition(self.told) or "error" in self.told)
        error = self.told.get("error", "")
        if error.startswith("unsupported"):
            raise Unsupported(error)
        if error or not condition(self.told):
            raise Failed(f"{what}: {error or f'not within {within_s:.0f} s: {self.told}'}")
        return self.told


class Client(Protocol):
    """A WebRTC stack that is not ours."""

    name: str
    install: str
    """The command that installs it."""
    films_bars: bool
    """Whether it publishes the picture of bars.py; else one of its own."""

    def missing(self) -> str | None:
        """Why it can not run here; None if it can."""

    def at_work(self, task: Task) -> contextlib.AbstractAsyncContextManager[Talk]:
        """Let it do something; leaving ends its process."""
