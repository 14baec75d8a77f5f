"""What the client is told when something is refused."""

import pytest


def refusal(error, function, *arguments, **keywords):
    """Return the text with which `function` refuses, which must be one short line."""
    with pytest.raises(error) as caught:
        function(*arguments, **keywords)
    text = caught.value.message
    assert "\n" not in text
    assert "pydantic" not in text
    assert len(text) < 300
    return text
