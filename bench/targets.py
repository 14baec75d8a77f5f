"""What was set out to be reached, and whether it is."""

from collections.abc import Iterator
from dataclasses import dataclass

from bench.endurance import CyclesFigures, SoakFigures
from bench.measure import Figures

MIN_RESULTS_PER_S = 29.0
MAX_P50_SHARE, MAX_P95_SHARE = 0.35, 0.65
MIN_RESULTS_EACH_LOADED = 20.0
MAX_LAST_TO_FIRST = 1.3
MAX_P95_LOADED_MS = 200.0
MIN_RATE_SHARE = 0.95
MAX_P50_BESIDE_SLOW = 1.15
MAX_MEMORY_GROWTH = 1.05
LOADED_STREAMS = (3, 4)


@dataclass(frozen=True, slots=True)
class Check:
    """One target: what it is about, what was asked for, what was measured."""

    what: str
    asked: str
    measured: str
    reached: bool


def check_streams(ours: Figures, baseline: Figures) -> Iterator[Check]:
    """The targets for one number of streams."""
    if ours.streams == 1:
        yield at_least("1 stream: results/s", ours.results_per_s, MIN_RESULTS_PER_S)
        yield at_most("1 stream: p50, of baseline's", ours.p50_ms / baseline.p50_ms, MAX_P50_SHARE)
        yield at_most("1 stream: p95, of baseline's", ours.p95_ms / baseline.p95_ms, MAX_P95_SHARE)
    if ours.streams in LOADED_STREAMS:
        who = f"{ours.streams} streams"
        share = ours.results_per_s / baseline.results_per_s
        growth = ours.last_ms / ours.first_ms
        yield at_most(f"{who}: p50 of last 3 s, of first 3 s", growth, MAX_LAST_TO_FIRST)
        yield at_most(f"{who}: p95, ms", ours.p95_ms, MAX_P95_LOADED_MS)
        yield at_least(f"{who}: results/s, of baseline's", share, MIN_RATE_SHARE)
        each = ours.results_per_s / ours.streams
        yield at_least(f"{who}: results/s of each", each, MIN_RESULTS_EACH_LOADED)


def check_slow_model(alone: Figures, beside: Figures) -> Iterator[Check]:
    """Whether a model of 1 s a frame leaves pose alone."""
    share = beside.p50_ms / alone.p50_ms
    yield at_most("beside a model of 1 s: p50, of pose alone", share, MAX_P50_BESIDE_SLOW)


def check_soak(soak: SoakFigures) -> Iterator[Check]:
    """Whether memory stays flat."""
    share = soak.peak_later_mb / soak.peak_first_minute_mb
    what = f"{soak.minutes:g} min, {soak.streams} streams: peak memory, of first minute's"
    yield at_most(what, share, MAX_MEMORY_GROWTH)


def check_cycles(cycles: CyclesFigures) -> Iterator[Check]:
    """Whether everything that sessions held was given back."""
    for what in ("descriptors", "threads", "shared_memory"):
        before, after = getattr(cycles.before, what), getattr(cycles.after, what)
        name = f"{cycles.count} cycles: {what.replace('_', ' ')}"
        yield Check(name, f"back to {before}", str(after), after <= before)


def at_least(what: str, measured: float, least: float) -> Check:
    """A target that is reached from `least` upwards."""
    return Check(what, f">= {least:g}", f"{measured:.2f}", measured >= least)


def at_most(what: str, measured: float, most: float) -> Check:
    """A target that is reached up to `most`."""
    return Check(what, f"<= {most:g}", f"{measured:.2f}", measured <= most)
