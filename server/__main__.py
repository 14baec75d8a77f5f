"""The command line: ``python -m server``, or ``kinecast``."""

from __future__ import annotations

import importlib
import os
import sys

from server.watchdog import supervisor

# Each a module of server/cli, imported when it is asked for: serving needs none of them.
COMMANDS = ("models", "token", "webhook", "find", "learn", "drain", "cluster")
# Set for a process that is one of several nodes (server/cluster/node.py).
NODE = "KINECAST_NODE"


def main() -> None:
    """Serve, or carry out a command; a bad setting is one line and exit status 2."""
    # With the console script, a model in the working directory would not be found otherwise. Last,
    # since someone's project may have a package "server" too.
    if os.getcwd() not in sys.path and "" not in sys.path:
        sys.path.append(os.getcwd())

    # What is done without a command may be named as well.
    if sys.argv[1:2] == ["serve"]:
        del sys.argv[1]
    if sys.argv[1:2] and sys.argv[1] in COMMANDS:
        command = importlib.import_module(f"server.cli.{sys.argv[1]}")
        try:
            status = command.main(sys.argv[2:])
            sys.stdout.flush()
        except BrokenPipeError:
            # Whoever reads has read enough (`kinecast models list | head -1`).
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            status = 0
        raise SystemExit(status)

    try:
        _serve()
    except KeyboardInterrupt:
        # Before it listens; from then on Ctrl-C ends it in order.
        raise SystemExit(130) from None


def _serve() -> None:
    if os.environ.get(NODE) is None and _is_mentioned("cluster", "--cluster"):
        _serve_cluster()
    if os.environ.get(NODE) is None and _is_mentioned("nodes", "--nodes"):
        _serve_nodes()
    watched = None if _is_unwatched() else supervisor.supervise()

    from server.config import BadSettings, parse_settings

    try:
        settings = parse_settings(sys.argv[1:])
        _keep_certificate_to_ourselves()
        from server.http.log import log_to_stderr

        # aioice tells of every candidate pair, aiohttp of every request.
        log_to_stderr(verbose=settings.verbose, quiet=("aioice", "aiohttp.access"))

        from server.media.picture import limit_decoders

        # Before OpenCV is imported, which the application does.
        limit_decoders(settings.max_pixels)
        import asyncio

        from server.app import serve
        from server.cluster.node import this_node
        from server.event_loop import EventLoop
        from server.watchdog.stopping import ignore_from_now_on

        with asyncio.Runner(loop_factory=EventLoop) as runner:
            runner.run(serve(settings, watched, this_node()))
            ignore_from_now_on(runner.get_loop())
    except BadSettings as error:
        print(f"kinecast: {error}", file=sys.stderr)
        raise SystemExit(supervisor.BAD_SETTINGS) from None


def _serve_cluster() -> None:
    """Start nodes on several machines, where it is said which; they go on by themselves."""
    from server.config import BadSettings, parse_settings

    try:
        if not parse_settings(sys.argv[1:]).cluster:
            return
    except BadSettings:
        # It may be that only the other machines have what is missing here, secrets above all.
        if not any(flag.startswith("--cluster") for flag in sys.argv):
            return
    from server.cli import cluster

    raise SystemExit(cluster.main(["start", *sys.argv[1:]]))


def _serve_nodes() -> None:
    """Start several media processes, where more than one is asked for, and end with them."""
    from server.config import BadSettings, parse_settings

    try:
        settings = parse_settings(sys.argv[1:])
        if settings.nodes == 1:
            return
        from server.http.log import log_to_stderr

        log_to_stderr(verbose=settings.verbose, quiet=())
        from server.cluster import parent

        raise SystemExit(parent.run(settings))
    except BadSettings as error:
        print(f"kinecast: {error}", file=sys.stderr)
        raise SystemExit(supervisor.BAD_SETTINGS) from None


def _keep_certificate_to_ourselves() -> None:
    """Forget a variable that names our certificate: what we connect to is not to be told by it."""
    from server.config.variables import CERT, KEY

    if os.environ.get(KEY):
        os.environ.pop(CERT, None)


def _is_unwatched() -> bool:
    """Whether to serve in this very process.

    The settings know what a flag or a variable means, but take memory that a supervisor can do
    without: they are asked only where one of them is mentioned.
    """
    if not {"-h", "--help", "--version"}.isdisjoint(sys.argv):
        return True
    if not _is_mentioned("watchdog", "--no-watchdog"):
        return False

    from server.config import BadSettings, parse_settings

    try:
        return not parse_settings(sys.argv[1:]).watchdog
    except BadSettings:
        return True  # It is told of as ever.


def _is_mentioned(*names: str) -> bool:
    """Whether a flag, a variable or .env has one of these names."""
    given = [*sys.argv, *os.environ]
    try:
        with open(".env", encoding="utf-8", errors="replace") as file:
            given += file
    except OSError:
        pass  # There need not be one.
    mentioned = {text.partition("=")[0].removeprefix("export ").strip().lower() for text in given}
    return not mentioned.isdisjoint(names)


if __name__ == "__main__":
    main()
