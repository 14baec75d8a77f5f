"""Real people, and the networks that are meant for them."""

import asyncio
import base64
import io
import os
from pathlib import Path

import av
import pytest

from bench.find import ONE_BY_ONE
from tests.support.person_search import encoded, find, post
from tests.support.server import ROOT, running_server

DATA = Path(os.environ.get("KINECAST_DATA", ROOT.parent / "shared" / "data"))
CLIP = DATA / "people_videos" / "intel_one-by-one-person-detection.mp4"
OPENVINO = DATA / "models" / "openvino"
BUS = DATA / "people_images" / "bus.jpg"

pytestmark = pytest.mark.skipif(not CLIP.exists(), reason=f"{DATA.name} is not on this machine")
FLAGS = ("--analyzers", "pose,reid", "--workers", "1", "--expensive-per-minute", "0")
FLAGS += ("--detector", str(OPENVINO / "person-detection-retail-0013.xml"))
FLAGS += ("--reid-model", str(OPENVINO / "person-reidentification-retail-0288.xml"))
# Nearer than what the network takes for the same person by itself; between these two it is sure.
THRESHOLD = 0.4
# Of the clip's frames, from 1: the end of the first person's way, nobody, the next one's beginning.
FIRST, LAST = 131, 310


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("recordings")
    _cut(folder / "clip.mp4")
    log = tmp_path_factory.mktemp("server")
    with running_server(log, *FLAGS, "--record-to", str(folder)) as running:
        yield running


def _cut(path):
    """The clip's frames from FIRST, which is a key frame, to LAST."""
    with av.open(CLIP) as source, av.open(path, "w") as target:
        played = source.streams.video[0]
        stream = target.add_stream_from_template(played)
        for number, packet in enumerate(source.demux(played), 1):
            if FIRST <= number <= LAST:
                packet.stream = stream
                target.mux(packet)


def frame(number):
    with av.open(CLIP) as clip:
        image = next(f for i, f in enumerate(clip.decode(video=0), 1) if i == number).to_image()
    file = io.BytesIO()
    image.save(file, "JPEG", quality=92)
    return file.getvalue()


async def test_the_largest_of_several_people(http, server):
    status, answer = await post(
        http, server, "/upload-embedding", {"image": encoded(BUS.read_bytes())}
    )
    assert status == 200
    assert answer["people"] >= 2
    assert answer["shape"] == [256]
    assert len(base64.b64decode(answer["embedding"])) > 4 * 256


@pytest.mark.parametrize("person", [0, 1])
async def test_one_of_two_is_found_when_they_are_there(http, server, person):
    first, last = ONE_BY_ONE[person]
    image = await asyncio.to_thread(frame, (first + last) // 2)
    status, uploaded = await post(http, server, "/upload-embedding", {"image": encoded(image)})
    assert status == 200, uploaded
    body = find(uploaded["embedding"], "clip.mp4", threshold=THRESHOLD)
    status, answer = await post(http, server, "/find", body)
    assert status == 200
    numbers = {FIRST - 1 + match["frame_number"] for match in answer["matches"]}
    looked_at = range(FIRST, LAST + 1, 2)
    there = {number for number in looked_at if first <= number <= last}
    assert len(numbers & there) / len(there) > 0.8
    # To half a second, nobody else is taken for them.
    right = sum(first - 10 <= number <= last + 10 for number in numbers)
    assert right / len(numbers) > 0.8
