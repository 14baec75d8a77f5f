"""The subcommands of `kinecast`: `find`, `learn`, `models`, `token`, without a running server.

May import `api` and the floors below; not `announce`.
"""
