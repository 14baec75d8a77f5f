"""The pulse on the page: how sure it is beside each number, and nothing of it without vitals."""

import pytest
from playwright.sync_api import expect

from tests.browser.training import squats, write_clip
from tests.browser.views import opened
from tests.support.server import running_server

DOUBLE = """
from analyzers.base_model import BaseModel

class Vitals(BaseModel):
    name = "vitals"

    def start(self, sid, timestamp=None, *, options=None):
        self.signal = options["signal"]

    def frame(self, sid, frame, timestamp):
        told = {"respiration_per_min": None, "signal": [0.0, 1.0, -1.0] if self.signal else []}
        if timestamp < 3000:
            reason = {"code": "hold_still", "text": "Hold still"}
            return {"vitals": told | {"heart_rate_bpm": None, "confidence": 0.1, "reason": reason}}
        told |= {"heart_rate_bpm": 71.6, "confidence": 0.93, "reason": None}
        return {"vitals": told | {"respiration_per_min": 14.2}}
"""


@pytest.fixture(scope="module")
def camera_clip(tmp_path_factory):
    return write_clip(tmp_path_factory.mktemp("camera") / "squats.mjpeg", squats())


@pytest.fixture(scope="module")
def server(chromium, tmp_path_factory):
    folder = tmp_path_factory.mktemp("vitals")
    (folder / "told_vitals.py").write_text(DOUBLE)
    flags = ("--analyzers", "told_vitals:Vitals", "--workers", "1")
    with running_server(folder, *flags, path=str(folder)) as running:
        yield running


@pytest.mark.parametrize(
    ("language", "sure", "breaths", "still", "note"),
    [
        ("en", "93 % sure", "14 breaths a minute", "Hold still", "Not a medical device."),
        ("de", "93 % sicher", "14 Atemzüge pro Minute", "Still halten", "Kein Medizinprodukt."),
    ],
)
def test_a_number_comes_with_how_sure_it_is(browser, server, language, sure, breaths, still, note):
    with opened(browser, server.url, "train", language=language) as view:
        view.page.locator("button.primary, main button").first.click()
        card = view.page.locator(".pulse")
        expect(card).to_contain_text(still)
        expect(card).to_contain_text("\u2013")
        expect(card).to_contain_text("72")
        expect(card).to_contain_text(f"{sure} · {breaths}")
        expect(card).to_contain_text(note)
        inked = """[...document.querySelector(".pulse canvas").getContext("2d")
          .getImageData(0, 0, 240, 48).data].some((value) => value > 0)"""
        view.wait_until(inked)
        view.check()
