"""A pretended skin model, as an example of an analyzer in a package of its own.

The class is in `model.py`, what it works with in `skin.py`. Being slow on
purpose it proves that a slow analyzer slows no other. What it answers is made
up, and the same for the same frames.
"""

from analyzers.mock_model_2.model import MockModel2

__all__ = ["MockModel2"]
