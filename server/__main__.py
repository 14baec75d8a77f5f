"""The command line: ``python -m server``, or ``kinecast``."""

from __future__ import annotations

import asyncio
import os
import sys


def main() -> None:
    """Serve, or carry out a command; a bad setting is one line and exit status 2."""
    # With the console script, a model in the working directory would not be found otherwise. Last,
    # since someone's project may have a package "server" too.
    if os.getcwd() not in sys.path and "" not in sys.path:
        sys.path.append(os.getcwd())

    if sys.argv[1:2] == ["models"]:
        from server.cli import models as models_command

        raise SystemExit(models_command.main(sys.argv[2:]))
    if sys.argv[1:2] == ["token"]:
        from server.cli import token as token_command

        raise SystemExit(token_command.main(sys.argv[2:]))

    if sys.argv[1:2] == ["find"]:
        from server.cli import find as find_command

        raise SystemExit(find_command.main(sys.argv[2:]))

    from server.config import BadSettings, parse_settings

    try:
        settings = parse_settings(sys.argv[1:])
        from server.http.log import log_to_stderr

        # aioice tells of every candidate pair, aiohttp of every request.
        log_to_stderr(verbose=settings.verbose, quiet=("aioice", "aiohttp.access"))

        from server.media.picture import limit_decoders

        # Before OpenCV is imported, which the application does.
        limit_decoders(settings.max_pixels)
        from server.app import serve

        asyncio.run(serve(settings))
    except BadSettings as error:
        print(f"kinecast: {error}", file=sys.stderr)
        raise SystemExit(2) from None


if __name__ == "__main__":
    main()
