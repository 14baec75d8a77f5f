"""Alembic runs this: the steps that are missing, on the connection that it was given."""

from __future__ import annotations

from alembic import context

from server.history.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
# The transaction is whoever's that opened the connection.
context.run_migrations()
