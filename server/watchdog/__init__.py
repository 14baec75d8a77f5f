"""Watches over the media process from outside, and starts it again when it hangs or crashes.

May import `tasks` and `backoff`; the supervisor, a process of its own, imports next to nothing.
"""
