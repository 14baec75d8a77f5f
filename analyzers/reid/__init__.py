"""Who is who: compares people with a reference person."""

from analyzers.reid.analyzer import Reid

__all__ = ["Reid"]
