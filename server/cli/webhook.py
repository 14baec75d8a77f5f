"""``kinecast webhook test``: sends one signed event, to see whether it is taken."""

from __future__ import annotations

import asyncio
import sys

from server.config.base import BadSettings
from server.config.command_line import Parser, add_flags, make_settings
from server.config.webhooks import WebhookSettings
from server.webhooks.signing import event_body, new_id
from server.webhooks.webhooks import NotTaken, client, post

_REFUSED, _BAD_USAGE = 1, 2


def main(arguments: list[str]) -> int:
    """Carry out ``kinecast webhook`` with what follows it.

    Returns
    -------
    The exit status: 0 if the event was taken, 1 if not, 2 if something is wrong here.
    """
    parser = Parser(
        prog="kinecast webhook",
        description="Sends the event `test`, signed as all are, to a URL.",
    )
    parser.add_argument("what", choices=("test",))
    parser.add_argument("url", metavar="URL")
    add_flags(parser, WebhookSettings.settings("webhook_secret"))
    try:
        given = vars(parser.parse_args(arguments))
        settings = make_settings(WebhookSettings, {**given, "webhook": given["url"]})
    except BadSettings as error:
        print(f"kinecast webhook: {error}", file=sys.stderr)
        return _BAD_USAGE
    try:
        asyncio.run(_send(settings.webhook, settings.webhook_secret.get_secret_value()))
    except NotTaken as why:
        print(f"kinecast webhook: {settings.webhook}: {why}", file=sys.stderr)
        return _REFUSED
    print(f"{settings.webhook} took it")
    return 0


async def _send(url: str, secret: str) -> None:
    async with client() as http:
        await post(http, url, secret, new_id(), event_body("test", {"from": "kinecast"}))
