"""What happens here, told to another server: signed, in order, and again until it is taken.

May import `tasks` and `backoff`. `sessions` does not know it, only that somebody listens.
"""
