"""Heart and breathing rate from the face, and how sure that is; not a medical device."""

from analyzers.vitals.analyzer import Vitals

__all__ = ["Vitals"]
