"""The bench of what exercise scoring costs: what it goes through, and what it says."""

import pytest

from analyzers.exercise import Exercise
from bench import exercise_cost
from bench.harness.report import Report


def test_the_chain_is_measured_on_the_sample_and_several_people_on_what_pose_says_of_it():
    report = Report("x")
    posed = exercise_cost.measure_chain(1, report)
    (chain,) = report.tables
    shares = [float(row[-1]) for row in chain.rows]
    assert [row[0] for row in chain.rows] == ["mean", "median"]
    assert all(share > 0.0 for share in shares)
    assert len(posed) > 200
    assert sum(each["has_pose"] for each in posed) > 200
    exercise_cost.measure_people(posed, 3, report)
    people = report.tables[1]
    count, frame_ms, each_ms, _ = people.rows[0]
    assert count == "3"
    assert float(frame_ms) == pytest.approx(3.0 * float(each_ms), abs=0.02)
    assert len(report.checks) == 3


def test_all_the_people_of_a_frame_are_scored(monkeypatch):
    ended = []
    whole = Exercise.end

    def end(self, sid, *more):
        ended.append(list(self._sessions[sid].everyone._people))
        return whole(self, sid, *more)

    monkeypatch.setattr(Exercise, "end", end)
    point = {"x": 0.5, "y": 0.5, "z": 0.0, "visibility": 0.9}
    body = {"landmarks": [point] * 33, "world_landmarks": [point] * 33}
    posed = [{"has_pose": True, "at_ms": 40.0 * number, **body} for number in range(40)]
    exercise_cost.measure_people(posed, 8, Report("x"))
    assert ended == [list(range(1, 9))]
