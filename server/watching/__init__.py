"""What can be watched by name: the camera, sessions as they came, sessions annotated.

May import `sessions`, `broadcast` and the floors around and below them; not `ingest` or `search`.
"""
