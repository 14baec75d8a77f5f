"""The page's find view: a person of the sample video, looked for in it."""

import json
import re
import time

import av
import pytest
from PIL import Image
from playwright.sync_api import expect

from tests.browser.views import WITHIN_S, opened
from tests.support.server import ROOT, running_server

FLAGS = ("--analyzers", "pose,reid", "--workers", "1")
DATA = ROOT.parent / "shared" / "data"
TWO_PEOPLE = DATA / "people_images" / "zidane.jpg"
DETECTOR = DATA / "models" / "openvino" / "person-detection-retail-0013.xml"
RATE = 25
# Of the clip: nobody is there at first, then somebody is.
NOBODY_S, SOMEBODY_S = 3, 7
# Where the boxes' colour is on the canvas, as parts of the shown picture: left, top, right, bottom.
BOX = """(() => {
  const canvas = document.querySelector(".find canvas");
  const { width, height } = canvas;
  const { data } = canvas.getContext("2d").getImageData(0, 0, width, height);
  const [r, g, b] = getComputedStyle(canvas).color.match(/\\d+/g).map(Number);
  let box = null;
  for (let at = 0; at < data.length; at += 4) {
    const off = Math.abs(data[at] - r) + Math.abs(data[at + 1] - g) + Math.abs(data[at + 2] - b);
    if (off > 12) continue;
    const [x, y] = [(at / 4) % width, Math.floor(at / 4 / width)];
    box ??= [x, y, x, y];
    box = [Math.min(box[0], x), Math.min(box[1], y), Math.max(box[2], x), Math.max(box[3], y)];
  }
  const shown = Math.min(width, (height * 4) / 3);
  const left = (width - shown) / 2;
  const [x0, y0, x1, y1] = box ?? [];
  return box && [(x0 - left) / shown, y0 / height, (x1 - left) / shown, y1 / height];
})()"""


@pytest.fixture(scope="module")
def server(chromium, tmp_path_factory):
    # Without a detector only the most prominent person is found.
    detector = ("--detector", str(DETECTOR)) if DETECTOR.exists() else ()
    with running_server(tmp_path_factory.mktemp("find"), *FLAGS, *detector) as running:
        yield running


@pytest.fixture(scope="module")
def person(tmp_path_factory):
    """A picture of the athlete."""
    path = tmp_path_factory.mktemp("person") / "person.jpg"
    with av.open(ROOT / "sample-video.mp4") as video:
        next(video.decode(video=0)).to_image().save(path)
    return path


@pytest.fixture(scope="module")
def clip(person, tmp_path_factory):
    """Some seconds of an empty wall, then some of the athlete, who stands still."""
    path = tmp_path_factory.mktemp("clip") / "clip.mp4"
    with av.open(path, "w") as video:
        stream = video.add_stream("libx264", rate=RATE)
        stream.width, stream.height, stream.pix_fmt = 640, 480, "yuv420p"
        wall = Image.new("RGB", (640, 480), "grey")
        for picture, seconds in ((wall, NOBODY_S), (Image.open(person), SOMEBODY_S)):
            for _ in range(seconds * RATE):
                video.mux(stream.encode(av.VideoFrame.from_image(picture)))
        video.mux(stream.encode(None))
    return path


@pytest.fixture
def view(browser, server):
    with opened(browser, server.url, "find") as view:
        yield view


def give(view, path):
    """Choose a picture of the person."""
    with view.page.expect_file_chooser() as chooser:
        view.page.get_by_role("button", name="Choose one…").click()
    chooser.value.set_files(path)


def wrong(view):
    return view.page.locator(".person").get_by_role("alert")


def known(view, text="Got it: there is one person in the picture."):
    expect(view.page.locator(".person").get_by_role("status")).to_have_text(text)


def look_in(view, path):
    """Choose a video to look in."""
    with view.page.expect_file_chooser() as chooser:
        view.page.get_by_role("button", name="Look in a video…").click()
    chooser.value.set_files(path)


