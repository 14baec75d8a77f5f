"""Sealed embeddings: only this server opens them, and what is wrong with one has a name."""

import base64

import numpy as np
import pytest
from cryptography.fernet import Fernet
from hypothesis import given
from hypothesis import strategies as st

from analyzers.reid.embedding import Embedding
from server.security.embeddings import BadSealedEmbedding, EmbeddingCipher

KEY, OLD_KEY, OTHER_KEY = (base64.urlsafe_b64encode(bytes([n]) * 32).decode() for n in (1, 2, 3))
TOKEN = Embedding("a-network", np.arange(1, 257, dtype=np.float32)).token()
NOW = 1_800_000_000.0
DAY_S = 86_400


def cipher(*keys, ttl_s=0.0, now=NOW):
    return EmbeddingCipher(keys or (KEY,), ttl_s, lambda: now)


def refusal(of, sealed):
    with pytest.raises(BadSealedEmbedding) as raised:
        of.open(sealed)
    assert raised.value.code == 400
    assert "\n" not in raised.value.message
    return raised.value.error_code


def test_what_was_sealed_can_be_opened_and_names_model_and_size():
    sealed = cipher().seal(TOKEN)
    assert cipher().open(sealed) == TOKEN
    embedding = Embedding.from_token(cipher().open(sealed))
    assert (embedding.model, len(embedding.vector)) == ("a-network", 256)


def test_nothing_of_it_can_be_read():
    raw = base64.b64decode(cipher().seal(TOKEN))
    assert b"a-network" not in raw
    vector = Embedding.from_token(TOKEN).vector.tobytes()
    assert not any(vector[i : i + 8] in raw for i in range(len(vector) - 8))


def test_the_same_one_never_looks_the_same():
    assert cipher().seal(TOKEN) != cipher().seal(TOKEN)


def test_keys_can_be_changed():
    sealed = cipher(OLD_KEY).seal(TOKEN)
    assert cipher(KEY, OLD_KEY).open(sealed) == TOKEN
    # The first one seals.
    assert cipher(KEY).open(cipher(KEY, OLD_KEY).seal(TOKEN)) == TOKEN
    assert refusal(cipher(KEY), sealed) == "EMBEDDING_FOREIGN"


def test_of_another_server():
    assert refusal(cipher(KEY), cipher(OTHER_KEY).seal(TOKEN)) == "EMBEDDING_FOREIGN"


def test_too_old():
    sealed = cipher(ttl_s=DAY_S).seal(TOKEN)
    assert cipher(ttl_s=DAY_S, now=NOW + DAY_S).open(sealed) == TOKEN
    assert refusal(cipher(ttl_s=DAY_S, now=NOW + DAY_S + 2), sealed) == "EMBEDDING_EXPIRED"
    # A changed one is not told from an old one by its age.
    assert cipher(ttl_s=0, now=NOW + 1000 * DAY_S).open(sealed) == TOKEN


@given(position=st.integers(min_value=0), bit=st.integers(0, 7))
def test_no_bit_can_be_changed(position, bit):
    raw = bytearray(base64.b64decode(cipher().seal(TOKEN)))
    position %= len(raw)
    raw[position] ^= 1 << bit
    expected = "EMBEDDING_FOREIGN" if position < 4 else "EMBEDDING_TAMPERED"
    assert refusal(cipher(), base64.b64encode(raw).decode()) == expected


@given(st.integers(1, 400))
def test_nothing_can_be_cut_off(count):
    raw = base64.b64decode(cipher().seal(TOKEN))
    cut = base64.b64encode(raw[: len(raw) - count]).decode()
    assert refusal(cipher(), cut) == "EMBEDDING_TAMPERED"


@pytest.mark.parametrize(
    "text", ["", "AAAA", "no base64!", "é", "A" * 100_000, TOKEN[:-1], "\ud800"]
)
def test_what_is_none(text):
    assert refusal(cipher(), text) == "EMBEDDING_INVALID"


def test_a_plain_embedding_is_not_taken_for_a_sealed_one():
    assert refusal(cipher(), TOKEN) == "EMBEDDING_FOREIGN"


def test_other_things_sealed_with_the_key_are_no_embeddings():
    assert refusal(cipher(), cipher().seal("hello")) == "EMBEDDING_INVALID"
    key_id = base64.b64decode(cipher().seal(TOKEN))[:4]
    sealed = key_id + base64.urlsafe_b64decode(Fernet(KEY).encrypt(b"\xff\xfe"))
    assert refusal(cipher(), base64.b64encode(sealed).decode()) == "EMBEDDING_INVALID"


def test_a_vault_needs_a_key():
    with pytest.raises(ValueError, match="key"):
        EmbeddingCipher((), 0)


def test_what_was_sealed_for_one_opens_for_nobody_else():
    sealed = cipher().seal(TOKEN, "ann")
    assert cipher().open(sealed, "ann") == TOKEN
    for other in ("bob", "an", "", None):
        with pytest.raises(BadSealedEmbedding) as refused:
            cipher().open(sealed, other)
        assert refused.value.error_code == "EMBEDDING_FOREIGN"
    with pytest.raises(BadSealedEmbedding):
        cipher().open(cipher().seal(TOKEN), "ann")


def test_one_of_a_time_to_come_does_not_open():
    sealed = cipher(now=NOW + DAY_S).seal(TOKEN)
    assert refusal(cipher(), sealed) == "EMBEDDING_EXPIRED"
    assert cipher(now=NOW - 60).open(cipher(now=NOW).seal(TOKEN)) == TOKEN
