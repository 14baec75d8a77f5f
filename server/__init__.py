"""The server process. Its rooms stand on floors; a room imports from floors below its own only.

    __main__                                the command line
    app                                     puts everything together, runs it, ends it
    announce, cli                           what the log says when it is up; `kinecast` subcommands
    api                                     every door: routes, and the handlers behind them
    watching, ingest, search                what can be watched; what feeds sessions; file search
    sessions, publisher                     frames in, results out; this camera to another server
    cluster                                 several media processes that are one server
    http, recordings                        what every request passes; files that are kept
    broadcast, config                       packets for many viewers; the settings
    camera, sources, workers, rtc           where video comes from; where analyzers run; WebRTC
    media, security, watchdog, webhooks, history    pictures; tokens; supervisor; events; trainings
    tasks, backoff, event_loop              tasks with an owner; pauses between tries; the loop

Rooms of one floor do not know each other. All may import `signaling` and `analyzers`, which know
nothing of the server. The contracts in pyproject.toml ([tool.importlinter]) hold this.
"""
