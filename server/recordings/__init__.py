"""Recordings: of sessions, and of what can be watched; packets as they come, where there are any.

May import `broadcast`, `config` and the floors below; not `http`.
"""
