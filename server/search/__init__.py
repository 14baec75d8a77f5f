"""Looking for a person in a video file, as fast as the machine allows.

May import `sessions` and the floors below; not `watching` or `ingest`.
"""
