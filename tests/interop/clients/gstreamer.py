"""GStreamer's webrtcbin as a WHIP or WHEP client: a program for the system's Python.

It needs nothing but Debian's packages; what it says and hears stands in client.py.
"""

import json
import re
import sys
import threading
import urllib.error
import urllib.request
from urllib.parse import urljoin

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstWebRTC", "1.0")
gi.require_version("GstSdp", "1.0")
from gi.repository import GLib, Gst, GstSdp, GstWebRTC  # noqa: E402

SDP = "application/sdp"
TELL_EVERY_MS = 100
ELEMENTS = ("webrtcbin", "nicesrc", "vp8enc", "vp8dec", "x264enc", "avdec_h264", "srtpenc")
CAPS = "application/x-rtp,media=video,clock-rate=90000,payload=96,encoding-name="
# It offers what stands in its caps, and nothing else: without the mode, a=fmtp is missing, which
# says mode 0 (RFC 6184, section 8.2.2). Without a profile it is constrained baseline.
ENCODINGS = {"VP8": "VP8", "H264": "H264,packetization-mode=(string)1"}
DECODE = {
    "VP8": "rtpvp8depay ! vp8dec",
    "H264": "rtph264depay ! h264parse ! avdec_h264",
}
ENCODE = {
    "VP8": "vp8enc deadline=1 keyframe-max-dist=50 target-bitrate=500000 ! rtpvp8pay",
    "H264": (
        "x264enc tune=zerolatency speed-preset=ultrafast key-int-max=50 bitrate=500"
        " ! video/x-h264,profile=constrained-baseline ! rtph264pay config-interval=-1"
        " aggregate-mode=zero-latency"
    ),
}
SOURCE = (
    "videotestsrc is-live=true pattern=smpte75"
    " ! video/x-raw,width=320,height=180,framerate=25/1,format=I420"
)


