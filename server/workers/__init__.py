"""The processes that run analyzers: the pool, a worker's dispatcher, shared memory between them.

May import `media`, `security`, `tasks`, `backoff` and `analyzers`; not `camera`, `sources` or
`rtc`.
"""