def test_in_the_cameras_picture(view, person, tmp_path):
    page = view.page
    camera = page.get_by_role("button", name="Look with the camera")
    expect(camera).to_be_disabled()
    view.check_looks(tmp_path, "find")
    give(view, person)
    known(view)
    camera.click()
    # This server has no network for re-identification, and claims no more than it can.
    expect(page.locator(".badge")).to_have_text("Somebody in such colours")
    expect(page.locator(".sightings li").first).to_contain_text("like colours · nearest 0.")
    expect(page.locator(".caveat")).to_contain_text("three in ten strangers pass")
    expect(page.locator(".caveat code")).to_contain_text("kinecast models fetch person-")
    view.wait_until(f"(window.box = {BOX}) !== null", 90)
    left, top, right, bottom = page.evaluate("window.box")
    # The athlete stands in the middle.
    assert left < 0.5 < right
    assert 0.1 < bottom - top < 1
    view.check_looks(tmp_path, "find-live")
    page.get_by_role("button", name="Stop").click()
    expect(camera).to_be_visible()
    view.check()


def test_in_a_clip(view, server, person, clip):
    page = view.page
    give(view, person)
    known(view)
    look_in(view, clip)
    sighting = page.locator(".sightings li button.figures")
    expect(sighting).to_have_count(1)
    # To its end; then the buttons are back.
    expect(page.get_by_role("button", name="Look in a video…")).to_be_visible()
    at_s = [int(part) for part in sighting.inner_text().split(" ")[0].split(":")]
    # It is seen where the athlete comes; minutes and seconds are rounded down.
    assert NOBODY_S - 1 <= at_s[0] * 60 + at_s[1] <= NOBODY_S + 1
    expect(page.locator(".ends")).to_contain_text(f"0:{NOBODY_S + SOMEBODY_S}")
    # There again, though it had ended.
    sighting.click()
    view.wait_until(f"{BOX} !== null")
    expect(page.get_by_role("button", name="Pause")).to_be_visible()
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_role("button", name="Play")).to_be_visible()
    wait_until_boxed(view, server)
    view.check()


def wait_until_boxed(view, server):
    """Wait until the box stands where the server says; the label is above it, from its left on."""
    session = server.get("/sessions")["sessions"][-1]
    deadline = time.monotonic() + WITHIN_S
    while True:
        result = server.get(f"/sessions/{session['id']}")["last_result"]
        width, height = result["frame"]["width"], result["frame"]["height"]
        x0, _, _, y1 = (result["matches"] or [{"bbox": [0, 0, 0, 0]}])[0]["bbox"]
        told = x0 / width, y1 / height
        left, _, _, bottom = view.page.evaluate(BOX) or (0, 0, 0, 0)
        if bottom and (left, bottom) == pytest.approx(told, abs=0.02):
            return
        assert time.monotonic() < deadline, f"drawn at {left, bottom}, told {told}"
        time.sleep(0.1)


def test_nobody_in_the_picture(view, tmp_path):
    Image.new("RGB", (640, 480), "grey").save(tmp_path / "wall.jpg")
    give(view, tmp_path / "wall.jpg")
    expect(wrong(view)).to_contain_text("No person could be found in this picture.")
    expect(view.page.get_by_role("button", name="Look with the camera")).to_be_disabled()
    view.check(failing=True)


def test_no_picture(view, tmp_path):
    (tmp_path / "notes.jpg").write_text("no picture")
    give(view, tmp_path / "notes.jpg")
    expect(wrong(view)).to_contain_text("no picture that can be read here")
    view.check()


def test_no_network(view, person, clip):
    view.page.route("**/upload-embedding", lambda route: route.abort())
    give(view, person)
    expect(wrong(view)).to_contain_text("The server can not be reached.")
    view.page.unroute("**/upload-embedding")
    give(view, person)
    known(view)
    expect(wrong(view)).to_have_count(0)
    # A clip is not looked through again by itself, and what went wrong is told as what it is.
    notice = view.page.locator("#notice")
    for answer, text in (
        (
            {"status": 503, "json": {"detail": "no room"}},
            "Nobody can be looked for just now: no room",
        ),
        ({"status": 200, "body": "event: progress\ndata: {}\n\n"}, "non-finite"),
        ({"status": 200, "body": ""}, "The server can not be reached."),
    ):
        view.page.route("**/find", answering(**answer))
        look_through(view, clip)
        expect(notice).to_contain_text(text)
        view.page.unroute("**/find")
    view.problems = [each for each in view.problems if not each.startswith("TypeError")]
    view.check(failing=True)


