"""Results that may be lost, and what must arrive: which of a peer's channels carries what."""

from types import SimpleNamespace

import pytest

from analyzers.compact import LAYOUT, Form
from server.sessions import data_channel
from server.sessions.data_channel import DataChannelSink
from server.sessions.metrics import Metrics
from server.sessions.results import Result, Timing
from server.sessions.values import Values
from server.workers.mailbox import FrameInfo
from tests.support.data_channel import Channel

NOTICE = {"type": "analyzers_restarted"}
REPETITION = ("repetition",)


@pytest.fixture
def metrics():
    return Metrics()


@pytest.fixture
def make_sink(metrics):
    """A sink of a client that wants results in a form, and what it did to the session."""

    def make(*channels, form=Form.JSON):
        ended = []
        session = SimpleNamespace(sid="s", health=None)
        sink = DataChannelSink(session, metrics, lambda: ended.append(True), form)
        for channel in channels:
            assert sink.take(channel)
        sink.ended, sink.session = ended, session
        return sink

    return make


def result(number, events=(), *, final=False):
    frame = FrameInfo(number, 0.0, 0.0, 0.0, 640, 480)
    values = Values({"repetition": b'{"score":91}', "reps": b"1"})
    return Result(frame, values, Timing(0.0, {}, {}), 0, final, events)


def droppable(**settings):
    return Channel("kinecast", lossy=True, **settings)


def send_all(sink):
    sink.result(result(1))
    sink.notice(NOTICE)
    sink.result(result(2, REPETITION))
    sink.result(result(3))
    sink.final(result(3, final=True))


@pytest.mark.parametrize("events_first", [True, False])
def test_results_go_over_one_and_what_must_arrive_over_the_other(make_sink, events_first):
    events, results = Channel("events"), droppable()
    make = (events, results) if events_first else (results, events)
    send_all(make_sink(*make))
    assert results.types() == [1, 3]
    assert events.types() == ["analyzers_restarted", 2, "final"]


@pytest.mark.parametrize("label", ["data", "events"])
def test_one_alone_carries_everything(make_sink, label):
    only = Channel(label)
    send_all(make_sink(only))
    assert only.types() == [1, "analyzers_restarted", 2, 3, "final"]


def test_one_labelled_events_carries_everything_until_another_opens(make_sink):
    events, results = Channel("events"), droppable()
    sink = make_sink(events)
    sink.result(result(1))
    assert sink.take(results)
    send_all(sink)
    assert events.types() == [1, "analyzers_restarted", 2, "final"]
    assert results.types() == [1, 3]


def test_two_that_are_both_labelled_events(make_sink):
    first, second = Channel("events"), Channel("events")
    send_all(make_sink(first, second))
    assert (first.types(), second.types()) == (["analyzers_restarted", 2, "final"], [1, 3])


@pytest.mark.parametrize("third", ["events", "data"])
def test_there_is_no_use_for_a_third(make_sink, third):
    sink = make_sink(Channel("events"), droppable())
    assert not sink.take(Channel(third))


def test_there_is_no_use_for_a_second_that_is_not_for_events(make_sink):
    assert not make_sink(Channel("a")).take(Channel("b"))


@pytest.mark.parametrize("closed", [0, 1])
def test_when_one_closes_the_other_carries_everything_and_it_can_be_opened_anew(make_sink, closed):
    channels = [Channel("events"), droppable()]
    sink = make_sink(*channels)
    channels[closed].readyState = "closed"
    assert sink.is_open
    send_all(sink)
    assert channels[1 - closed].types() == [1, "analyzers_restarted", 2, 3, "final"]
    anew = Channel(channels[closed].label, lossy=bool(closed))
    assert sink.take(anew)
    sink.result(result(4))
    sink.result(result(5, REPETITION))
    assert (anew if closed else channels[1]).types()[-1] == 4
    assert (channels[0] if closed else anew).types()[-1] == 5


def test_when_both_are_closed_it_is(make_sink):
    channels = [Channel("events"), droppable()]
    sink = make_sink(*channels)
    for channel in channels:
        channel.readyState = "closed"
    assert not sink.is_open
    send_all(sink)
    assert sink.flushed


def test_what_a_lossy_channel_carried_before_there_was_another_is_said_again(make_sink):
    results, events, later = droppable(), Channel("events"), Channel("events")
    sink = make_sink(results)
    send_all(sink)
    assert results.types() == [1, "analyzers_restarted", 2, 3, "final"]
    assert sink.take(events)
    assert events.types() == ["analyzers_restarted", "final"]
    events.readyState = "closed"
    assert sink.take(later)
    assert later.types() == [], "it has arrived"


def test_what_is_to_be_said_again_is_bounded(make_sink):
    sink = make_sink(droppable())
    for number in range(100):
        sink.notice({"type": str(number)})
    events = Channel("events")
    assert sink.take(events)
    assert events.types() == [str(n) for n in range(100 - data_channel.MAX_DOUBTFUL, 100)]


# ---- which results are events


def test_an_event_goes_out_whatever_the_rate_is(make_sink):
    events, results = Channel("events"), droppable()
    sink = make_sink(events, results)
    events.say('{"type": "rate", "hz": 0.001}')
    for number in range(1, 9):
        sink.result(result(number, REPETITION if number % 4 == 0 else ()))
    assert (results.types(), events.types()) == ([1], [4, 8])


