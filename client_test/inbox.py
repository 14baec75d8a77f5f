"""What arrives on a connection: kept, and handed to whoever waits for it."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Callable
from typing import Any

from client_test.errors import NotConnected

Message = dict[str, Any]


def is_result(message: Message) -> bool:
    """Results have "final"; other messages have a "type". Older servers' results have neither."""
    return "final" in message or "type" not in message


class Inbox:
    """The messages of one connection.

    Parameters
    ----------
    history
        How many messages `received` keeps.
    on_result, on_message
        Called with each result, and with each other message, as it arrives.

    Attributes
    ----------
    received
        The messages so far, oldest first.
    final
        The final result, once it has come.
    """

    def __init__(
        self,
        history: int,
        on_result: Callable[[Message], None] | None,
        on_message: Callable[[Message], None] | None,
    ) -> None:
        self.received: deque[Message] = deque(maxlen=history)
        self.final: Message | None = None
        self._on_result = on_result
        self._on_message = on_message
        self._listeners: list[asyncio.Queue[Message | None]] = []
        self._gone = asyncio.Event()

    def _take(self, message: Message) -> None:
        self.received.append(message)
        if message.get("final"):
            self.final = message
        for listener in self._listeners:
            listener.put_nowait(message)
        handler = self._on_result if is_result(message) else self._on_message
        if handler is not None:
            handler(message)

    def _close_inbox(self) -> None:
        self._gone.set()
        for listener in self._listeners:
            listener.put_nowait(None)

    @property
    def gone(self) -> bool:
        """Whether the data channel or the connection has closed."""
        return self._gone.is_set()

    async def messages(self) -> AsyncGenerator[Message, None]:
        """Every message, those that `received` holds first, until the connection closes."""
        queue: asyncio.Queue[Message | None] = asyncio.Queue()
        for message in self.received:
            queue.put_nowait(message)
        if self.gone:
            queue.put_nowait(None)
        self._listeners.append(queue)
        try:
            while (incoming := await queue.get()) is not None:
                yield incoming
        finally:
            self._listeners.remove(queue)

    async def results(self) -> AsyncGenerator[Message, None]:
        """Like `messages`, results only; ends after the final one."""
        async for message in self.messages():
            if not is_result(message):
                continue
            yield message
            if message.get("final"):
                return

    async def wait_for(
        self, predicate: Callable[[Message], bool], timeout_s: float = 60.0
    ) -> Message:
        """The first message, past or to come, of which `predicate` is true.

        Raises
        ------
        NotConnected
            The connection closed before such a message came.
        TimeoutError
            None came in time.
        """
        messages = self.messages()
        try:
            async with asyncio.timeout(timeout_s):
                async for message in messages:
                    if predicate(message):
                        return message
        finally:
            await messages.aclose()
        raise NotConnected("the connection closed before the message that was waited for")
