"""When a rate is one of light or of movement, and how sure it is."""

import numpy as np
import pytest

from analyzers.vitals import sureness
from analyzers.vitals.evidence import Evidence, View


def evidence(snr_db=6.0, agreement=0.97, **known):
    told = {"spread_bpm": 1.0, "movement": 0.0, "background": 0.05, **known}
    seen = View(snr_db, agreement), View(snr_db - 6.0, agreement - 0.2)
    return Evidence(np.ones(1), 70.0, *seen, wave=np.zeros(1), **told)


@pytest.mark.parametrize(
    ("background", "snr_db", "agreement", "is_light"),
    [
        (0.05, 1.0, 0.7, False),
        # Next to nothing is behind people who keep still, and a weak pulse is one.
        (0.6, 1.0, 0.7, False),
        # What changes as much behind a face as in it is light, unless much more is left.
        (0.9, 2.0, 0.95, True),
        (0.9, 6.0, 0.8, True),
        (0.9, 6.0, 0.95, False),
        (3.0, 6.0, 0.95, False),
        (7.0, 12.0, 0.95, True),
    ],
)
def test_what_is_behind_a_face_as_well_is_light(background, snr_db, agreement, is_light):
    assert sureness.is_light(evidence(snr_db, agreement, background=background)) == is_light


@pytest.mark.parametrize(
    ("bpm", "snr_db", "is_drift"), [(47.0, 3.5, True), (47.0, 5.5, False), (56.0, 3.5, False)]
)
def test_a_slow_rate_has_to_be_strong(bpm, snr_db, is_drift):
    assert sureness.is_drift(bpm, evidence(snr_db)) == is_drift


def test_what_the_head_does_is_movement():
    assert sureness.is_movement(evidence(movement=0.6))
    assert not sureness.is_movement(evidence(movement=0.4))


def test_each_thing_that_speaks_for_a_rate_makes_it_surer():
    known = sureness.confidence(evidence(snr_db=1.0, agreement=0.8))
    assert sureness.confidence(evidence(snr_db=4.0, agreement=0.8)) > known
    assert sureness.confidence(evidence(snr_db=1.0, agreement=0.9)) > known
    assert sureness.confidence(evidence(snr_db=1.0, agreement=0.8, spread_bpm=20.0)) < known
    assert sureness.confidence(evidence(snr_db=1.0, agreement=0.8, background=5.0)) < known
    assert 0.0 < known < 1.0
