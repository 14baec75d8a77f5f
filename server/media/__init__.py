"""Pictures and time: decoding, encoding, conversion, a session's clock. Knows no network.

May import `tasks` and `backoff`; not `security`.
"""
