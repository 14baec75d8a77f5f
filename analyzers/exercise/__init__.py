"""Exercise recognition, counting and scoring; `Exercise` is the analyzer."""

from analyzers.exercise.analyzer import Exercise

__all__ = ["Exercise"]
