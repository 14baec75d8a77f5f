"""What goes wrong with networks' files."""


class FetchError(RuntimeError):
    """Weights could not be fetched: one line that says why."""
