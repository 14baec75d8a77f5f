"""This machine's camera as a peer of a server elsewhere: ``python -m server.publisher``."""