def answering(**answer):
    """What answers each request so."""
    return lambda route: route.fulfill(**answer)


def test_several_people_and_one_of_them_is_chosen(view, server, person, tmp_path):
    group = Image.new("RGB", (1280, 480))
    for at in (0, 640):
        group.paste(Image.open(person), (at, 0))
    group.save(tmp_path / "group.jpg", quality=92)
    page = view.page
    give(view, tmp_path / "group.jpg")
    known(view, "There are 2 people in the picture. Tap the one to look for.")
    camera = page.get_by_role("button", name="Look with the camera")
    expect(camera).to_be_disabled()
    boxes = page.get_by_role("list", name="The people in the picture").get_by_role("button")
    expect(boxes).to_have_count(2)
    image = page.get_by_alt_text("The picture of the person").bounding_box()
    sides = [
        (box["x"] + box["width"] / 2 - image["x"]) / image["width"]
        for box in (boxes.nth(at).bounding_box() for at in range(2))
    ]
    assert sorted(round(side, 1) for side in sides) == pytest.approx([0.25, 0.75], abs=0.1)
    view.check_looks(tmp_path, "group")
    boxes.nth(1).focus()
    page.keyboard.press("Enter")
    known(view, "Person 2 is looked for.")
    expect(boxes.nth(1)).to_have_attribute("aria-pressed", "true")
    camera.click()
    expect(page.locator(".sightings li").first).to_be_visible()
    view.check()


def test_how_alike_people_have_to_be(view, server, person):
    page = view.page
    give(view, person)
    known(view)
    page.get_by_role("button", name="Look with the camera").click()
    expect(page.locator(".badge")).to_be_visible()
    slider = page.get_by_role("slider", name="May differ by")
    assert float(slider.input_value()) == pytest.approx(0.29)
    for value in (0.1, 0.5):
        slider.fill(str(value))
        server.wait_until("/sessions", lambda told, v=value: _threshold(server, told) == v)
    view.check()


def _threshold(server, told):
    (session,) = told["sessions"]
    last = server.get(f"/sessions/{session['id']}")["last_result"]
    return last["reid"]["threshold"] if last else None


def test_several_people_on_a_photograph(view):
    for needed in (TWO_PEOPLE, DETECTOR):
        if not needed.exists():
            pytest.skip(f"there is no {needed}")
    give(view, TWO_PEOPLE)
    known(view, re.compile(r"There are \d people in the picture. Tap the one to look for."))
    view.page.get_by_role("button", name="Person 1 of").click()
    known(view, "Person 1 is looked for.")
    expect(view.page.get_by_role("button", name="Look with the camera")).to_be_enabled()
    view.check()


@pytest.mark.parametrize("way", ["paste", "drop"])
def test_pasted_and_dropped(view, person, way):
    view.page.evaluate(
        """async ([way, bytes]) => {
          const transfer = new DataTransfer();
          transfer.items.add(new File([new Uint8Array(bytes)], "a.jpg", { type: "image/jpeg" }));
          const event = way === "paste"
            ? new ClipboardEvent("paste", { clipboardData: transfer, bubbles: true })
            : new DragEvent("drop", { dataTransfer: transfer, bubbles: true, cancelable: true });
          document.querySelector(".find h1").dispatchEvent(event);
        }""",
        [way, list(person.read_bytes())],
    )
    known(view)
    view.check()


def test_taken_with_the_camera(view, server):
    page = view.page
    page.get_by_role("button", name="Take one").click()
    page.get_by_role("button", name="Cancel").click()
    page.get_by_role("button", name="Take one").click()
    page.get_by_role("button", name="Take it in 3 s").click()
    known(view)
    expect(page.get_by_alt_text("The picture of the person")).to_be_visible()
    expect(page.locator(".drop video")).to_be_hidden()
    view.check()


