"""The clients there are."""

from bench.interop_clients.browser import Chromium, Firefox
from bench.interop_clients.client import Client
from bench.interop_clients.process import GStreamer, NodePackage

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
