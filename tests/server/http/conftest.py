"""No .env and no keys of ours."""

from tests.support.elsewhere import elsewhere  # noqa: F401
