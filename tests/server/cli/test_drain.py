"""`kinecast drain` as it is typed: what is wrong is one line that says what to do."""

import pytest

from server.cli import drain


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ([], "required: NODE"),
        (["00", "01"], "unrecognized arguments: 01"),
        (["00", "--port", "x"], "invalid int value: 'x'"),
        (["00", "--pot", "1"], "unrecognized arguments"),
    ],
)
def test_what_is_wrong_is_said(line, said, capsys):
    assert drain.main(line) == 2
    told = capsys.readouterr().err
    assert said in told
    assert told.startswith("kinecast drain: ")
    assert told.count("\n") == 1
