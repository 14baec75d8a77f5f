"""What an analyzer raises is told on one line, and logged with one stack trace."""

import logging

from analyzers.faults import FaultLog, describe


def test_an_exception_is_described_on_one_line():
    assert describe(ValueError("two\n  lines")) == "ValueError: two lines"
    assert describe(KeyError()) == "KeyError"
    assert len(describe(RuntimeError("very long " * 1000))) < 450


def test_each_kind_is_logged_with_its_trace_once(caplog):
    faults = FaultLog("s")
    with caplog.at_level(logging.DEBUG):
        for analyzer, phase, error in (
            ("a", "frame", ValueError()),
            ("a", "frame", ValueError("again")),
            ("a", "frame", KeyError()),
            ("a", "end", ValueError()),
            ("b", "frame", ValueError()),
        ):
            faults.log(analyzer, phase, error)
    assert [record.levelno == logging.ERROR for record in caplog.records] == [1, 0, 1, 1, 1]
    assert caplog.records[0].getMessage() == "session s: analyzer a raised in frame"
    assert caplog.records[0].exc_info[0] is ValueError
