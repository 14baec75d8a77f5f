"""The clients there are."""

from tests.interop.clients.browser import Chromium, Firefox
from tests.interop.clients.client import Client
from tests.interop.clients.process import GStreamer, NodePackage

CLIENTS: dict[str, Client] = {
    client.name: client
    for client in (
        Chromium(),
        Firefox(),
        GStreamer(),
        NodePackage("werift", "werift"),
        NodePackage("wrtc", "@roamhq/wrtc"),
    )
}
