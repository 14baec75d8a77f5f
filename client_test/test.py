"""Streams a video to a Kinecast server and tells what came back.

Run it as ``python client_test/test.py`` or ``python -m client_test.test``.
"""

import argparse
import asyncio
import contextlib
import json
import logging
import signal
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TextIO

ROOT = Path(__file__).resolve().parent.parent
if not __package__:
    # Run as a file, Python looks for modules beside it. They are found as client_test's.
    sys.path[0] = str(ROOT)

import av  # noqa: E402
from rich.console import Console  # noqa: E402

from client_test.clip import ClipTrack  # noqa: E402
from client_test.errors import ClientError  # noqa: E402
from client_test.peer import ClientPeer  # noqa: E402
from client_test.picture import PictureTaker  # noqa: E402
from client_test.progress import choose_display  # noqa: E402
from client_test.received import ReceivedMedia  # noqa: E402
from client_test.stream import ClipStream  # noqa: E402
from client_test.summary import Summary, print_summary  # noqa: E402

USAGE_ERROR = 2

EPILOG = """\
Latency is the time from handing a frame to the encoder here to the arrival of its result here, so
it holds encoding, the network both ways, the server's waiting and analysis. A result names its
frame by the time since the first frame that the server saw; where frames were lost before that
one, latencies come out too long rather than too short. "Of it in the server" is from the frame's
arrival there to the result's arrival here, with the clocks compared over the data channel.

Exit status: 0 if the final result came and, where results tell of poses, at least one had a pose;
1 if not; 2 if the command line is wrong or no connection came about; 3 if an analyzer failed.
"""


def parse_arguments(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="client_test/test.py",
        description="Streams a video to a Kinecast server and tells what came back.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    server = parser.add_argument_group("the server")
    server.add_argument("--host", default="127.0.0.1", help="default: %(default)s")
    server.add_argument("--port", type=int, default=8083, help="default: %(default)s")
    server.add_argument(
        "--use-http",
        action="store_true",
        help="negotiate by POST /offer; otherwise by WebSocket, on /signaling or on the next port, "
        "and by HTTP only if there is none",
    )
    server.add_argument("--secure", action="store_true", help="WSS and HTTPS")
    server.add_argument(
        "--insecure", action="store_true", help="accept any certificate (implies --secure)"
    )
    server.add_argument(
        "--role", choices=("offer",), default="offer", help="the client is the one that offers"
    )
    server.add_argument("--token", help="bearer token, where the server asks for one")
    server.add_argument("--analyzers", type=_names, metavar="A,B", help="which analyzers to run")
    server.add_argument(
        "--name", help="publish it under this name, by which the page's Sessions view calls it"
    )
    server.add_argument(
        "--ice-address",
        action="append",
        metavar="ADDRESS",
        help="address of this machine to offer; repeatable; default: loopback for a server on "
        "this machine, otherwise all others",
    )
    server.add_argument(
        "--results", choices=("json", "cbor"), help="how results are to be written on their way"
    )
    server.add_argument(
        "--droppable",
        action="store_true",
        help="results over a data channel that may lose some, and a second one for events",
    )
    video = parser.add_argument_group("the video")
    video.add_argument(
        *("--video", "--play-from"),
        type=Path,
        default=ROOT / "sample-video.mp4",
        metavar="FILE",
        help="default: the sample video",
    )
    video.add_argument("--begin", type=_seconds, default=0.0, metavar="S", help="begin here")
    video.add_argument("--duration", type=_seconds, metavar="S", help="end the session after this")
    video.add_argument("--loop", action="store_true", help="begin again at the end")
    output = parser.add_argument_group("what comes out")
    output.add_argument(
        "--results-to", type=Path, metavar="FILE", help="each result, a line of JSON"
    )
    output.add_argument(
        "--record-to", type=Path, metavar="FILE", help="video and sound that the server sends back"
    )
    output.add_argument(
        "--play", metavar="NAME", help="have it send something back: camera, or a published name"
    )
    output.add_argument(
        "--save-picture", type=Path, metavar="FILE", help="one result drawn on its frame, as PNG"
    )
    output.add_argument("--json", action="store_true", help="print the summary as JSON, only that")
    output.add_argument("--full", action="store_true", help="print the whole final result")
    output.add_argument("--verbose", "-v", action="store_true", help="log what WebRTC does")
    return parser.parse_args(argv)


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _seconds(text: str) -> float:
    value = float(text)
    if not 0 <= value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text} is no number of seconds")
    return value


