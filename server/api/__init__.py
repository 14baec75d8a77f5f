"""Every door of the main port: the table of routes, the handlers behind it, their messages.

May import `watching`, `ingest`, `search` and the floors below.
"""
