"""The subcommands of `kinecast`: `find`, `models`, `token`, without a running server.

May import `api` and the floors below; not `announce`.
"""
