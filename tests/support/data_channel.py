"""A data channel of which a test has the other end."""

import json

from analyzers.compact import plain


class Channel:
    """One that a client opened.

    Attributes
    ----------
    sent
        What came out of it, decoded; a result that came as bytes has the key ``bytes``.
    say
        Says something as the client.
    """

    def __init__(self, label="data", protocol="", lossy=False):
        self.label = label
        self.protocol = protocol
        self.readyState = "open"
        self.bufferedAmount = 0
        self.maxRetransmits = 0 if lossy else None
        self.maxPacketLifeTime = None
        self.sent = []

    def on(self, event, listener):
        assert event == "message"
        self.say = listener

    def send(self, data):
        assert self.readyState == "open"
        is_text = isinstance(data, str)
        self.sent.append(json.loads(data) if is_text else {**plain(data), "bytes": len(data)})

    def types(self):
        """What was sent, by type; results by their frame's number, the final one by "final"."""
        return [
            "final" if m.get("final") else m.get("type") or m["frame"]["number"] for m in self.sent
        ]
