"""People made of colours, and what pose would say of them."""

import numpy as np

from analyzers.pose.landmarks import NAMES

# Where joints are in someone 100 high and some 30 wide, from the upper left corner of their box.
JOINTS = {
    "nose": (15, 8),
    "left_shoulder": (22, 20),
    "right_shoulder": (8, 20),
    "left_hip": (19, 50),
    "right_hip": (11, 50),
    "left_knee": (19, 70),
    "right_knee": (11, 70),
    "left_ankle": (19, 90),
    "right_ankle": (11, 90),
}
RED_SHIRT = ((200, 30, 30), (20, 20, 90))
GREEN_SHIRT = ((30, 160, 40), (200, 190, 150))

HEIGHT = 240
WIDTH = 320


def joints_px(x, y, scale=2.0):
    """All 33 landmarks of someone whose box begins at x, y: shape (33, 3), all visible."""
    return np.array(
        [(x + scale * a, y + scale * b, 1.0) for a, b in (_joint(name) for name in NAMES)]
    )


def _joint(name):
    # What has no place of its own is where the limb's joint is.
    for part, joint in (
        ("shoulder", "shoulder"),
        ("elbow", "shoulder"),
        ("wrist", "hip"),
        ("pinky", "hip"),
        ("index", "hip"),
        ("thumb", "hip"),
        ("hip", "hip"),
        ("knee", "knee"),
        ("ankle", "ankle"),
        ("heel", "ankle"),
    ):
        if part in name and "foot" not in name:
            return JOINTS[f"{name.partition('_')[0]}_{joint}"]
    if "foot" in name:
        return JOINTS[f"{name.partition('_')[0]}_ankle"]
    return JOINTS["nose"]


def draw(frame, x, y, clothes, scale=2.0):
    """Draw someone: head, shirt and trousers, round, so that the light falls off to their sides."""
    shirt, trousers = clothes
    for top, bottom, left, right, colour in (
        (0, 15, 10, 20, (190, 150, 120)),
        (15, 50, 4, 26, shirt),
        (50, 95, 8, 22, trousers),
    ):
        rows = slice(round(y + scale * top), round(y + scale * bottom))
        first, last = round(x + scale * left), round(x + scale * right)
        shade = np.sin(np.linspace(0.25, 0.75, last - first) * np.pi)
        width = frame[rows, first:last].shape[1]
        frame[rows, first:last] = shade[:width, None] * colour


def scene(*people, light=(1.0, 1.0, 1.0), seed=0):
    """A noisy grey room with people, each (x, y, clothes), in a light of some colour."""
    frame = np.full((HEIGHT, WIDTH, 3), 120, np.float64)
    for x, y, clothes in people:
        draw(frame, x, y, clothes)
    frame += np.random.default_rng(seed).normal(0, 12, frame.shape)
    return (frame * light).clip(0, 255).astype(np.uint8)


def pose_of(*people):
    """What pose says of several people, each (number, x, y)."""
    entries = [{"id": number, "landmarks": as_dicts(joints_px(x, y))} for number, x, y in people]
    return {
        "has_pose": bool(entries),
        "landmarks": entries[0]["landmarks"] if entries else [],
        "people": entries,
    }


def as_dicts(points):
    return [
        {"x": x / WIDTH, "y": y / HEIGHT, "z": 0.0, "visibility": v} for x, y, v in points.tolist()
    ]