@pytest.mark.parametrize(("keys", "is_event"), [('"repetition"', True), ('"reps"', False)])
def test_an_event_is_one_to_who_wants_its_key(make_sink, keys, is_event):
    events, results = Channel("events"), droppable()
    sink = make_sink(events, results)
    results.say(f'{{"type": "subscribe", "keys": [{keys}]}}')
    sink.result(result(1, REPETITION))
    (said,) = events.sent if is_event else results.sent
    assert ("repetition" in said, "reps" in said) == (is_event, not is_event)


# ---- how much may wait


def test_of_results_that_wait_new_ones_are_dropped_and_events_are_not(make_sink, metrics):
    events, results = Channel("events"), droppable()
    sink = make_sink(events, results)
    results.bufferedAmount = events.bufferedAmount = 16 * 1024 + 1
    send_all(sink)
    assert (results.types(), events.types()) == ([], ["analyzers_restarted", 2, "final"])
    assert metrics.results_dropped._value.get() == 2


def test_an_event_is_dropped_only_when_very_much_waits(make_sink, metrics):
    events, results = Channel("events"), droppable()
    sink = make_sink(events, results)
    events.bufferedAmount = 64 * 1024 + 1
    send_all(sink)
    assert (results.types(), events.types()) == ([1, 3], ["analyzers_restarted", "final"])
    assert metrics.results_dropped._value.get() == 1
    assert not sink.flushed


def test_results_that_are_smaller_wait_as_long(make_sink):
    json_one, cbor_one = Channel(), Channel()
    for channel, form in ((json_one, Form.JSON), (cbor_one, Form.CBOR)):
        channel.bufferedAmount = 4 * 1024 + 1
        make_sink(channel, form=form).result(result(1))
    assert (json_one.types(), cbor_one.types()) == ([1], ["layout"])


# ---- forms


def test_results_are_bytes_and_all_else_is_text(make_sink):
    events, results = Channel("events"), droppable()
    sink = make_sink(events, results, form=Form.CBOR)
    send_all(sink)
    events.say('{"type": "ping", "t": 1}')
    events.say("{}")
    assert events.types() == ["layout", "analyzers_restarted", 2, "final", "pong", "error"]
    assert ["bytes" in m for m in events.sent] == [False, False, True, True, False, False]
    assert results.types() == [1, 3]
    assert all("bytes" in message for message in results.sent)
    assert sink.forms == {Form.CBOR}


@pytest.mark.parametrize(
    ("protocol", "asked", "given"),
    [
        ("cbor", Form.JSON, Form.CBOR),
        ("", Form.JSON, Form.JSON),
        ("json", Form.CBOR, Form.CBOR),
        ("soap", Form.JSON, Form.JSON),
    ],
)
def test_a_channel_may_say_itself_that_it_carries_cbor(make_sink, protocol, asked, given):
    only = Channel(protocol=protocol)
    sink = make_sink(only, form=asked)
    sink.result(result(1))
    assert sink.forms == {given}
    assert ("bytes" in only.sent[-1]) is (given is Form.CBOR)


def test_each_channel_carries_its_own_form(make_sink):
    events, results = Channel("events"), droppable(protocol="cbor")
    sink = make_sink(events, results)
    send_all(sink)
    assert sink.forms == frozenset(Form)
    assert not any("bytes" in message for message in events.sent)
    assert all("bytes" in message for message in results.sent)
    results.readyState = "closed"
    assert sink.forms == {Form.JSON}


@pytest.mark.parametrize("events_first", [True, False])
def test_the_layout_comes_first_and_where_it_must_arrive(make_sink, events_first):
    events, results = Channel("events"), droppable()
    make = (events, results) if events_first else (results, events)
    make_sink(*make, form=Form.CBOR)
    assert events.sent == [{"type": "layout", **LAYOUT}]
    assert results.types() == ([] if events_first else ["layout"])


def test_the_layout_is_told_to_nobody_who_reads_json(make_sink):
    only = Channel()
    make_sink(only)
    assert only.sent == []


@pytest.mark.parametrize("form", list(Form))
def test_the_layout_is_told_again_where_it_is_asked_for(make_sink, form):
    events, results = Channel("events"), droppable()
    make_sink(events, results, form=form)
    results.say('{"type": "layout"}')
    assert results.sent == [{"type": "layout", **LAYOUT}]


# ---- control


def test_both_are_listened_to_and_answers_go_where_the_question_came_from(make_sink):
    events, results = Channel("events"), droppable()
    sink = make_sink(events, results)
    for number in range(3):
        events.say(f'{{"type": "ping", "t": {number}}}')
        results.say(f'{{"type": "ping", "t": {10 + number}}}')
    results.say('{"type": "nonsense"}')
    events.say(b"bytes")
    assert [message.get("t") for message in events.sent] == [0, 1, 2, None]
    assert [message.get("t") for message in results.sent] == [10, 11, 12, None]
    assert [channel.sent[-1]["code"] for channel in (events, results)] == [400, 400]
    results.say("end session")
    assert sink.ended == [True]


def test_nothing_is_answered_on_a_channel_that_has_closed(make_sink):
    events, results = Channel("events"), droppable()
    make_sink(events, results)
    results.readyState = "closed"
    results.say('{"type": "ping"}')
    assert (results.sent, events.sent) == ([], [])
