"""What bench/reid.py prints."""

from collections.abc import Mapping
from dataclasses import asdict

from rich.console import Console
from rich.table import Column, Table

from bench.people.detection import DetectorFigures
from bench.people.identities import IdentityFigures
from bench.people.ranking import ModelFigures

Figures = ModelFigures | DetectorFigures


def as_json(
    models: Mapping[str, ModelFigures], detectors: Mapping[str, DetectorFigures]
) -> dict[str, dict[str, float]]:
    """What --json prints: every model's and every detector's name with its figures."""
    everything: dict[str, Figures] = {**models, **detectors}
    return {
        name: {key: value for key, value in asdict(figures).items() if value is not None}
        for name, figures in everything.items()
    }


def show(
    models: Mapping[str, ModelFigures],
    detectors: Mapping[str, DetectorFigures],
    identities: Mapping[str, IdentityFigures],
    console: Console,
) -> None:
    """Print all tables."""
    table = Table(
        Column("model", no_wrap=True),
        "Rank-1",
        "mAP",
        "ms a crop",
        "threshold",
        "false accept",
        "false reject",
    )
    for name, of in models.items():
        told = name if of.posed is None else f"{name} (landmarks in {of.posed:.0%})"
        shares = (f"{of.false_accept:.1%}", f"{of.false_reject:.1%}")
        table.add_row(
            told, f"{of.rank1:.1%}", f"{of.map:.1%}", f"{of.ms:.1f}", f"{of.threshold:.3f}", *shares
        )
    console.print(table)
    table = Table("detector", "recall", "precision", "ms a frame")
    for name, found in detectors.items():
        table.add_row(name, f"{found.recall:.1%}", f"{found.precision:.1%}", f"{found.ms:.1f}")
    console.print(table)
    table = Table("people followed by", "switches", "IDF1", "IDF1 at most")
    for name, kept in identities.items():
        table.add_row(name, str(kept.switches), f"{kept.idf1:.1%}", f"{kept.most:.1%}")
    console.print(table)
