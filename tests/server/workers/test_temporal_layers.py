"""Upper temporal layers are left out while the worker is behind, and taken up where they may be."""

import random
from dataclasses import replace

import pytest

from server.workers.temporal_layers import TemporalLayers
from server.workers.video_decoder import VideoDecoder
from tests.server.workers.coded import grey_of, layered, video

PLENTY = 4096 * 4096


def frames(text):
    """A frame for each word: its layer, K of a key frame, Y where it builds on the lowest alone."""
    (model,) = video("VP8", 1)
    return [
        replace(
            model,
            is_key_frame="K" in word,
            layer=int(word.strip("KY") or 0),
            is_layer_sync="Y" in word,
        )
        for word in text.split()
    ]


@pytest.mark.parametrize(
    ("sent", "behind", "taken"),
    [
        # Nothing is left out that need not be.
        ("K 1 0 1 0 1", "", "012345"),
        ("K 1 0 1 0 1", "1", "024"),
        ("K 1 0 1Y 0 1", "1", "02345"),
        # A layer that may begin again does not while there is no time.
        ("K 1 0 1Y 0 1", "13", "024"),
        ("K 1 0 1 K 1", "1", "0245"),
        # Of three layers, the highest goes first, and comes back last.
        ("K 2 1 2 0 2 1 2", "1", "0246"),
        ("K 2 1 2 0 2 1Y 2Y 0 2", "2", "0146789"),
        # It could be decoded, but what follows it of its layer could not.
        ("K 2 1 2 0 2Y 1Y 2", "2", "0146"),
        ("0 0 0", "012", "012"),
    ],
)
def test_which_are_decoded(sent, behind, taken):
    layers = TemporalLayers()
    found = [
        str(at)
        for at, frame in enumerate(frames(sent))
        if layers.take(frame, is_behind=str(at) in behind)
    ]
    assert "".join(found) == taken


@pytest.mark.parametrize("seed", range(10))
def test_what_is_left_is_decoded_as_it_was_meant(seed):
    """A real encoder's layers, of which some are left out at random."""
    rng = random.Random(seed)
    layers, decoder = TemporalLayers(), VideoDecoder(PLENTY)
    shown = []
    for frame in layered(20):
        if layers.take(frame, is_behind=rng.random() < 0.3):
            told, picture = decoder.decode(frame)
            shown.append(told.info.number)
            assert grey_of(picture) == told.info.number - 1
    assert set(range(1, 21, 2)) <= set(shown)
    assert len(shown) < 20