def main(argv: Sequence[str] | None = None) -> int:
    """Run the client; returns the exit status."""
    arguments = parse_arguments(argv)
    logging.basicConfig(level=logging.DEBUG if arguments.verbose else logging.ERROR)
    console = Console(quiet=arguments.json)
    picture = PictureTaker() if arguments.save_picture else None
    try:
        received = ReceivedMedia(arguments.record_to) if arguments.record_to else None
        with _open_record(arguments.results_to) as results_to:
            summary = asyncio.run(_stream(arguments, console, results_to, picture, received))
        if received is not None and received.is_empty:
            console.print(
                f"no {arguments.record_to}: the server sent no video back; --play asks for some"
            )
        if picture is not None and not picture.save(arguments.save_picture):
            console.print(f"no picture in {arguments.save_picture}: no result had a pose")
    except (ClientError, OSError, ValueError, av.error.FFmpegError) as error:
        print(f"{Path(__file__).name}: {_words(error)}", file=sys.stderr)
        return USAGE_ERROR
    if arguments.json:
        print(json.dumps(summary.as_json()))
    print_summary(console, summary, full=arguments.full)
    return summary.exit_status


def _words(error: Exception) -> str:
    """An error without its number: "clip.mp4: No such file or directory"."""
    if isinstance(error, (OSError, av.error.FFmpegError)) and error.strerror and error.filename:
        return f"{error.filename}: {error.strerror}"
    return str(error)


@contextlib.contextmanager
def _open_record(path: Path | None) -> Iterator[TextIO | None]:
    if path is None:
        yield None
        return
    with path.open("w", encoding="utf-8") as file:
        yield file


async def _stream(
    arguments: argparse.Namespace,
    console: Console,
    results_to: TextIO | None,
    picture: PictureTaker | None,
    received: ReceivedMedia | None,
) -> Summary:
    stream = ClipStream(
        video=arguments.video,
        results_to=results_to,
        picture=picture,
        connected=received.start if received else None,
    )
    track = ClipTrack(
        arguments.video,
        play_from_s=arguments.begin,
        loop=arguments.loop,
        duration_s=arguments.duration,
        on_frame=stream.frame_sent,
    )
    scheme = "https" if arguments.secure or arguments.insecure else "http"
    host = f"[{arguments.host}]" if ":" in arguments.host else arguments.host
    peer = ClientPeer(
        f"{scheme}://{host}:{arguments.port}",
        use="http" if arguments.use_http else "auto",
        token=arguments.token,
        insecure=arguments.insecure,
        ice_addresses=arguments.ice_address,
        analyzers=arguments.analyzers,
        publish=arguments.name,
        results=arguments.results,
        events=arguments.droppable,
        ordered=not arguments.droppable,
        max_retransmits=0 if arguments.droppable else None,
        play=arguments.play,
        history=0,
        on_result=stream.result_arrived,
        on_track=received.take if received else None,
        on_message=stream.message_arrived,
    )
    display = choose_display(console, silent=arguments.json)
    try:
        async with peer:
            return await stream.run(peer, track, display, _stop_signal())
    finally:
        track.stop()
        if received is not None:
            await received.stop()


def _stop_signal() -> asyncio.Event:
    """Set by the first Ctrl-C, which ends the session in good order; a second one interrupts."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()

    def on_signal(number: int) -> None:
        loop.remove_signal_handler(number)
        stop.set()

    # Event loops on Windows take no signal handlers; there Ctrl-C just interrupts.
    with contextlib.suppress(NotImplementedError):
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, on_signal, number)
    return stop


if __name__ == "__main__":
    sys.exit(main())
