"""Video that the server itself fetches for a client: cameras, files, URLs, others' streams.

May import `media`, `security` and `tasks`; not `camera`, `workers` or `rtc`.
"""
