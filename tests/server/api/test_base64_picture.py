"""Pictures as base64, in the forms that clients make."""

import base64
import binascii

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.api.base64_picture import decode_base64
from server.media.picture import BadPicture


@given(st.binary(max_size=300))
def test_what_was_encoded_comes_back(data):
    text = base64.b64encode(data).decode()
    assert decode_base64(text) == data
    assert decode_base64(f"data:image/png;base64,{text}") == data
    assert decode_base64(text.rstrip("=")) == data
    assert decode_base64(base64.encodebytes(data).decode()) == data


@given(st.text(max_size=100))
def test_other_text_is_refused_or_is_base64_after_all(text):
    try:
        data = decode_base64(text)
    except BadPicture:
        return
    joined = "".join(text.rpartition(",")[2].split())
    assert binascii.a2b_base64(joined + "==") == data


@pytest.mark.parametrize(
    "text",
    ["@@@@", "abc=def", "a", "é", "data:image/png;base64", "data:image/png,abcd", "data:,abcd"],
)
def test_no_base64(text):
    with pytest.raises(BadPicture):
        decode_base64(text)
