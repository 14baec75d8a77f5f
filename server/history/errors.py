"""What can go wrong with the database."""

from __future__ import annotations


class HistoryError(Exception):
    """One line that says what is wrong with it."""


class DatabaseAway(HistoryError):
    """It can not be read or written now; maybe later."""


class BadTraining(HistoryError):
    """The database takes others, and never this one."""


class TooManyNames(BadTraining):
    """Whose it is was never heard of, and so many are kept already; the text is for them."""
