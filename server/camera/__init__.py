"""A camera of this machine: its pictures, taken once for all who want them.

May import `media`, `security`, `tasks` and `backoff`; not `sources`, `workers` or `rtc`.
"""
