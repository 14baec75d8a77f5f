import pytest

from signaling.errors import (
    BadMessage,
    BadSdp,
    Busy,
    InternalError,
    NotAllowed,
    NotFound,
    SignalingError,
    Unauthorized,
    as_signaling_error,
    quote,
)


@pytest.mark.parametrize(
    ("error", "code", "headers"),
    [
        (SignalingError("x"), 400, {}),
        (BadMessage("x"), 400, {}),
        (BadSdp("x"), 400, {}),
        (Unauthorized("x"), 401, {"WWW-Authenticate": "Bearer"}),
        (NotAllowed("x"), 403, {}),
        (NotFound("x"), 404, {}),
        (InternalError("x"), 500, {}),
        (Busy("x", retry_after_s=7), 503, {"Retry-After": "7"}),
    ],
)
def test_each_error_carries_its_status(error, code, headers):
    assert error.to_data() == {"message": "x", "code": code}
    assert error.headers() == headers
    assert str(error) == "x"


def test_a_known_error_stays_and_another_loses_its_details():
    known = Busy("full", retry_after_s=3)
    assert as_signaling_error(known) is known
    unknown = as_signaling_error(KeyError("/etc/secret"))
    assert unknown.to_data() == {"message": "internal error", "code": 500}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", '"plain"'),
        ('a"b', r'"a\"b"'),
        ("a\r\nb", r'"a\r\nb"'),
        ("grün", r'"gr\xfcn"'),
        ("\ud800", r'"\ud800"'),
        (12, '"12"'),
        ("x" * 61, '"' + "x" * 57 + '..."'),
    ],
)
def test_quote_is_short_and_one_line(text, expected):
    assert quote(text) == expected