def test_leaving_the_view_ends_the_session(view, server, person):
    give(view, person)
    known(view)
    view.page.get_by_role("button", name="Look with the camera").click()
    server.wait_until("/sessions", lambda answer: answer["sessions"])
    expect(view.page.locator(".badge")).to_be_visible()
    view.page.get_by_role("link", name="Camera").click()
    server.wait_until("/sessions", lambda answer: not answer["sessions"])
    view.check()


def test_in_german(browser, server, tmp_path):
    Image.new("RGB", (64, 48), "grey").save(tmp_path / "wall.jpg")
    with opened(browser, server.url, "find", language="de-DE") as view:
        view.page.locator(".person input").set_input_files(tmp_path / "wall.jpg")
        expect(wrong(view)).to_contain_text("Auf diesem Bild wurde niemand gefunden.")
        view.check(failing=True)


def look_through(view, path):
    """Choose a video to look through at once."""
    with view.page.expect_file_chooser() as chooser:
        view.page.get_by_role("button", name="Look through a video at once…").click()
    chooser.value.set_files(path)


def test_through_a_clip_at_once(view, person, clip, tmp_path):
    """What was seen, with a picture of it, to go there and to take away."""
    page = view.page
    give(view, person)
    known(view)
    look_through(view, clip)
    sighting = page.locator(".sightings li")
    expect(sighting).to_have_count(1)
    expect(page.get_by_role("progressbar")).to_be_hidden()
    begin, _, end = sighting.locator("button.figures").inner_text().partition(" – ")  # noqa: RUF001
    assert NOBODY_S - 1 <= int(begin.split(":")[1]) <= NOBODY_S + 1
    # To its end, give or take what lies between two that are looked at.
    assert NOBODY_S + SOMEBODY_S - 2 <= int(end.split(":")[-1]) <= NOBODY_S + SOMEBODY_S
    view.wait_until("document.querySelector('.sightings img').naturalWidth === 96")
    view.check_looks(tmp_path, "find-whole")
    files = {}
    for form in ("CSV", "JSON"):
        with page.expect_download() as download:
            page.get_by_role("button", name=f"Download: {form}").click()
        files[form] = download.value.path().read_text()
    (seen,) = json.loads(files["JSON"])
    assert NOBODY_S - 0.5 <= seen["from"] <= NOBODY_S + 1
    assert files["CSV"].splitlines()[0] == "from,to,distance,sure"
    assert files["CSV"].splitlines()[1].startswith(f"{seen['from']},{seen['to']},")
    with page.expect_download() as download:
        sighting.get_by_role("button", name="Clip").click()
    assert download.value.suggested_filename.endswith(".mp4")
    with av.open(download.value.path()) as cut:
        length_s = float(cut.duration / av.time_base)
    # From the key frame before it, which is the first here.
    assert seen["to"] - seen["from"] <= length_s <= NOBODY_S + SOMEBODY_S + 0.1
    sighting.locator("button.figures").click()
    expect(page.get_by_role("button", name="Pause")).to_be_visible()
    view.check()


def test_a_search_that_is_cancelled_ends_on_the_server(view, server, person, clip):
    give(view, person)
    known(view)
    look_through(view, clip)
    expect(view.page.get_by_role("progressbar")).to_be_visible()
    server.wait_until("/sessions", lambda now: now["sessions"])
    view.page.get_by_role("button", name="Stop").click()
    expect(view.page.get_by_role("button", name="Look through a video at once…")).to_be_enabled()
    server.wait_until("/sessions", lambda now: not now["sessions"])
    view.check()


def test_a_clip_that_is_too_large_says_so(browser, chromium, person, clip, tmp_path):
    # The picture of the person, and not a clip that is longer than that.
    most = max(person.stat().st_size, 20_000) * 2
    large = tmp_path / "large.mp4"
    # Behind its end a video may have anything.
    large.write_bytes(clip.read_bytes() + bytes(most))
    limit = ("--max-body-bytes", str(most))
    with (
        running_server(tmp_path, *FLAGS, *limit) as small,
        opened(browser, small.url, "find") as view,
    ):
        give(view, person)
        known(view)
        look_through(view, large)
        expect(view.page.locator("#notice")).to_contain_text("look in it while it plays")
        expect(view.page.get_by_role("button", name="Look in a video…")).to_be_enabled()
        view.check(failing=True)