class Client:
    """One peer connection."""

    def __init__(self, task):
        self.task = task
        self.told = {"version": Gst.version_string(), "state": "new", "frames": 0}
        self.told["codec"] = task["codec"]
        self.loop = GLib.MainLoop()
        self.resource = None
        self.pipeline = Gst.Pipeline.new()
        self.peer = Gst.ElementFactory.make("webrtcbin")
        self.peer.set_property("bundle-policy", GstWebRTC.WebRTCBundlePolicy.MAX_BUNDLE)
        self.pipeline.add(self.peer)
        # Without being told it leaves out loopback. The agent is held here, or it would be gone:
        # the bindings take it for theirs.
        self.ice = self.peer.get_property("ice-agent")
        self.ice.emit("add-local-ip-address", "127.0.0.1")
        self.peer.connect("notify::connection-state", self.note_state)
        self.peer.connect("notify::ice-gathering-state", self.note_gathering)
        bus = self.pipeline.get_bus()
        bus.add_signal_watch()
        bus.connect("message::error", lambda _, message: self.fail(message.parse_error()[0]))

    # ---- what it watches or publishes

    def watch(self):
        caps = CAPS + ENCODINGS[self.task["codec"]]
        wanted = GstWebRTC.WebRTCRTPTransceiverDirection.RECVONLY
        transceiver = self.peer.emit("add-transceiver", wanted, Gst.Caps.from_string(caps))
        transceiver.set_property("do-nack", True)
        self.peer.connect("pad-added", self.decode)

    def decode(self, _, pad):
        if pad.get_direction() != Gst.PadDirection.SRC:
            return
        described = (
            f"{DECODE[self.task['codec']]} ! videoconvert ! video/x-raw,format=RGB"
            " ! appsink name=sink emit-signals=true sync=false"
        )
        decoding = Gst.parse_bin_from_description(described, True)
        self.pipeline.add(decoding)
        decoding.sync_state_with_parent()
        decoding.get_by_name("sink").connect("new-sample", self.look)
        pad.link(decoding.get_static_pad("sink"))

    def look(self, sink):
        sample = sink.emit("pull-sample")
        shape = sample.get_caps().get_structure(0)
        width, height = shape.get_value("width"), shape.get_value("height")
        data = sample.get_buffer().extract_dup(0, sample.get_buffer().get_size())
        row = (3 * width + 3) // 4 * 4 * (height // 2)

        def at(x):
            return list(data[row + 3 * x : row + 3 * x + 3])

        self.told.update(width=width, height=height)
        self.told.update(left=at(width // 32), right=at(width - 1 - width // 32))
        self.told["frames"] += 1
        return Gst.FlowReturn.OK

    def publish(self):
        caps = CAPS + ENCODINGS[self.task["codec"]]
        # Nothing goes in until the peer can take it; from then on all of it is sent.
        described = (
            f"{SOURCE} ! valve name=valve drop=true ! {ENCODE[self.task['codec']]} name=pay pt=96"
            f' ! capsfilter caps="{caps}"'
        )
        encoding = Gst.parse_bin_from_description(described, True)
        self.pipeline.add(encoding)
        encoding.link(self.peer)
        self.valve = encoding.get_by_name("valve")
        pad = encoding.get_by_name("pay").get_static_pad("src")
        pad.add_probe(Gst.PadProbeType.BUFFER | Gst.PadProbeType.BUFFER_LIST, self.count)

    def count(self, _, info):
        group = info.get_buffer_list()
        buffers = [group.get(i) for i in range(group.length())] if group else [info.get_buffer()]
        self.told["frames"] += sum(b.has_flags(Gst.BufferFlags.MARKER) for b in buffers)
        return Gst.PadProbeReturn.OK

    # ---- negotiation

    def offer(self):
        self.pipeline.set_state(Gst.State.PLAYING)
        promise = Gst.Promise.new_with_change_func(self.take_offer)
        self.peer.emit("create-offer", None, promise)
        return GLib.SOURCE_REMOVE

    def take_offer(self, promise):
        # Held while the offer is used, which lies in it.
        reply = promise.get_reply()
        offer = reply.get_value("offer")
        self.peer.emit("set-local-description", offer, Gst.Promise.new())

    def note_gathering(self, *_):
        state = self.peer.get_property("ice-gathering-state")
        if state == GstWebRTC.WebRTCICEGatheringState.COMPLETE:
            GLib.idle_add(self.exchange)

    def exchange(self):
        try:
            offer = self.peer.get_property("local-description").sdp.as_text()
            headers, text = self.request("POST", self.task["url"], offer)
            self.resource = urljoin(self.task["url"], headers["Location"])
            link = re.search(r'<(\S+)>; rel="urn:kinecast:session"', headers.get("Link", ""))
            self.told["session"] = link[1] if link else None
            _, sdp = GstSdp.SDPMessage.new_from_text(text)
            answer = GstWebRTC.WebRTCSessionDescription.new(GstWebRTC.WebRTCSDPType.ANSWER, sdp)
            self.peer.emit("set-remote-description", answer, Gst.Promise.new())
        except urllib.error.HTTPError as error:
            self.fail(f"{error.code}: {error.read().decode()}")
        return GLib.SOURCE_REMOVE

    def request(self, method, url, body=None):
        request = urllib.request.Request(url, body.encode() if body else None, method=method)
        request.add_header("Content-Type", SDP)
        if self.task["token"]:
            request.add_header("Authorization", f"Bearer {self.task['token']}")
        with urllib.request.urlopen(request, timeout=60) as response:
            return response.headers, response.read().decode()

    # ---- talking

    def note_state(self, *_):
        self.told["state"] = self.peer.get_property("connection-state").value_nick
        if self.told["state"] == "connected" and self.task["role"] == "publish":
            self.valve.set_property("drop", False)

    def tell(self):
        print(json.dumps(self.told), flush=True)
        return GLib.SOURCE_CONTINUE

    def fail(self, error):
        self.told["error"] = str(error)
        self.loop.quit()

    def listen(self):
        for line in sys.stdin:
            GLib.idle_add(self.obey, line.strip())
        GLib.idle_add(self.loop.quit)

    def obey(self, word):
        if word == "stop":
            self.valve.set_property("drop", True)
            self.told["stopped"] = True
        if word == "leave":
            self.request("DELETE", self.resource)
            self.told["done"] = True
            self.loop.quit()
        return GLib.SOURCE_REMOVE

    def run(self):
        {"watch": self.watch, "publish": self.publish}[self.task["role"]]()
        GLib.idle_add(self.offer)
        GLib.timeout_add(TELL_EVERY_MS, self.tell)
        threading.Thread(target=self.listen, daemon=True).start()
        self.loop.run()
        self.tell()
        self.pipeline.set_state(Gst.State.NULL)


def main():
    Gst.init(None)
    missing = [name for name in ELEMENTS if Gst.ElementFactory.find(name) is None]
    if missing:
        sys.exit(f"GStreamer has no {', '.join(missing)}")
    if sys.argv[1] == "--check":
        return
    Client(json.loads(sys.argv[1])).run()


main()
