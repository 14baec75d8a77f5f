"""A file that is served by its descriptor, whatever its name stands for by then."""

from __future__ import annotations

import os
from collections.abc import Mapping

from aiohttp import web
from aiohttp.abc import AbstractStreamWriter


class OpenedFile(web.FileResponse):
    """A response with a file that is open already, in parts if they are asked for.

    Parameters
    ----------
    descriptor
        Of a regular file. It is closed when the response is over.
    headers
        Content-Type above all: there is no name to guess it from.
    """

    def __init__(self, descriptor: int, headers: Mapping[str, str]) -> None:
        super().__init__(f"/dev/fd/{descriptor}", headers=headers)
        self._descriptor = descriptor

    async def prepare(self, request: web.BaseRequest) -> AbstractStreamWriter | None:
        """Send it."""
        try:
            return await super().prepare(request)
        finally:
            os.close(self._descriptor)
