"""A server that keeps no small picture, so that each that is asked for is made."""

import sys

from server.__main__ import main
from server.watching import thumbnails

if __name__ == "__main__":
    thumbnails.GOOD_FOR_S = 0.0
    sys.exit(main())
