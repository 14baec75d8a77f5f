"""``python -m tools.architecture``: writes docs/architecture-*.svg and docs/frame-way-*.svg."""

from tools.architecture import frame_way, rooms
from tools.architecture.drawing import DARK, LIGHT


def files() -> dict[str, str]:
    """The text of each file, by its name in docs/."""
    return {
        f"{picture.name}-{name}.svg": picture.svg(theme)
        for picture in (rooms.picture(), frame_way.picture())
        for name, theme in (("light", LIGHT), ("dark", DARK))
    }


if __name__ == "__main__":
    for name, text in files().items():
        (rooms.ROOT / "docs" / name).write_text(text)
