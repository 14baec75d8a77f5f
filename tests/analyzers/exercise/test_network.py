"""The network: its file, that frame rates do not matter to it, and what it makes of bodies."""

import hashlib

import numpy as np
import pytest

from analyzers.exercise.definitions import definitions
from analyzers.exercise.network.classes import CLASSES, NONE
from analyzers.exercise.network.features import GROUPS, WIDTH, FeatureMaker, mirrored
from analyzers.exercise.network.network import DILATIONS, WEIGHTS, Network, Stream, shipped
from analyzers.exercise.network.observer import Observer, Sight, look_ahead
from tests.analyzers.exercise.recordings import of_catalogue

_LARGEST_BYTES = 1_000_000
# tools/exercise_network prints it; docs/accuracy.md says on what machine it came out.
_SHA256 = "7571c2cdbd76e7f95f437d94a1b50c37fb53306d4e097a98cd04ec7491030a5f"


def some_body(seed, moments=40):
    rng = np.random.default_rng(seed)
    still = rng.normal(size=(1, 15, 3)) * (0.3, 0.5, 0.2)
    world = still + 0.02 * rng.normal(size=(moments, 15, 3)).cumsum(0)
    picture = 0.3 * world[..., :2] + (0.6, 0.5)
    return picture, world, rng.uniform(0.2, 1.0, (moments, 15)), np.zeros(moments)


def in_the_mirror(picture, world, seen, missing):
    other = [0, 2, 1, 4, 3, 6, 5, 8, 7, 10, 9, 12, 11, 14, 13]
    return picture[:, other] * (-1, 1), world[:, other] * (-1, 1, 1), seen[:, other], missing


def observed(recording):
    observer = Observer()
    frames = zip(
        recording.landmarks.tolist(), recording.world.tolist(), recording.times_s, strict=True
    )
    said = [
        each
        for flat, solid, time_s in frames
        for each in observer.feed(flat, solid, float(time_s), recording.aspect)
    ]
    return observer, said


def test_the_file_is_small_and_is_the_one_that_training_made():
    content = WEIGHTS.read_bytes()
    assert len(content) < _LARGEST_BYTES
    assert hashlib.sha256(content).hexdigest() == _SHA256


def test_what_it_knows_are_exercises_or_none():
    assert set(CLASSES) - {NONE} <= set(definitions())


def test_weights_of_another_shape_are_refused():
    with np.load(WEIGHTS) as file:
        weights = {name: file[name] for name in file.files}
    weights["wide_w"] = weights["wide_w"][:, :-1]
    with pytest.raises(ValueError, match="belong"):
        Network(weights)


def test_a_stream_is_what_the_whole_sequence_gives():
    """Moment by moment it computes what training computes over all moments at once."""
    features = FeatureMaker().make(*some_body(1, 150))
    stream = Stream(shipped())
    told = [stream.step(row) for row in features]
    with np.load(WEIGHTS) as file:
        w = {name: file[name].astype(float) for name in file.files}
    x = (features - w["mean"]) / w["spread"] @ w["first_w"] + w["first_b"]
    for layer, dilation in enumerate(DILATIONS):
        y = x / np.sqrt((x * x).mean(-1, keepdims=True) + 1e-5)
        past = np.pad(y, ((2 * dilation, 0), (0, 0)))
        three = np.hstack([past[: len(y)], past[dilation : dilation + len(y)], y])
        y = np.maximum(three @ w["wide_w"][layer] + w["wide_b"][layer], 0)
        x = x + y @ w["mixed_w"][layer] + w["mixed_b"][layer]
    out = np.maximum(x, 0) @ w["last_w"] + w["last_b"]
    likely = np.exp(out[:, :-3]) / np.exp(out[:, :-3]).sum(1, keepdims=True)
    assert np.allclose([each.classes for each in told], likely, atol=1e-3)
    assert np.allclose([each.cosine for each in told], out[:, -2], atol=1e-3)


def test_features_of_a_mirror_image_are_the_mirrored_features():
    body = some_body(2)
    index, sign = mirrored()
    plain, mirror = FeatureMaker().make(*body), FeatureMaker().make(*in_the_mirror(*body))
    assert np.allclose(mirror, plain[:, index] * sign, atol=1e-6)
    assert not np.allclose(mirror, plain)


