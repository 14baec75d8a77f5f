"""Why there is no number, and what to do about it."""

from __future__ import annotations

from enum import StrEnum


class Reason(StrEnum):
    """What keeps a rate from being told. The page has a text for each."""

    NO_FACE = "no_face"
    TOO_SMALL = "too_small"
    TURNED_AWAY = "turned_away"
    HOLD_STILL = "hold_still"
    MORE_LIGHT = "more_light"
    LESS_LIGHT = "less_light"
    TOO_FEW_FRAMES = "too_few_frames"
    LIGHT_FLICKERS = "light_flickers"
    MEASURING = "measuring"
    TOO_COMPRESSED = "too_compressed"
    NO_PULSE = "no_pulse"


TEXTS = {
    Reason.NO_FACE: "Look at the camera",
    Reason.TOO_SMALL: "Come nearer",
    Reason.TURNED_AWAY: "Turn your face to the camera",
    Reason.HOLD_STILL: "Hold still",
    Reason.MORE_LIGHT: "More light on your face",
    Reason.LESS_LIGHT: "Less light on your face",
    Reason.TOO_FEW_FRAMES: "The video has too few frames: 15 a second or more",
    Reason.LIGHT_FLICKERS: "The light flickers: daylight is better",
    Reason.MEASURING: "Measuring: stay as you are",
    Reason.TOO_COMPRESSED: "The video is too compressed: 1 Mb/s or more",
    Reason.NO_PULSE: "No pulse is to be seen: more light, nearer, and still",
}
