"""What a stream came to: a table for people, JSON for machines."""

from dataclasses import asdict, dataclass
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.pretty import Pretty
from rich.table import Table

Percentiles = dict[str, float]

ANALYZER_FAILED = 3


@dataclass(frozen=True, slots=True)
class Summary:
    """Figures of one stream.

    Attributes
    ----------
    door
        The URL that took the offer.
    session_id
        None with servers that name no sessions.
    results
        Results that came, without the final one.
    latency_ms
        p50, p95, p99 from a frame's going to the encoder to its result's arrival; None where
        results name no frame.
    server_ms
        The same from the frame's arrival at the server; None where the clocks are not known.
    with_pose
        How many results had ``has_pose`` true; None if no result had the key.
    dropped
        Frames that the server skipped, by its own count.
    final
        The final result; None if it did not come.
    trouble
        What went wrong on the way, in a line.
    problems
        What the server told of its analyzers: ``analyzer``, ``phase``, ``message`` of each.
    """

    door: str
    session_id: str | None
    video: str
    seconds: float
    frames_sent: int
    frames_skipped: int
    results: int
    results_per_s: float
    latency_ms: Percentiles | None
    server_ms: Percentiles | None
    with_pose: int | None
    dropped: int
    final: dict[str, Any] | None
    trouble: str | None
    problems: tuple[dict[str, str], ...] = ()

    @property
    def exit_status(self) -> int:
        """0 if all went well; 1 without a final result or, where results tell of poses, without one
        that had a pose; 3 if an analyzer failed.
        """
        if self.final is not None and self.problems:
            return ANALYZER_FAILED
        return 0 if self.final is not None and self.with_pose != 0 else 1

    def as_json(self) -> dict[str, Any]:
        """What ``--json`` prints."""
        return asdict(self) | {"exit_status": self.exit_status}


def print_summary(console: Console, summary: Summary, *, full: bool) -> None:
    """Print the table and the final result, its lists elided unless `full`."""
    table = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
    for name, value in _rows(summary):
        table.add_row(f"[bold]{name}", value)
    parts: list[RenderableType] = [table]
    if summary.final is not None:
        final = summary.final if full else elide(summary.final)
        parts += ["", "[bold]final result", Pretty(final)]
    console.print(Group(*parts))
    for problem in summary.problems:
        text = f"{problem['analyzer']} failed in {problem['phase']}: {problem['message']}"
        console.print(text, style="bold red", soft_wrap=True, highlight=False, markup=False)
    if summary.trouble:
        console.print(summary.trouble, style="bold red", soft_wrap=True, highlight=False)


def _rows(summary: Summary) -> list[tuple[str, str]]:
    share = "results do not say"
    if summary.with_pose is not None:
        percent = 100 * summary.with_pose / max(summary.results, 1)
        share = f"{summary.with_pose} of {summary.results} ({percent:.0f} %)"
    skipped = f" ({summary.frames_skipped} skipped)" if summary.frames_skipped else ""
    return [
        ("server", summary.door),
        ("session", summary.session_id or "not named"),
        ("frames sent", f"{summary.frames_sent} in {summary.seconds:.1f} s{skipped}"),
        ("results", f"{summary.results} ({summary.results_per_s:.1f}/s)"),
        ("latency", _percentiles(summary.latency_ms)),
        ("of it in the server", _percentiles(summary.server_ms)),
        ("has_pose", share),
        ("dropped", str(summary.dropped)),
    ]


def _percentiles(values: Percentiles | None) -> str:
    if values is None:
        return "not known"
    return ", ".join(f"{name} {value:.1f} ms" for name, value in values.items())


def elide(value: Any, *, keep: int = 1) -> Any:
    """The same value with long lists cut to `keep` items and a note of how many there were."""
    if isinstance(value, dict):
        return {key: elide(item, keep=keep) for key, item in value.items()}
    if not isinstance(value, list):
        return value
    shown = [elide(item, keep=keep) for item in value[:keep]]
    return shown if len(value) <= keep else [*shown, f"… {len(value) - keep} more"]
