"""Stands for the display library that picamera2 imports, and needs for windows only."""


class _Formats:
    """Every format is its own name."""

    def __getattr__(self, name):
        return name


PixelFormat = _Formats()
