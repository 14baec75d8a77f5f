"""Recordings: of sessions, encoded on a thread; of what can be watched, as its packets come.

May import `broadcast`, `config` and the floors below; not `http`.
"""
