"""There is one cv2: several packages bring one, pip lets them overwrite each other's files."""

from importlib.metadata import packages_distributions


def test_one_package_brings_cv2():
    assert packages_distributions()["cv2"] == ["opencv-python"], (
        "an environment from before keeps what is not asked for any more: make clean"
    )