def test_features_do_not_depend_on_place_and_size_in_the_frame():
    picture, world, seen, missing = some_body(3)
    plain = FeatureMaker().make(picture, world, seen, missing)
    elsewhere = FeatureMaker().make(0.4 * picture + (0.3, 0.2), world, seen, missing)
    assert np.allclose(elsewhere, plain, atol=0.02)


def test_features_moment_by_moment_are_those_of_all_at_once():
    picture, world, seen, missing = some_body(4)
    whole, maker = FeatureMaker().make(picture, world, seen, missing), FeatureMaker()
    single = [
        maker.make(*(each[at : at + 1] for each in (picture, world, seen, missing)))[0]
        for at in range(len(picture))
    ]
    assert np.allclose(single, whole)
    # Whether somebody was found is in no group.
    assert whole.shape[1] == WIDTH == GROUPS[-1][1] + 1


@pytest.mark.parametrize("fps", [10, 24, 60])
def test_at_any_frame_rate_it_is_asked_as_often(fps):
    recording = of_catalogue("squat-oblique")
    plain, said = observed(recording)[1], observed(recording.sampled(fps))[1]
    count = min(len(plain), len(said))
    assert abs(len(plain) - len(said)) <= 2
    apart = [
        np.abs(a.classes - b.classes).max()
        for (_, a), (_, b) in zip(plain[:count], said[:count], strict=True)
    ]
    assert np.median(apart) < 0.05


@pytest.mark.parametrize(
    ("clip", "name"),
    [
        ("squat-front", "squat"),
        ("squat-side", "squat"),
        ("jumping-jack", "jumping_jack"),
        ("bicep-curl", "bicep_curl"),
        ("overhead-press", "shoulder_press"),
        ("lunge", "lunge"),
        ("push-up", "push_up"),
        ("sit-up", "sit_up"),
    ],
)
def test_the_rendered_athlete_is_recognised(clip, name):
    """Their movements are other code than what moves the skeleton in training."""
    recording = of_catalogue(clip)
    observer, _ = observed(recording)
    likely = observer.likely(0.5, float(recording.times_s[-1]))
    assert max(CLASSES, key=likely.__getitem__) == name


def test_nothing_is_likely_before_anything_was_seen():
    assert set(Observer().likely(0.0, 1.0).values()) == {0.0}


def test_what_was_seen_long_ago_is_forgotten():
    recording = of_catalogue("squat-front")
    observer = Observer()
    flat, solid = recording.landmarks[0].tolist(), recording.world[0].tolist()
    for number in range(900):
        observer.feed(flat, solid, number / 10.0, recording.aspect)
    assert observer.times_s[0] > 40.0
    assert len(observer.times_s) < 40.0 * 15.0


def test_people_who_are_looked_at_together_are_told_what_each_alone_is():
    """At other times, too: one has been there for longer, one for a moment, and one was away."""
    clips = [of_catalogue(name) for name in ("squat-front", "jumping-jack", "push-up")]
    begins = (0, 5, 20)
    together, alone = ([Observer() for _ in clips] for _ in range(2))
    said, each_said = ([[] for _ in clips] for _ in range(2))
    for number in range(90):
        time_s = number / 30.0
        sights = [
            Sight(together[who], clip.landmarks[at].tolist(), clip.world[at].tolist(), time_s, 1.5)
            for who, clip in enumerate(clips)
            if (at := number - begins[who]) >= 0 and not (who == 1 and 30 <= number < 50)
        ]
        look_ahead(sights)
        for sight in sights:
            who = together.index(sight.observer)
            frame = sight.landmarks, sight.world, sight.time_s, sight.aspect
            said[who] += sight.observer.feed(*frame)
            each_said[who] += alone[who].feed(*frame)
    for one, other in zip(said, each_said, strict=True):
        assert [at_s for at_s, _ in one] == [at_s for at_s, _ in other]
        assert len(one) > 30
        for (_, a), (_, b) in zip(one, other, strict=True):
            assert np.allclose(a.classes, b.classes, atol=1e-4)
            assert np.allclose(
                (a.sine, a.cosine, a.inside), (b.sine, b.cosine, b.inside), atol=1e-4
            )
