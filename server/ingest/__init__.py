"""What feeds a session when no peer does: pictures, sources that the server reads, its camera.

May import `sessions` and the floors below; not `watching` or `search`.
"""
