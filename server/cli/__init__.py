"""The subcommands of `kinecast`: `find`, `models`, `token`, without a running server.

May import every room from `api` down; not `announce`.
"""
