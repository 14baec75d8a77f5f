"""A scene without people is searched seldom, and at once when something moves in it."""

import itertools

import numpy as np
import pytest

from analyzers.pose.on_openvino.scene import EmptySceneWatch

SIZE = (240, 320)


def flat(level, size=SIZE):
    return np.full((*size, 3), level, np.uint8)


def times_ms(fps, seconds, start_ms=0):
    return [start_ms + number * 1000 // fps for number in range(fps * seconds)]


def searched(frames, times, watch=None):
    """Return the times of the frames that are searched."""
    watch = watch or EmptySceneWatch()
    return [
        time_ms
        for frame, time_ms in zip(frames, times, strict=False)
        if watch.wants_search(frame, time_ms)
    ]


def still():
    return itertools.repeat(flat(100))


def moving():
    """Yield frames of which none is like one of the four before it."""
    return itertools.cycle([flat(level) for level in (50, 80, 110, 140, 170)])


def patience(fps):
    return times_ms(fps, 1)


@pytest.mark.parametrize("start_ms", [0, 123_456])
def test_every_frame_is_searched_in_the_first_second(start_ms):
    times = times_ms(30, 1, start_ms)
    assert searched(still(), times) == times


@pytest.mark.parametrize("fps", [15, 25, 30, 60])
def test_then_a_still_scene_is_searched_five_times_a_second(fps):
    # One minute; every third, fifth, sixth or twelfth frame.
    assert searched(still(), times_ms(fps, 61)) == patience(fps) + list(range(1000, 61_000, 200))


@pytest.mark.parametrize(
    ("fps", "in_ten_seconds"),
    [
        # Every frame, second frame (80 ms), second (66.7 ms), fourth (66.7 ms).
        (15, 150),
        (25, 125),
        (30, 150),
        (60, 150),
    ],
)
def test_a_moving_scene_is_searched_at_most_fifteen_times_a_second(fps, in_ten_seconds):
    assert len(searched(moving(), times_ms(fps, 11))) == fps + in_ten_seconds


@pytest.mark.parametrize("fps", [1, 5])
@pytest.mark.parametrize("frames", [still, moving])
def test_of_few_frames_every_one_is_searched(fps, frames):
    times = times_ms(fps, 20)
    assert searched(frames(), times) == times


@pytest.mark.parametrize(("frames", "per_second"), [(still, 5), (moving, 15)])
def test_times_that_vary_by_some_milliseconds_cost_no_searches(frames, per_second):
    # Frames that are searched come in time and late in turns.
    sometimes_late = itertools.cycle([0, 5, 5, 0])
    times = [
        time_ms + late for time_ms, late in zip(times_ms(30, 11), sometimes_late, strict=False)
    ]
    assert len(searched(frames(), times)) == 30 + 10 * per_second


def someone(height, width):
    """Return a frame with somebody at the right, lighter than what is behind by 60."""
    frame = flat(100)
    frame[100 : 100 + height, 230 : 230 + width] = 160
    return frame


@pytest.mark.parametrize("size", [(130, 45), (60, 20)])
@pytest.mark.parametrize("since_search", range(6))
def test_someone_who_enters_is_looked_for_at_once(size, since_search):
    # A second and 2 still searches, then some frames until somebody is there.
    before = 30 + 2 * 6 + since_search
    times = times_ms(30, 3)
    frames = itertools.chain(itertools.repeat(flat(100), before), itertools.repeat(someone(*size)))
    found_ms = next(time_ms for time_ms in searched(frames, times) if time_ms >= times[before])
    # At once, or two frames after the last search at 1400 ms.
    expected_ms = max(times[before], 1466) if since_search else 1400
    assert found_ms == expected_ms


def test_a_change_that_creeps_in_is_noticed():
    # By 2 levels a frame, which is no movement from one frame to the next; since the last search
    # it is 6 after three frames: ten times a second.
    frames = [flat(2 * number) for number in range(120)]
    assert searched(frames, times_ms(30, 4)) == patience(30) + list(range(1000, 4000, 100))


@pytest.mark.parametrize(("step", "per_second"), [(4, 5), (5, 15)])
def test_a_change_of_four_levels_is_none(step, per_second):
    # Every second frame is searched if there is movement, so that pairs of frames are alike.
    frames = itertools.cycle([flat(level) for level in (100, 100, 100 + step, 100 + step)])
    assert len(searched(frames, times_ms(30, 5))) == 30 + 4 * per_second


def test_camera_noise_is_hardly_ever_a_movement():
    rng = np.random.default_rng(4)
    noise = [rng.normal(120, 5, (*SIZE, 1)).round().repeat(3, axis=2) for _ in range(61)]
    frames = itertools.cycle([frame.astype(np.uint8) for frame in noise])
    # Of 256 cells one changes by chance by 4.5 times its deviation in one of some hundred frames.
    assert 100 <= len(searched(frames, times_ms(30, 21))) - 30 <= 105


@pytest.mark.parametrize("away_ms", [33, 60_000])
def test_when_somebody_was_there_it_starts_over(away_ms):
    watch = EmptySceneWatch()
    searched(still(), times_ms(30, 3), watch)
    watch.somebody()
    times = times_ms(30, 2, 3000 + away_ms)
    after = times[0] + 1000
    assert searched(still(), times, watch) == times[:30] + list(range(after, after + 1000, 200))


SIZES = [(3, 500), (64, 64), (480, 640), (2160, 3840)]


@pytest.mark.parametrize("size", [(1, 1), (2, 2), *SIZES])
@pytest.mark.parametrize(("other_level", "per_second"), [(100, 5), (150, 15)])
def test_frames_may_have_any_size(size, other_level, per_second):
    one, other = flat(100, size), flat(other_level, size)
    frames = itertools.cycle([one, one, other, other])
    assert len(searched(frames, times_ms(30, 2))) == 30 + per_second


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("corner", [(1, 1), (1, -1), (-1, 1), (-1, -1)])
def test_a_change_in_an_eighth_is_noticed_in_every_corner(size, corner):
    changed = flat(100, size)
    # From the other corners' view the first rows and columns are the last ones.
    rows, columns = (-(-side // 8) for side in size)
    changed[:: corner[0], :: corner[1]][:rows, :columns] = 150
    watch = EmptySceneWatch()
    searched(itertools.repeat(flat(100, size)), times_ms(30, 1), watch)
    assert watch.wants_search(flat(100, size), 1000)
    assert not watch.wants_search(flat(100, size), 1066)
    assert watch.wants_search(changed, 1100)


def test_another_size_of_the_same_scene_is_no_movement():
    frames = itertools.cycle([flat(100, (480, 640)), flat(100, (240, 320)), flat(100, (90, 120))])
    assert searched(frames, times_ms(30, 2)) == patience(30) + list(range(1000, 2000, 200))
