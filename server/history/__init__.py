"""Trainings that are kept: whose, which exercises, sets and repetitions; never a picture.

Only `database`, `reading`, `store` and what they import need SQLAlchemy and Alembic (the extra
``history``), and are imported when a database is named. May import `tasks` and `backoff`.
"""
