"""Requirements decide what runs together, and in which order."""

import pytest

from analyzers.chain import arrange
from analyzers.ordering import ChainError, closure, read_elsewhere
from tests.analyzers.models import FRAME, model


def names(lanes):
    return [[analyzer.name for analyzer in lane.analyzers] for lane in lanes]


def test_analyzers_without_requirements_have_lanes_of_their_own():
    lanes = arrange([model("B"), model("A")])
    assert names(lanes) == [["b"], ["a"]]
    assert [lane.name for lane in lanes] == ["b", "a"]


def test_requirements_run_first_and_otherwise_the_list_decides():
    lanes = arrange(
        [
            model("Score", requires=["exercise", "pose"]),
            model("Slow"),
            model("Exercise", requires=["pose"]),
            model("Pose"),
            model("Reid", requires=["pose"]),
            model("Fast"),
        ]
    )
    assert names(lanes) == [["pose", "exercise", "score", "reid"], ["slow"], ["fast"]]
    assert lanes[0].name == "pose+exercise+score+reid"


def test_what_shares_a_requirement_shares_a_lane():
    lanes = arrange([model("A", requires=["root"]), model("B", requires=["root"]), model("Root")])
    assert names(lanes) == [["root", "a", "b"]]


def test_no_analyzers_make_no_lanes():
    assert arrange([]) == ()


@pytest.mark.parametrize(
    ("analyzers", "message"),
    [
        ([model("Exercise", requires=["pose"])], "'exercise' requires 'pose'"),
        ([model("A", requires=["b"]), model("B", requires=["a"])], "circle among 'a', 'b'"),
        ([model("A", requires=["a"])], "circle among 'a'"),
        ([model("A"), model("A")], "2 analyzers are called 'a'"),
    ],
)
def test_what_cannot_be_ordered_says_why(analyzers, message):
    with pytest.raises(ChainError, match=message):
        arrange(analyzers)


def test_closure_adds_requirements_in_the_order_of_the_list():
    analyzers = [
        model("Score", requires=["exercise"]),
        model("Slow"),
        model("Pose"),
        model("Exercise", requires=["pose"]),
    ]
    assert closure(["score"], analyzers) == ("score", "pose", "exercise")
    assert closure(["slow", "pose"], analyzers) == ("slow", "pose")
    assert closure([], analyzers) == ()
    with pytest.raises(ChainError, match="unknown analyzer 'nose'; there are score, slow"):
        closure(["nose"], analyzers)


def test_what_comes_after_another_reads_it_if_it_is_there():
    """In its lane and after it, whatever the order of the list; and it runs without it."""
    exercise = model("Exercise", requires=["pose"], after=["reid"])
    reid, pose = model("Reid", requires=["pose"]), model("Pose")
    assert names(arrange([pose, exercise, reid])) == [["pose", "reid", "exercise"]]
    assert names(arrange([pose, exercise])) == [["pose", "exercise"]]
    assert names(arrange([model("Late", after=["early"]), model("Early")])) == [["early", "late"]]


def test_coming_after_another_does_not_ask_for_it():
    analyzers = [model("Pose"), model("Reid"), model("Exercise", requires=["pose"], after=["reid"])]
    assert closure(["exercise"], analyzers) == ("pose", "exercise")


def test_analyzers_that_come_after_each_other_go_round_in_a_circle():
    with pytest.raises(ChainError, match="circle among 'a', 'b'"):
        arrange([model("A", after=["b"]), model("B", requires=["a"])])


def consecutive(class_name, **more):
    made = model(class_name, **more)
    type(made).consecutive = True
    return made


def test_what_sees_every_frame_has_a_lane_of_its_own_whatever_it_reads():
    pulse = consecutive("Pulse", requires=["pose"])
    breath = consecutive("Breath", requires=["pulse"], after=["pose"])
    lanes = arrange([pulse, model("Pose"), breath, model("Exercise", requires=["pose"])])
    assert names(lanes) == [["pulse", "breath"], ["pose", "exercise"]]
    assert [lane.is_consecutive for lane in lanes] == [True, False]
    members = lanes[0].analyzers
    assert read_elsewhere(members, [*members, *lanes[1].analyzers]) == ("pose",)
    assert read_elsewhere(members, members) == ()


def test_what_it_requires_elsewhere_is_asked_for_and_not_started_in_its_lane():
    pulse, pose = consecutive("Pulse", requires=["pose"]), model("Pose")
    assert closure(["pulse"], [pulse, pose]) == ("pulse", "pose")
    (lane, _) = arrange([pulse, pose])
    assert lane.start("s", 0, ["pulse", "pose"]).problems == ()
    assert lane.frame("s", FRAME, 40).fragments == {"pulse": {"pulse": b"1"}}


@pytest.mark.parametrize("how", ["requires", "after"])
def test_what_sees_the_newest_frame_can_not_read_what_may_be_late(how):
    with pytest.raises(ChainError, match="'exercise' reads 'pulse', which sees every frame"):
        arrange([consecutive("Pulse"), model("Exercise", **{how: ["pulse"]})])
