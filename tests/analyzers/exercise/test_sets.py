"""When a set is believed."""

from dataclasses import replace

from analyzers.exercise.cycles import Cycle
from analyzers.exercise.definitions import definitions
from analyzers.exercise.found import Found
from analyzers.exercise.sets import SET_S, Sets

SQUAT = definitions()["squat"]


def squat(start_s, evidence, *, times_least=4.0, exercise=SQUAT):
    turn = times_least * exercise.min_amplitude
    cycle = Cycle(start_s, start_s + 1.0, start_s + 2.0, 0.0, turn)
    return Found(exercise, cycle, 0.7, {}, start_s + 2.1, evidence=evidence)


def test_what_is_done_well_is_told_at_once():
    sets = Sets()
    first, second = squat(1.0, 0.9), squat(4.0, 0.1)
    assert sets.take(first) == [first]
    assert sets.take(second) == [second], "it goes on with a set that is believed"
    assert sets.not_believed() == []


def test_what_is_not_sure_waits_until_all_together_are():
    sets = Sets()
    weak = [squat(start_s, 0.15) for start_s in (1.0, 4.0, 7.0)]
    assert [sets.take(each) for each in weak] == [[], [], weak]


def test_what_speaks_against_it_has_to_be_made_up_for():
    sets = Sets()
    assert sets.take(squat(1.0, -0.5)) == []
    assert sets.take(squat(4.0, 0.6)) == []
    assert len(sets.take(squat(7.0, 0.6))) == 3


def test_one_so_late_is_of_another_set():
    sets = Sets()
    assert sets.take(squat(1.0, 0.3)) == []
    assert sets.take(squat(3.0 + SET_S, 0.3)) == []
    assert sets.take(squat(6.0 + SET_S, 0.3)) != []


def test_each_exercise_has_its_own():
    sets = Sets()
    assert sets.take(squat(1.0, 0.3)) == []
    assert sets.take(squat(3.5, 0.3, exercise=definitions()["lunge"])) == []


def test_after_a_set_the_next_one_is_believed_sooner():
    press = squat(20.0, 0.25, exercise=definitions()["shoulder_press"])
    assert Sets().take(press) == []
    sets = Sets()
    assert sets.take(squat(1.0, 0.9)) != []
    assert sets.take(press) == [press]


def test_a_small_one_before_a_set_is_none_of_it():
    sets = Sets()
    small, large = squat(1.0, 0.3, times_least=1.2), squat(4.0, 0.9)
    assert sets.take(small) == []
    assert sets.take(large) == [large]
    sets = Sets()
    alike = squat(20.0, 0.3, times_least=1.2), squat(23.0, 0.3, times_least=1.3)
    assert sets.take(alike[0]) == []
    assert sets.take(alike[1]) == list(alike)


def test_what_waits_is_given_back_once_in_order():
    sets = Sets()
    lunge = replace(squat(0.0, 0.1), exercise=definitions()["lunge"])
    waiting = [lunge, squat(3.0, 0.1)]
    for each in reversed(waiting):
        assert sets.take(each) == []
    assert sets.not_believed() == waiting
    assert sets.not_believed() == []


def test_one_whose_signals_are_gone_is_not_told():
    sets = Sets()
    for number in range(12):
        assert sets.take(squat(3.0 * number, -0.2)) == []
    assert sets.take(squat(36.0, 0.8)) == []
    told = sets.take(squat(39.0, 0.8))
    assert [each.cycle.start_s for each in told] == [18.0, 21.0, 24.0, 27.0, 30.0, 33.0, 36.0, 39.0]


def test_who_was_doubted_for_long_is_believed_soon():
    sets = Sets()
    for number in range(100):
        assert sets.take(squat(3.0 * number, -0.9)) == []
    assert sets.take(squat(300.0, 0.8)) == []
    assert sets.take(squat(303.0, 0.8)) != []
