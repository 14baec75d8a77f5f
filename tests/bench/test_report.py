"""What a bench prints, and its exit status."""

import argparse
import json
import math

import pytest

from bench.harness.report import BadInput, Report, at_least, at_most, run


@pytest.fixture
def asked(tmp_path):
    return argparse.Namespace(json=False, markdown=tmp_path / "page.md")


def fill(asked, report):
    table = report.table("Speed", "clip", "ms:.1f", "share:.2f")
    table.add("squat", 4.04, None)
    table.add("all", math.nan, 0.5)
    report.table("Nothing", "of it")
    report.check(at_least("speed", 1.9, 1.8))


def test_cells_are_written_as_their_columns_say(asked, capsys):
    assert run("Title", asked, fill) == 0
    page = asked.markdown.read_text()
    assert "| squat | 4.0 | - |\n| all | nan | 0.50 |" in page
    assert "| speed | >= 1.8 | 1.90 | reached |" in page
    assert "Nothing" not in page
    assert "Other processes took" in page
    assert "squat" in capsys.readouterr().out


def test_json_is_the_figures_and_nothing_else(asked, capsys):
    def told(asked, report):
        report.figures = {"model": {"ms": 3.5, "map": math.nan}}

    asked.json = True
    assert run("Title", asked, told) == 0
    assert json.loads(capsys.readouterr().out) == {"model": {"ms": 3.5, "map": None}}


async def _missed(asked, report):
    report.check([at_most("speed", 1.9, 1.8), at_most("memory", math.nan, 1.8)])


def _failed(asked, report):
    fill(asked, report)
    raise RuntimeError("no server")


def _absent(asked, report):
    raise BadInput("there is no folder")


def _interrupted(asked, report):
    fill(asked, report)
    raise KeyboardInterrupt


@pytest.mark.parametrize(
    ("measure", "status"), [(_missed, 1), (_failed, 1), (_absent, 2), (_interrupted, 130)]
)
def test_the_exit_status_says_how_it_went(asked, measure, status):
    assert run("Title", asked, measure) == status


def test_what_was_measured_before_a_failure_is_told(asked):
    run("Title", asked, _failed)
    page = asked.markdown.read_text()
    assert "| squat | 4.0 | - |" in page
    assert "Ended early: no server" in page


def test_a_report_prints_by_itself():
    report = Report("Title")
    fill(None, report)
    report.print()
