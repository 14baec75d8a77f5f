"""Results over a channel that may lose some, and on which an older one may come after a newer."""

from client_test.reading import Reading

FIRST, SECOND = ({"exercise": "squat", "end_ms": end_ms} for end_ms in (900, 2100))


def read(*results):
    seen, told = [], []
    reading = Reading(seen.append, told.append)
    for number, repetition in results:
        message = {"frame": {"number": number, "received_at": 0.0}, "repetition": repetition}
        reading.result({"final": False, **message})
    return [each.number for each in seen], [each.detail for each in told]


def test_each_repetition_is_told_once_though_results_come_late():
    seen, told = read((1, None), (2, FIRST), (4, SECOND), (3, FIRST), (5, SECOND))
    assert seen == [1, 2, 4, 5]
    assert told == [FIRST, SECOND]


def test_one_that_had_to_arrive_is_told_though_it_comes_late():
    assert read((4, SECOND), (3, FIRST), (5, SECOND))[1] == [SECOND, FIRST]


def test_what_others_call_a_repetition_is_none():
    assert read((1, 3), (2, 4)) == ([1, 2], [])


def test_results_go_on_where_frames_begin_anew_in_the_same_session():
    """As when the process that had it has died: nobody waits until its numbers are reached."""
    seen = []
    reading = Reading(seen.append, lambda _: None)
    for number in (500, 501):
        reading.result({"frame": {"number": number, "received_at": 0.0}})
    reading.message({"type": "analyzers_restarted", "analyzers": ["counter"], "message": "gone"})
    for number in (1, 3, 2):
        reading.result({"frame": {"number": number, "received_at": 0.0}})
    assert [each.number for each in seen] == [500, 501, 1, 3]
