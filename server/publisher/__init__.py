"""This machine's camera as a peer of a server elsewhere: ``python -m server.publisher``.

May import `http`, `recordings` and the floors below; not `sessions`.
"""
