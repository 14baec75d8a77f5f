"""Video that the server itself fetches for a client: cameras, files, URLs, others' streams.

May import `media`, `security`, `tasks` and `backoff`; not `camera`, `workers` or `rtc`.
"""
