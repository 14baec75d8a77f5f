"""Targets are reached and missed where they should be."""

import math

import pytest

from bench.poses import targets
from bench.poses.accuracy import DifferenceFigures, TruthFigures
from bench.poses.compare import Agreement, Spread
from bench.poses.empty import MOVING, STILL, STILL_NOISY
from bench.poses.figures import SpeedFigures
from bench.poses.people import PeopleFigures
from bench.poses.report import PoseReport

F32, BF16 = "openvino f32", "openvino bf16"


def speed(clip: str, engine: str, mean_ms: float, cpu_ms: float = 1.0) -> SpeedFigures:
    return SpeedFigures(clip, engine, 100, mean_ms, mean_ms, cpu_ms, 100)


@pytest.mark.parametrize(("f32_ms", "reached"), [(10.0, True), (10.2, False)])
def test_speed_is_of_cpu_time_over_all_clips(f32_ms: float, reached: bool) -> None:
    figures = [
        *(speed("one", "mediapipe", 1.0, 1.0), speed("one", F32, 1.0, 99.0)),
        *(speed("all", "mediapipe", 99.0, 18.0), speed("all", F32, 1.0, f32_ms)),
    ]
    (check,) = targets.check_speed(figures)
    assert (check.reached, check.measured) == (reached, f"{18 / f32_ms:.2f}")


def test_each_precision_has_its_own_speed_to_reach() -> None:
    cpu_ms = {"mediapipe": 10.0, F32: 5.0, BF16: 4.1}
    figures = [speed("all", engine, 1.0, ms) for engine, ms in cpu_ms.items()]
    checks = list(targets.check_speed(figures))
    assert [(c.asked, c.measured, c.reached) for c in checks] == [
        (">= 1.8", "2.00", True),
        (">= 2.5", "2.44", False),
    ]


def spreads(median: float, p95: float) -> dict[str, Spread]:
    return {"px": Spread(1.0, 1.0), "angle_deg": Spread(median, p95)}


def test_differences_are_judged_by_the_worst_unit_over_all_clips() -> None:
    figures = [
        DifferenceFigures("real", F32, Agreement(), {}, spreads(9.0, 9.0)),
        DifferenceFigures("all", "mediapipe, noise", Agreement(), {}, spreads(1.0, 1.0)),
        DifferenceFigures("all", F32, Agreement(), {}, spreads(1.4, 1.6)),
        DifferenceFigures("all", BF16, Agreement(), {}, spreads(2.4, 1.6)),
    ]
    checks = list(targets.check_differences(figures))
    assert [(c.measured, c.reached) for c in checks] == [
        *(("1.40", True), ("1.60", False)),
        *(("2.40", True), ("1.60", True)),
    ]


def test_errors_may_be_three_percent_above() -> None:
    figures = [TruthFigures(F32, 10, {}, spreads(1.02, 1.04))]
    checks = list(targets.check_errors(figures))
    assert [(c.measured, c.reached) for c in checks] == [("1.02", True), ("1.04", False)]


def test_what_could_not_be_measured_falls_short() -> None:
    figures = [TruthFigures(F32, 10, {}, spreads(math.nan, 1.0))]
    assert [check.reached for check in targets.check_errors(figures)] == [False, True]


def test_people_are_found_with_the_detector() -> None:
    figures = [
        PeopleFigures(F32, False, 20.0, 0.0, 90.0, 90.0),
        PeopleFigures(F32, True, 63.0, 0.0, 41.0, 41.0),
    ]
    checks = list(targets.check_people(figures))
    assert [(c.measured, c.reached) for c in checks] == [("63.00", True), ("41.00", False)]


def test_nobody_in_view_is_judged_by_the_slowest_scene() -> None:
    figures = [speed(STILL, F32, 2.0), speed(STILL_NOISY, F32, 8.0), speed(MOVING, F32, 4.0)]
    checks = list(targets.check_empty(figures))
    assert [(c.measured, c.reached) for c in checks] == [("8.00", False), ("0.50", True)]


def test_a_report_of_nothing_has_no_targets() -> None:
    report = PoseReport("nothing")
    assert list(targets.check_all(report)) == []
    assert report.reached
