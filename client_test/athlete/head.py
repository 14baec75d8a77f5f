"""A head with its face, neck and hair, as solids."""

from .geometry import Rotation, rotation_y, vector
from .material import Kind, linear_colour
from .people import REFERENCE_HEIGHT_M, Hair, Person
from .skeleton import LEFT, RIGHT, Skeleton
from .solids import Solids

SIDES = (LEFT, RIGHT)


def add_head(solids: Solids, owner: int, person: Person, skeleton: Skeleton, frame: int) -> None:
    group = solids.group(
        owner,
        Kind.FACE,
        linear_colour(person.skin),
        frame,
        colour_2=linear_colour(person.hair_colour) * 0.8,
        shine=0.10,
        amount=person.beard,
    )
    scale = skeleton.head_scale
    at = skeleton.on_head

    def blob(
        centre: tuple[float, float, float],
        radii: tuple[float, float, float],
        blend: float,
        *,
        subtract: bool = False,
        axes: Rotation = skeleton.head_rotation,
    ) -> None:
        r = (radii[0] * scale, radii[1] * scale, radii[2] * scale)
        solids.ellipsoid(group, at(*centre), axes, r, blend=blend * scale, subtract=subtract)

    blob((0, 0.03, -0.012), (0.074, 0.085, 0.095), 0.03)  # skull
    blob((0, 0.03, 0.03), (0.061, 0.058, 0.055), 0.03)  # forehead
    blob((0, -0.03, 0.028), (0.058, 0.074, 0.058), 0.03)  # face
    blob((0, -0.068, 0.028), (0.050, 0.040, 0.048), 0.03)  # jaw
    blob((0, -0.094, 0.066), (0.020, 0.017, 0.016), 0.025)  # chin
    for side in SIDES:
        blob((side * 0.045, -0.03, 0.055), (0.020, 0.018, 0.020), 0.025)  # cheek
        blob((side * 0.033, 0.002, 0.103), (0.019, 0.014, 0.019), 0.014, subtract=True)  # socket
        blob((side * 0.031, 0, 0.0745), (0.0135, 0.0115, 0.0125), 0.004)  # eye
        blob((side * 0.030, 0.021, 0.080), (0.020, 0.006, 0.009), 0.015)  # brow
        blob((side * 0.012, -0.045, 0.091), (0.008, 0.007, 0.010), 0.008)  # nostril
        ear = skeleton.head_rotation @ rotation_y(side * 0.35)
        blob((side * 0.077, -0.012, -0.008), (0.009, 0.030, 0.018), 0.006, axes=ear)
    bridge, tip = at(0, 0.005, 0.082), at(0, -0.040, 0.101)
    solids.cone(group, bridge, tip, 0.008 * scale, 0.0115 * scale, blend=0.010 * scale)
    blob((0, -0.0655, 0.0845), (0.022, 0.0055, 0.009), 0.006)  # lips
    blob((0, -0.0755, 0.0835), (0.018, 0.0065, 0.009), 0.006)
    size = person.height_m / REFERENCE_HEIGHT_M
    neck = 0.052 * person.girth * size * (0.9 + 0.1 * person.muscle)
    base = skeleton.neck + skeleton.chest_rotation @ vector(0, -0.03, 0) * size
    solids.cone(group, at(0, -0.05, -0.025), base, neck, neck * 1.12, blend=0.025)


def add_hair(solids: Solids, owner: int, person: Person, skeleton: Skeleton, frame: int) -> None:
    if person.hair is Hair.BALD:
        return
    group = solids.group(owner, Kind.HAIR, linear_colour(person.hair_colour), frame, shine=0.12)
    scale = skeleton.head_scale
    at = skeleton.on_head
    axes = skeleton.head_rotation

    def blob(
        centre: tuple[float, float, float],
        radii: tuple[float, float, float],
        blend: float,
        subtract: bool = False,
    ) -> None:
        r = (radii[0] * scale, radii[1] * scale, radii[2] * scale)
        solids.ellipsoid(group, at(*centre), axes, r, blend=blend * scale, subtract=subtract)

    blob((0, 0.036, -0.016), (0.082, 0.090, 0.102), 0.01)
    if person.hair is Hair.LONG:
        blob((0, -0.02, -0.035), (0.086, 0.10, 0.080), 0.03)
        solids.cone(
            group,
            at(0, -0.02, -0.06),
            at(0, -0.19, -0.085),
            0.06 * scale,
            0.045 * scale,
            blend=0.03,
            towards=axes[:, 2],
            width=1.3,
            depth=0.7,
        )
    if person.hair is Hair.PONYTAIL:
        blob((0, 0.05, -0.11), (0.025, 0.025, 0.025), 0.012)
        root, end = at(0, 0.05, -0.125), at(0, -0.12, -0.15)
        solids.cone(group, root, end, 0.03 * scale, 0.018 * scale, blend=0.012)
    blob((0, -0.045, 0.088), (0.079, 0.112, 0.088), 0.012, True)  # leaves the face free
    if person.hair is Hair.LONG:
        return
    blob((0, -0.085, -0.02), (0.12, 0.085, 0.14), 0.012, True)  # and the nape,
    for side in SIDES:
        blob((side * 0.085, -0.02, 0.01), (0.02, 0.032, 0.028), 0.006, True)  # and the ears
