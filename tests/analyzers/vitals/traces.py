"""What a face's colours are when the pulse is known, without a picture."""

import numpy as np

from analyzers.pose.on_openvino.region import Region
from analyzers.vitals.face_tracker import Reading
from analyzers.vitals.history import Moment

SKIN = np.array([180.0, 140.0, 120.0])
BLOOD = np.array([0.43, 1.0, 0.69])


def pulse_wave(phase):
    """A rise and the valve's notch, 1 from peak to peak."""
    wave = np.sin(phase) + 0.4 * np.sin(2.0 * phase + 0.5)
    return wave / np.ptp(wave)


def times(seconds, fps=30.0, skipped=0.0, rng=None, start_s=0.0):
    """When frames come; some are missing."""
    even = start_s + np.arange(round(seconds * fps)) / fps
    return even if rng is None else even[rng.random(len(even)) >= skipped]


def moments(
    times_s,
    bpm,
    *,
    strength=0.01,
    phase=0.0,
    noise=0.08,
    drift=0.0,
    rng=None,
    places=None,
    breaths=15.0,
    anchor=1,
    width_px=150.0,
    turned=0.0,
    level=1.0,
    flicker_bpm=None,
    chest=0.02,
):
    """Make moments: `bpm` is a rate, or one for each time."""
    rng = rng or np.random.default_rng(0)
    rate = np.broadcast_to(np.asarray(bpm, float), times_s.shape)
    beat = phase + 2.0 * np.pi * np.cumsum(np.diff(times_s, prepend=times_s[0]) * rate / 60.0)
    wave = strength * pulse_wave(beat)
    light = 1.0 + drift * (times_s - times_s[0])
    if flicker_bpm is not None:
        tint = np.array([0.3, -1.0, 0.5])
        flicker = np.sin(2.0 * np.pi * flicker_bpm / 60.0 * times_s)[:, None]
        light = light[:, None] * (1.0 + 0.004 * flicker * tint)
    else:
        light = np.repeat(light[:, None], 3, 1)
    rise = np.sin(2.0 * np.pi * breaths / 60.0 * times_s)
    still = np.zeros((len(times_s), 4)) if places is None else places
    made = []
    for k, time_s in enumerate(times_s):
        skin = level * SKIN * light[k] * (1.0 - wave[k] * BLOOD)
        colors = skin + rng.normal(0.0, noise, (4, 3))
        place = np.array([2.0, 1.5 - 0.1 * chest * rise[k], 1.2, 0.0]) + still[k]
        reading = Reading(colors, place, width_px, 0.0, anchor, Region(1, 1, 1), turned)
        behind = 100.0 * light[k] + rng.normal(0.0, 0.02, 3)
        made.append(Moment(float(time_s), reading, behind, float(chest * rise[k])))
    return made
