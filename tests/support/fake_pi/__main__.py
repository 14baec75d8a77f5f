"""``python -m server`` on a machine that takes itself for a Raspberry Pi."""

import os

from server.__main__ import main
from tests.support import fake_pi

# A worker's process is started with this file, too, and needs no camera.
if __name__ == "__main__":
    fake_pi.install()
    if os.environ.get(fake_pi.ENCODER):
        fake_pi.install_encoder()
    main()
