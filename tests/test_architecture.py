"""The pictures of the architecture, and what server/ says of itself: none may go stale."""

import ast
import re

import pytest

from tests.support.server import ROOT
from tools.architecture import frame_way, rooms
from tools.architecture.__main__ import files
from tools.architecture.drawing import NOTE, Box, Caption, Picture

PICTURES = (rooms.picture(), frame_way.picture())
names = [picture.name for picture in PICTURES]


@pytest.mark.parametrize("name", files())
def test_checked_in_pictures_are_drawn_from_what_is_there(name: str) -> None:
    drawn = files()[name]
    assert (ROOT / "docs" / name).read_text() == drawn, "run: python -m tools.architecture"


def test_each_room_has_a_box_and_each_box_a_room() -> None:
    on_floors = [room for floor in rooms.floors() for room in floor]
    assert sorted(rooms.ROOMS) == sorted(on_floors)


def test_floors_hold_all_of_the_server() -> None:
    found = {
        path.stem if path.suffix == ".py" else path.name
        for path in (ROOT / "server").iterdir()
        if path.suffix == ".py" or (path / "__init__.py").is_file()
    }
    assert found - {"__init__"} == set(rooms.ROOMS)


@pytest.mark.parametrize("path", frame_way.modules())
def test_modules_on_a_frames_way_exist(path: str) -> None:
    assert (ROOT / path).is_file()


@pytest.mark.parametrize("picture", PICTURES, ids=names)
def test_text_stays_in_its_box(picture: Picture) -> None:
    boxes = [shape for shape in picture.shapes if isinstance(shape, Box)]
    assert not [(box.content, box.overflow) for box in boxes if box.overflow > 0]
    for caption in (shape for shape in picture.shapes if isinstance(shape, Caption)):
        around = [box for box in boxes if _holds(box, caption.x, caption.y)]
        right = min((box.x + box.width for box in around), default=picture.width)
        assert caption.x + NOTE.width(caption.text) <= right, caption.text


@pytest.mark.parametrize("picture", PICTURES, ids=names)
def test_boxes_do_not_overlap(picture: Picture) -> None:
    boxes = [s for s in picture.shapes if isinstance(s, Box) and s.kind != "panel"]
    for i, one in enumerate(boxes):
        for other in boxes[i + 1 :]:
            apart = (
                one.x + one.width <= other.x
                or other.x + other.width <= one.x
                or one.y + one.height <= other.y
                or other.y + other.height <= one.y
            )
            assert apart, (one, other)


def test_server_lists_its_rooms_by_floor() -> None:
    text = _docstring("server/__init__.py")
    listed = [
        [room.strip() for room in line.strip().split("  ")[0].split(",")]
        for line in text.splitlines()
        if line.startswith("    ")
    ]
    assert listed == rooms.floors()


@pytest.mark.parametrize("room", [r for r in rooms.ROOMS if (ROOT / "server" / r).is_dir()])
def test_rooms_say_what_they_may_import(room: str) -> None:
    text = " ".join(_docstring(f"server/{room}/__init__.py").split())
    said = re.search(r"[Mm]ay import ([^;.]+)(?:; not ([^;.]+))?", text)
    assert said is not None
    may, may_not = (set(re.findall(r"`(\w+)`", part or "")) for part in said.groups())
    (at,) = (i for i, floor in enumerate(rooms.floors()) if room in floor)
    below = {name for floor in rooms.floors()[at + 1 :] for name in floor}
    assert may - {"analyzers"} <= below
    assert not may_not & below


def _docstring(path: str) -> str:
    text = ast.get_docstring(ast.parse((ROOT / path).read_text()), clean=False)
    assert text is not None, path
    return text


def _holds(box: Box, x: float, y: float) -> bool:
    return box.x <= x <= box.x + box.width and box.y <= y <= box.y + box.height
