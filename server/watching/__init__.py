"""What can be watched by name: the camera, sessions as they came, sessions annotated.

May import `sessions` and the floors below; not `ingest` or `search`.
"""
