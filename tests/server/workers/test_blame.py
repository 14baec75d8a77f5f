"""Which lane is at fault, and for how long it is held against a client."""

from server.workers.blame import CLIENT_FORGIVEN_S, Blame, Fault

CLIENTS = {"a": "ann", "b": "ann", "c": "ann", "bob's": "bob"}


def crash(*suspects: tuple[str, str]) -> Fault:
    return Fault("crash", "ended", suspects)


def test_the_second_time_in_a_session_it_is_left_out_of_it():
    blame = Blame()
    assert blame.charge(crash(("a", "pose")), CLIENTS, 0) is None
    assert blame.charge(crash(("b", "pose")), CLIENTS, 0) is None
    assert blame.charge(crash(("a", "reid")), CLIENTS, 0) is None
    assert blame.charge(crash(("a", "pose")), CLIENTS, 0) == ("a", "pose")
    blame.forget("a")
    assert blame.charge(crash(("a", "pose")), CLIENTS, 0) is None


def test_of_several_nobody_is_charged_and_of_a_kill_neither():
    blame = Blame()
    for _ in range(5):
        assert blame.charge(crash(("a", "pose"), ("bob's", "reid")), CLIENTS, 0) is None
        assert blame.charge(Fault("", "died", [("a", "pose")]), CLIENTS, 0) is None
    assert crash(("a", "pose"), ("bob's", "reid")).is_uncertain
    # Then one of them does it again, and it is known who it was.
    assert blame.charge(crash(("a", "pose")), CLIENTS, 0) == ("a", "pose")
    assert blame.charge(crash(("bob's", "pose")), CLIENTS, 0) is None
    assert not crash(("a", "pose")).is_uncertain
    assert blame.lanes_of("ann", 0) == []


def test_whoever_opens_one_session_after_the_other_is_known_for_a_while():
    blame = Blame()
    for sid in ("a", "b"):
        blame.charge(crash((sid, "pose+exercise")), CLIENTS, 10)
        blame.forget(sid)
        assert blame.lanes_of("ann", 10) == []
    blame.charge(crash(("a", "pose+exercise")), CLIENTS, 20)
    blame.charge(crash(("bob's", "pose+exercise")), CLIENTS, 20)
    assert blame.lanes_of("ann", 20) == ["pose+exercise"]
    assert blame.lanes_of("bob", 20) == []
    assert blame.lanes_of("ann", 11 + CLIENT_FORGIVEN_S) == []
