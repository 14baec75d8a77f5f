"""Video for many viewers, encoded once or not at all: each gets the same packets.

May import `camera`, `sources`, `workers`, `rtc` and the floors below; not `config`.
"""
