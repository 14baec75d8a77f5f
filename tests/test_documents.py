"""The documents: every link in them that stays in the repository leads somewhere."""

import re
import unicodedata
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from analyzers.chain import arrange
from tests.analyzers.models import model
from tests.support.server import ROOT

README_LINES = 110

DOCUMENTS = [
    *sorted(path.name for path in ROOT.glob("*.md")),
    *sorted(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md")),
]
_FENCED = re.compile(r"^(```|~~~).*?^\1", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"`[^`\n]+`")
_LINK = re.compile(r"\]\(<?([^)\s>]+)>?[^)]*\)")
_SOURCE = re.compile(r"""\b(?:src|srcset|href)=["']([^"'\s]+)["']""")
_HEADING = re.compile(r"^#{1,6} +(.+?) *#*$", re.MULTILINE)
_ELSEWHERE = re.compile(r"[a-z][a-z0-9+.-]*:|//")


@pytest.mark.parametrize("document", DOCUMENTS)
def test_links_lead_somewhere(document: str) -> None:
    path = ROOT / document
    broken = [link for link in _links(path) if not _leads_somewhere(path, link)]
    assert not broken


def test_there_are_links_to_look_at() -> None:
    """The test above finds links of each kind."""
    links = [link for document in DOCUMENTS for link in _links(ROOT / document)]
    assert len(links) > 100
    assert any("#" in link for link in links)
    assert any(link.endswith(".jpg") for link in links)
    assert any(link.endswith(".svg") for link in links)


@pytest.mark.parametrize(
    "link", ["nowhere.md", "protocol.md#nowhere", "#nowhere", "../README.md/x"]
)
def test_broken_links_are_found(link: str) -> None:
    assert not _leads_somewhere(ROOT / "docs" / "design.md", link)


def test_all_of_docs_is_in_its_index() -> None:
    index = ROOT / "docs" / "README.md"
    linked = {link.partition("#")[0] for link in _links(index)}
    documents = {path.name for path in (ROOT / "docs").glob("*.md")} - {"README.md"}
    assert documents <= linked


def test_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text().splitlines()) < README_LINES


def _links(document: Path) -> list[str]:
    """Links and pictures that stay in the repository, outside of code."""
    text = _CODE.sub("", _FENCED.sub("", document.read_text()))
    links = [*_LINK.findall(text), *_SOURCE.findall(text)]
    return [link for link in links if not _ELSEWHERE.match(link)]


def _target(document: Path, link: str) -> Path:
    path, _, _ = link.partition("#")
    return (document.parent / path).resolve() if path else document


def _leads_somewhere(document: Path, link: str) -> bool:
    target = _target(document, link)
    if not (target.exists() and target.is_relative_to(ROOT)):
        return False
    _, _, anchor = link.partition("#")
    return not anchor or (target.suffix == ".md" and anchor in _anchors(target))


@cache
def _anchors(document: Path) -> set[str]:
    """The anchors of a document's headings, made as forges make them."""
    anchors: set[str] = set()
    for heading in _HEADING.findall(_FENCED.sub("", document.read_text())):
        text = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading).replace("`", "").lower()
        slug = "".join(c for c in text if c in " -_" or unicodedata.category(c)[0] in "LNM")
        base = slug = slug.strip().replace(" ", "-")
        again = 0
        while slug in anchors:
            again += 1
            slug = f"{base}-{again}"
        anchors.add(slug)
    return anchors


def test_the_drawing_sample_runs_as_it_stands():
    text = (ROOT / "docs" / "analyzers.md").read_text()
    (sample,) = [
        each for each in re.findall(r"```python\n(.*?)```", text, re.DOTALL) if "strokes." in each
    ]
    names: dict = {}
    exec(sample, names)
    frame = np.zeros((480, 640, 3), np.uint8)
    names["Nod"]().draw(frame, {"nose_height": 0.5})
    assert frame[240].any()


def test_the_sample_that_goes_on_elsewhere_runs_as_it_stands():
    text = (ROOT / "docs" / "analyzers.md").read_text()
    (sample,) = [
        each for each in re.findall(r"```python\n(.*?)```", text, re.DOTALL) if "def save" in each
    ]
    lanes = []
    for _ in range(2):
        names: dict = {"hears_one": lambda frame: 1}
        exec(sample, names)
        lanes += arrange([names["Claps"]()])
    one, other = lanes
    one.start("s", 0.0, ["claps"])
    one.frame("s", np.zeros((48, 64, 3), np.uint8), 0.0)
    moved = one.end("s", 33.0, moves=True)
    assert other.start("s", 33.0, ["claps"], {}, moved.states).anew == ()
    report = other.frame("s", np.zeros((48, 64, 3), np.uint8), 66.0)
    assert report.fragments["claps"] == {"claps": b"2"}


def test_the_sample_that_sees_every_frame_runs_as_it_stands():
    text = (ROOT / "docs" / "analyzers.md").read_text()
    (sample,) = [
        each
        for each in re.findall(r"```python\n(.*?)```", text, re.DOTALL)
        if "consecutive = True" in each
    ]
    names: dict = {}
    exec(sample, names)
    (lane, _) = arrange([names["Flicker"](), model("Pose")])
    assert lane.is_consecutive
    assert lane.start("s", 0.0, ["flicker"]).problems == ()
    for at in range(300):
        report = lane.frame("s", np.full((48, 64, 3), at % 200, np.uint8), at * 40.0)
    assert report.problems == ()
    assert report.fragments["flicker"]["steps_ms"] == b"40.0"
    assert lane.end("s", 12_000.0).problems == ()
