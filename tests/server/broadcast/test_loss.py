"""Media that is lost on its way: the picture is right again within a second, and never wrong.

A way that takes long is one all the same.
"""

import pytest

from tests.support.lossy import lossy_line
from tests.support.numbered import DAMAGED, FPS, NumberedTrack
from tests.support.seen import publishing, watching

FRAMES = 4 * FPS
# Of few datagrams few are lost: a busy machine sends fewer.
ENOUGH_LOST = 10


@pytest.mark.parametrize(("loss", "codec"), [(0.05, "VP8"), (0.15, "H264")])
async def test_on_a_viewers_way(server, http, loss, codec):
    async with lossy_line(1) as line, watching(server, http, "camera", codec, line) as seen:
        await seen.wait_for(5)
        line.to_client = line.to_server = loss
        await seen.wait_for(FRAMES)
        while line.lost <= ENOUGH_LOST:
            await seen.wait_for(1)
        seen.check()


@pytest.mark.parametrize(("loss", "codec"), [(0.05, "H264"), (0.15, "VP8")])
async def test_on_the_publishers_way(server, http, loss, codec):
    name, track = f"lossy-{codec}", NumberedTrack(codec)
    async with (
        lossy_line(2) as line,
        publishing(server, http, name, codec, track, line) as analyzed,
    ):
        await analyzed.wait_for(5)
        async with watching(server, http, name, codec) as seen:
            await seen.wait_for(5)
            line.to_client = line.to_server = loss
            await seen.wait_for(FRAMES)
            while line.lost <= ENOUGH_LOST:
                await seen.wait_for(1)
            seen.check()
            analyzed.check()


@pytest.mark.parametrize("codec", ["H264", "VP8"])
async def test_after_a_second_in_which_nothing_came_through(server, http, codec):
    name, track = f"gap-{codec}", NumberedTrack(codec)
    async with (
        lossy_line(3) as first,
        lossy_line(4) as second,
        publishing(server, http, name, codec, track, first) as analyzed,
    ):
        await analyzed.wait_for(5)
        async with watching(server, http, name, codec, second) as seen:
            await seen.wait_for(10)
            for broken, way in ((first, "to_server"), (second, "to_client")):
                setattr(broken, way, 1.0)
                await track.wait_until(track.number + FPS)
                setattr(broken, way, 0.0)
                mended, mark = track.number, len(seen.numbers)
                # What was on its way before is older.
                after = []
                while not after:
                    await seen.wait_for(1)
                    after = [n for n in seen.numbers[mark:] if n > mended - FPS // 2]
                assert after[0] <= mended + FPS
                await seen.wait_for(FPS)
                assert max(seen.worst[mark:]) < DAMAGED
            assert max(analyzed.worst) < DAMAGED


async def test_a_viewer_whose_checks_are_lost_stays_as_long_as_it_is_heard(server, http):
    async with lossy_line(5) as line, watching(server, http, "camera", "VP8", line) as seen:
        await seen.wait_for(5)
        line.checks = 1.0
        # One that is not heard either is gone within 5 s.
        await seen.wait_for(10 * FPS)
        assert line.lost > 0
        seen.check()


async def test_over_a_way_that_takes_long(server, http):
    """As by a satellite; whoever does not answer is known to be gone after four seconds."""
    name, track = "far", NumberedTrack("VP8")
    async with (
        lossy_line(5) as first,
        lossy_line(6) as second,
        publishing(server, http, name, "VP8", track, first) as analyzed,
        watching(server, http, name, "VP8", second) as seen,
    ):
        await seen.wait_for(5)
        first.delay_s = second.delay_s = 0.4
        await seen.wait_for(7 * FPS)
        seen.check()
        analyzed.check()
