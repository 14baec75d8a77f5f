"""Who is looked for in the server's camera until further notice, on the page."""

import av
import pytest
from PIL import Image
from playwright.sync_api import expect

from tests.browser.views import opened
from tests.support.server import ROOT, running_server

RATE = 15
NOBODY_S, SOMEBODY_S = 6, 4


@pytest.fixture(scope="module")
def athlete():
    with av.open(ROOT / "sample-video.mp4") as video:
        return next(video.decode(video=0)).to_image()


@pytest.fixture(scope="module")
def server(chromium, athlete, tmp_path_factory):
    """Its camera sees an empty wall for some seconds, and then the athlete, over and over."""
    folder = tmp_path_factory.mktemp("lookouts")
    with av.open(folder / "film.mp4", "w") as video:
        stream = video.add_stream("libx264", rate=RATE)
        stream.width, stream.height, stream.pix_fmt = *athlete.size, "yuv420p"
        wall = Image.new("RGB", athlete.size, "grey")
        for picture, seconds in ((wall, NOBODY_S), (athlete, SOMEBODY_S)):
            for _ in range(seconds * RATE):
                video.mux(stream.encode(av.VideoFrame.from_image(picture)))
        video.mux(stream.encode(None))
    flags = ("--analyzers", "pose,reid", "--workers", "1", "--camera", str(folder / "film.mp4"))
    with running_server(folder, *flags, "--recordings", str(folder / "recordings")) as running:
        yield running


@pytest.fixture
def view(browser, server):
    with opened(browser, server.url, "find") as view:
        yield view


def test_seen_recorded_and_ended(view, server, athlete, tmp_path):
    page = view.page
    box = page.locator("details.lookouts")
    box.locator("summary").click()
    name = box.get_by_label("Their name")
    name.fill("Anna")
    begin = box.get_by_role("button", name="Look out for them")
    begin.click()
    expect(page.locator("#notice")).to_contain_text("Give a picture of the person first")
    athlete.save(tmp_path / "person.jpg")
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Choose one…").click()
    chooser.value.set_files(tmp_path / "person.jpg")
    expect(page.locator(".person").get_by_role("status")).to_contain_text("one person")
    box.get_by_role("switch").check(force=True)
    begin.click()
    row = box.locator("ul > li")
    expect(row.locator("h3")).to_have_text("Anna · camera")
    seen = row.locator("ol li").last
    expect(seen).to_be_visible()
    # With the camera's recording, as soon as there is one.
    expect(seen.get_by_role("link", name="Recording")).to_be_visible()
    assert page.locator(".lookouts .bars i").first.bounding_box()["width"] > 0
    view.check_looks(tmp_path, "lookouts")
    (told,) = server.get("/lookouts")["lookouts"]
    name = told["sightings"][0]["recording"]
    server.wait_until(
        "/recordings",
        lambda now: [
            one for one in now["recordings"] if one["name"] == name and one["state"] == "finished"
        ],
        within_s=30,
    )
    with page.expect_download() as download:
        seen.get_by_role("link", name="Recording").click()
    with av.open(download.value.path()) as movie:
        assert sum(1 for _ in movie.decode(video=0)) > RATE
    row.get_by_role("button", name="Stop: Anna").click()
    expect(row).to_have_count(0)
    assert server.get("/lookouts")["lookouts"] == []
    view.check()


def test_it_goes_on_without_the_page(browser, server, view, athlete, tmp_path):
    """Whoever opens the page later finds it."""
    athlete.save(tmp_path / "person.jpg")
    page = view.page
    page.locator(".person input").set_input_files(tmp_path / "person.jpg")
    expect(page.locator(".person").get_by_role("status")).to_contain_text("one person")
    page.locator("details.lookouts summary").click()
    page.get_by_label("Their name").fill("Ben")
    page.get_by_role("button", name="Look out for them").click()
    expect(page.locator(".lookouts h3")).to_have_text("Ben · camera")
    with opened(browser, server.url, "find", language="de-DE") as later:
        later.page.locator("details.lookouts summary").click()
        row = later.page.locator(".lookouts ul > li")
        expect(row.locator("h3")).to_have_text("Ben · camera")
        row.get_by_role("button", name="Anhalten").click()
        expect(row).to_have_count(0)
        later.check()
    view.check()
