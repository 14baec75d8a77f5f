"""``python -m server`` whose event loop hangs when its process gets SIGUSR1."""

import signal
import sys

from server.__main__ import main

COMMAND = (sys.executable, "-m", "tests.support.hanging")


def hang_here(*_: object) -> None:
    """Never return."""
    while True:
        pass


if __name__ == "__main__":
    signal.signal(signal.SIGUSR1, hang_here)
    main()
