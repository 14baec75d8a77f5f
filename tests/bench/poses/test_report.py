"""The tables and the JSON say what was measured."""

import json
import math

import pytest

from bench.poses.accuracy import DifferenceFigures, TruthFigures
from bench.poses.compare import Agreement, Spread
from bench.poses.figures import ProcessesFigures, speed
from bench.poses.people import PeopleFigures
from bench.poses.report import PoseReport
from bench.poses.turns import Answers
from bench.targets import at_least

F32 = "openvino f32"


@pytest.fixture
def report() -> PoseReport:
    ratios = {unit: Spread(0.5, math.nan) for unit in ("px", "world_cm", "angle_deg")}
    spreads = {unit: Spread(1.25, 4.0) for unit in ratios}
    slow, fast = Answers(wall_ms=[10, 10, 40], cpu_ms=[9, 9, 9]), Answers(wall_ms=[5, 5, 5])
    fast.cpu_ms = [5.0, 5.0, 5.0]
    return PoseReport(
        "quick",
        speed=[speed("squat", "mediapipe", [slow]), speed("squat", F32, [fast])],
        processes=[
            ProcessesFigures("mediapipe", 100.0, 99.0, 101.0, 20.0),
            ProcessesFigures(F32, 190.0, 180.0, 192.0, 10.5),
        ],
        differences=[DifferenceFigures("all", F32, Agreement(7, 2, 1, 0), spreads, ratios)],
        errors=[TruthFigures(F32, 7, spreads, ratios)],
        people=[PeopleFigures(F32, True, 62.51, 0.25, 35.0, 34.0)],
        checks=[at_least("speed", 1.9, 1.8)],
        notes=["A note."],
    )


def rows(markdown: str) -> list[list[str]]:
    lines = [line for line in markdown.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


@pytest.mark.parametrize(
    "row",
    [
        ["squat", "3", "10.0, 20.0, 9.0", "5.0, 5.0, 5.0", "1.80 x", "0, 0"],
        [F32, "190", "180 to 192", "1.90 x", "10.5"],
        ["all", F32, "7", "2", "1", *["1.25, 4.00 (0.50, nan)"] * 3],
        [F32, "7", *["1.25, 4.00 (0.50, nan)"] * 2],
        [F32, "yes", "62.5", "0.25", "35.0", "34.0"],
        ["speed", ">= 1.8", "1.90", "reached"],
    ],
)
def test_rows_of_the_page(report: PoseReport, row: list[str]) -> None:
    assert row in rows(report.markdown())


def test_the_page_leaves_out_what_was_not_measured(report: PoseReport) -> None:
    page = report.markdown()
    assert "nobody in view" not in page
    assert "Several people" in page
    assert page.endswith("A note.\n")


def test_json_has_the_figures_and_null_for_what_is_no_number(report: PoseReport) -> None:
    figures = json.loads(report.json())
    assert figures["speed"][0]["mean_ms"] == 20.0
    (difference,) = figures["differences"]
    assert difference["of_noise"]["px"] == {"median": 0.5, "p95": None}
    assert difference["agreement"]["only_first"] == 2
    assert figures["checks"][0]["reached"] is True


def test_a_missed_target_is_noticed(report: PoseReport) -> None:
    assert report.reached
    report.checks.append(at_least("speed", 1.7, 1.8))
    assert not report.reached


def test_speed_over_several_clips_is_of_all_their_frames() -> None:
    parts = [Answers(wall_ms=[1, 1, 1], cpu_ms=[1, 1, 1]), Answers(wall_ms=[9], cpu_ms=[5])]
    figures = speed("all", F32, parts)
    assert (figures.frames, figures.median_ms, figures.mean_ms, figures.cpu_ms) == (4, 1, 3, 2)
