"""Tokens: what they say, who signed them, when they end."""

import base64
import json

import jwt
import pytest

from server.security import tokens
from server.security.identity import ANONYMOUS, Identity, Scope
from signaling.errors import Unauthorized

SECRET = "a" * 48
OTHER = "b" * 48
NOW = 2_000_000_000


def claims(**changes):
    whole = {"sub": "ann", "scope": "view", "exp": NOW + 100, **changes}
    return {k: v for k, v in whole.items() if v is not None}


def test_a_token_says_who_and_what():
    token = tokens.issue(SECRET, [Scope.VIEW, Scope.PUBLISH], 60, "ann")
    assert tokens.verify(SECRET, token) == Identity(
        "ann", frozenset({Scope.VIEW, Scope.PUBLISH}), client="ann"
    )


def test_no_two_are_alike_and_each_has_a_holder_of_its_own():
    made = [tokens.issue(SECRET, [Scope.VIEW], 60) for _ in range(20)]
    assert len({tokens.verify(SECRET, token).subject for token in made}) == 20
    ids = {jwt.decode(token, SECRET, ["HS256"])["jti"] for token in made}
    assert len(ids) == 20
    of_one = [tokens.issue(SECRET, [Scope.VIEW], 60, "ann") for _ in range(2)]
    assert of_one[0] != of_one[1]


def test_it_ends_when_it_was_said_to():
    with pytest.raises(Unauthorized, match="expired"):
        tokens.verify(SECRET, tokens.issue(SECRET, [Scope.VIEW], 60, now_s=1_000_000_000))


@pytest.mark.parametrize(
    "token",
    [
        "",
        "hello",
        "a.b.c",
        tokens.issue(OTHER, [Scope.CONTROL], 60),
        jwt.encode(claims(), "", "none"),
        jwt.encode(claims(), SECRET, "HS384"),
        jwt.encode(claims(exp=None), SECRET, "HS256"),
        jwt.encode(claims(sub=None), SECRET, "HS256"),
        jwt.encode(claims(sub="ann\nbob"), SECRET, "HS256"),
        jwt.encode(claims(scope=None), SECRET, "HS256"),
        jwt.encode(claims(scope=["view"]), SECRET, "HS256"),
        jwt.encode(claims(nbf=NOW), SECRET, "HS256"),
    ],
    ids=[
        *("empty", "text", "dots", "other secret", "unsigned", "other hash", "no end", "no holder"),
        *("two lines", "no scope", "a list", "not yet"),
    ],
)
def test_what_this_server_did_not_sign_or_does_not_understand(token):
    with pytest.raises(Unauthorized) as raised:
        tokens.verify(SECRET, token)
    assert raised.value.headers() == {"WWW-Authenticate": "Bearer"}
    assert token == "" or token not in raised.value.message


def test_a_scope_can_not_be_added():
    head, _, signature = tokens.issue(SECRET, [Scope.VIEW], 60, "ann").split(".")
    forged = base64.urlsafe_b64encode(json.dumps(claims(scope="control")).encode()).rstrip(b"=")
    with pytest.raises(Unauthorized):
        tokens.verify(SECRET, f"{head}.{forged.decode()}.{signature}")


def test_scopes_that_nobody_knows_allow_nothing():
    identity = tokens.verify(SECRET, jwt.encode(claims(scope="root view"), SECRET, "HS256"))
    assert identity.scopes == {Scope.VIEW}


@pytest.mark.parametrize(
    ("scopes", "ttl_s", "subject", "says"),
    [
        ([], 60, None, "scope"),
        ([Scope.VIEW], 0, None, "second"),
        ([Scope.VIEW], 1e12, None, "ten years"),
        ([Scope.VIEW], 60, "", "subject"),
        ([Scope.VIEW], 60, "two words", "subject"),
    ],
)
def test_tokens_that_make_no_sense(scopes, ttl_s, subject, says):
    with pytest.raises(tokens.BadTokenRequest, match=says):
        tokens.issue(SECRET, scopes, ttl_s, subject)


def test_a_secret_must_not_be_guessable():
    tokens.check_secret(SECRET)
    with pytest.raises(ValueError, match="openssl rand -hex 32"):
        tokens.check_secret("x" * 31)


def test_what_belongs_to_whom():
    ann, bob = (Identity(n, frozenset({Scope.PUBLISH, Scope.VIEW})) for n in ("ann", "bob"))
    operator = Identity("op", frozenset({Scope.CONTROL}))
    assert ann.may_touch("ann")
    assert not bob.may_touch("ann")
    # What was opened without a token belongs to nobody who has one.
    assert not bob.may_touch(None)
    assert operator.may_touch("ann")
    assert operator.may_touch(None)
    assert ANONYMOUS.may_touch(None)
    assert operator.may(Scope.PUBLISH)
    assert not Identity("eve", frozenset({Scope.VIEW})).may(Scope.PUBLISH)
