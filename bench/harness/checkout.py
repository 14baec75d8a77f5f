"""Another checkout of the repository, whose server is measured beside this one's."""

import argparse
import zipfile
from pathlib import Path

from analyzers.pose import weights
from bench.harness.processes import MANY, ServerKind, with_pose


def named(text: str) -> Path:
    """The folder of a checkout, as a command line names it."""
    path = Path(text).resolve()
    if not (path / "server" / "__main__.py").exists():
        raise argparse.ArgumentTypeError(f"{text} is no checkout of Kinecast")
    return path


def server_of(root: Path, folder: Path) -> ServerKind:
    """Kinecast with pose and the bar code, of a checkout.

    Parameters
    ----------
    folder
        For files that it needs.
    """
    if not (root / "bench" / "barcode_analyzer.py").exists():
        return ServerKind(root.name, with_pose().arguments, root)
    # 0.1 has no supervisor, its bar code's analyzer is in another place, and it takes the networks
    # out of an installed MediaPipe: it is given ours.
    networks, bundle = weights.load(None), folder / "pose.task"
    with zipfile.ZipFile(bundle, "w") as file:
        file.writestr(weights.DETECTOR_IN_BUNDLE, networks.detector)
        file.writestr(weights.LANDMARKS_IN_BUNDLE, networks.landmarks)
    analyzers = "pose,bench.barcode_analyzer:BarcodeReader"
    flags = (*MANY, "--analyzers", analyzers, "--pose-model", str(bundle))
    return ServerKind(root.name, ("server", *flags), root)
