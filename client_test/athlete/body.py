"""The body: solids around the bones, in groups that melt together, each with a material.

Sizes are metres on a person of REFERENCE_HEIGHT_M and scale with stature. They, like the
colours, were set by eye.
"""

import numpy as np

from .geometry import Rotation, Vector, axes_along, unit, vector
from .head import SIDES, add_hair, add_head
from .material import Kind, linear_colour
from .people import REFERENCE_HEIGHT_M, Legwear, Person
from .skeleton import Half, Skeleton
from .solids import Solids

IRON = np.array([0.03, 0.03, 0.035])


def add_body(solids: Solids, owner: int, person: Person, skeleton: Skeleton) -> None:
    """Add one person to a picture."""
    head_frame = solids.frame(skeleton.head, skeleton.head_rotation, skeleton.head_scale)
    scale = person.height_m / REFERENCE_HEIGHT_M
    chest_frame = solids.frame(skeleton.chest, skeleton.chest_rotation, scale)
    pelvis_frame = solids.frame(skeleton.pelvis, skeleton.pelvis_rotation, scale)
    add_head(solids, owner, person, skeleton, head_frame)
    add_hair(solids, owner, person, skeleton, head_frame)
    for side in SIDES:
        half = skeleton.half(side)
        _add_arm(solids, owner, person, half, scale)
        _add_leg(solids, owner, person, half, scale)
        _add_foot(solids, owner, person, half, side, scale)
    _add_hips(solids, owner, person, skeleton, scale, pelvis_frame)
    _add_shirt(solids, owner, person, skeleton, scale, chest_frame)


def _add_arm(solids: Solids, owner: int, person: Person, half: Half, scale: float) -> None:
    girth, muscle = person.girth * scale, person.muscle * person.girth * scale
    frame = solids.frame(half.elbow, axes_along(unit(half.wrist - half.elbow), half.hand.palm), 1.0)
    group = solids.group(owner, Kind.SKIN, linear_colour(person.skin), frame, shine=0.08)
    shoulder, elbow, wrist = half.shoulder, half.elbow, half.wrist
    upper, fore = elbow - shoulder, wrist - elbow
    solids.cone(group, shoulder, elbow, 0.046 * muscle, 0.036 * muscle)
    # The biceps lies on the side to which the elbow bends; the offset keeps that defined when
    # the arm is straight.
    bulge = axes_along(unit(upper), unit(fore) + vector(0.01, 0.003, 0.02))
    radii = (0.043 * muscle, 0.085 * scale, 0.046 * muscle)
    solids.ellipsoid(group, shoulder + upper * 0.55, bulge, radii)
    middle = elbow + fore * 0.28
    solids.cone(group, elbow, middle, 0.036 * muscle, 0.042 * muscle)
    solids.cone(group, middle, wrist, 0.041 * muscle, 0.0265 * girth)
    _add_hand(solids, group, person, half, scale)
    if person.dumbbells:
        _add_dumbbell(solids, owner, half, scale, frame)


def _add_hand(solids: Solids, group: int, person: Person, half: Half, scale: float) -> None:
    wrist, hand = half.wrist, half.hand

    def at(along: float, thumbwards: float, out: float) -> Vector:
        offset = hand.fingers * along + hand.thumbwards * thumbwards + hand.palm * out
        point: Vector = wrist + offset * scale
        return point

    axes = np.column_stack([hand.thumbwards, hand.fingers, np.cross(hand.thumbwards, hand.fingers)])
    palm = (0.040 * scale, 0.052 * scale, 0.019 * scale)
    solids.ellipsoid(group, at(0.048, 0, 0), axes, palm, blend=0.012)
    solids.cone(
        group, wrist, at(0.03, 0, 0), 0.026 * person.girth * scale, 0.026 * scale, blend=0.012
    )

    def bone(start: Vector, end: Vector, radius_1: float, radius_2: float, blend: float) -> None:
        solids.cone(group, start, end, radius_1 * scale, radius_2 * scale, blend=blend)

    for finger, length in enumerate((0.072, 0.080, 0.075, 0.058)):
        across = 0.027 - 0.018 * finger
        if person.dumbbells:
            knuckle, bend, tip = at(0.088, across, 0), at(0.084, across, 0.036), None
            tip = at(0.052, across, 0.032)
            bone(knuckle, bend, 0.0095, 0.009, 0.004)
            bone(bend, tip, 0.009, 0.0085, 0.004)
            continue
        bend = at(0.090 + length * 0.55, across, 0.010)
        bone(at(0.080, across, 0), bend, 0.0092, 0.0082, 0.003)
        bone(bend, at(0.090 + length * 0.95, across, 0.028), 0.0082, 0.007, 0.003)
    if person.dumbbells:
        bone(at(0.03, 0.03, 0.015), at(0.07, 0.025, 0.045), 0.012, 0.0095, 0.006)
        return
    bend = at(0.062, 0.050, 0.020)
    bone(at(0.028, 0.028, 0.008), bend, 0.013, 0.0105, 0.008)
    bone(bend, at(0.090, 0.054, 0.026), 0.0105, 0.008, 0.004)


def _add_dumbbell(solids: Solids, owner: int, half: Half, scale: float, frame: int) -> None:
    group = solids.group(owner, Kind.PLAIN, IRON, frame, shine=0.3)
    across = half.hand.thumbwards
    grip = half.wrist + (half.hand.fingers * 0.072 + half.hand.palm * 0.026) * scale
    solids.cone(group, grip - across * 0.075, grip + across * 0.075, 0.014, 0.014, blend=0.003)
    for side in SIDES:
        inner, outer = grip + across * 0.068 * side, grip + across * 0.100 * side
        solids.cone(group, inner, outer, 0.046, 0.046, blend=0.003)


def _add_leg(solids: Solids, owner: int, person: Person, half: Half, scale: float) -> None:
    girth, muscle = person.girth * scale, person.muscle * person.girth * scale
    hip, knee, ankle = half.hip, half.knee, half.ankle
    thigh, shank = knee - hip, ankle - knee
    shin = axes_along(unit(shank), half.foot_rotation[:, 2])
    forward = shin[:, 2]
    covered = person.legwear is not Legwear.SHORTS
    looseness = {Legwear.TROUSERS: 0.012, Legwear.LEGGINGS: 0.002, Legwear.SHORTS: 0.0}
    loose = looseness[person.legwear] * scale
    colour = linear_colour(person.legwear_colour if covered else person.skin)
    group = solids.group(
        owner,
        Kind.CLOTH if covered else Kind.SKIN,
        colour,
        solids.frame(knee, shin, scale),
        shine=0.03 if covered else 0.08,
    )
    front = axes_along(unit(thigh), half.foot_rotation[:, 2] + vector(0, 0.3, 0))
    solids.cone(group, hip, knee, 0.080 * girth + loose, 0.053 * muscle + loose, blend=0.03)
    solids.ellipsoid(
        group,
        hip + thigh * 0.45 + front[:, 2] * 0.012 * scale,
        front,
        (0.070 * muscle + loose, 0.15 * scale, 0.072 * muscle + loose),
        blend=0.03,
    )
    solids.ellipsoid(
        group,
        knee + forward * 0.008 * scale,
        shin,
        (0.050 * muscle + loose, 0.055 * scale, 0.052 * muscle + loose),
    )
    solids.cone(group, knee, ankle, 0.047 * muscle + loose, 0.035 * girth + 1.5 * loose)
    solids.ellipsoid(
        group,
        knee + shank * 0.30 - forward * 0.018 * scale,
        shin,
        (0.050 * muscle + loose, 0.115 * scale, 0.047 * muscle + loose),
        blend=0.025,
    )


def _add_foot(
    solids: Solids, owner: int, person: Person, half: Half, side: int, scale: float
) -> None:
    girth = person.girth * scale
    ankle, up = half.ankle, unit(half.knee - half.ankle)
    frame = solids.frame(ankle, half.foot_rotation, scale)
    sock = solids.group(owner, Kind.CLOTH, linear_colour(person.socks), frame, shine=0.02)
    top = 0.02 if person.legwear is Legwear.TROUSERS else 0.06
    solids.cone(sock, ankle + up * top * scale, ankle, 0.0385 * girth, 0.0375 * girth, blend=0.01)
    shoe = solids.group(
        owner,
        Kind.SHOE,
        linear_colour(person.shoes),
        frame,
        colour_2=linear_colour(person.soles),
        shine=0.08,
    )
    up_foot, up_toes = half.foot_rotation[:, 1], half.toes_rotation[:, 1]

    def foot(x: float, y: float, z: float) -> Vector:
        return ankle + half.foot_rotation @ vector(x, y, z) * scale

    def toes(x: float, y: float, z: float) -> Vector:
        return half.ball + half.toes_rotation @ vector(x, y, z) * scale

    heel, ball, tip = (
        foot(0, -0.030, -0.030),
        foot(0, -0.034, 0.100),
        toes(-side * 0.004, 0.012, 0.038),
    )
    solids.cone(
        shoe, heel, ball, 0.036 * scale, 0.036 * scale, towards=up_foot, width=1.05, depth=0.8
    )
    solids.cone(
        shoe,
        toes(0, 0.015, -0.022),
        tip,
        0.040 * scale,
        0.032 * scale,
        towards=up_toes,
        width=1.1,
        depth=0.72,
    )
    instep = foot(0, -0.010, -0.012), foot(0, -0.026, 0.06)
    solids.cone(shoe, *instep, 0.040 * scale, 0.032 * scale)
    sole = (0.042 * scale, 0.014 * scale, 0.100 * scale)
    solids.ellipsoid(shoe, foot(0, -0.052, 0.025), half.foot_rotation, sole, blend=0.012)
    sole = (0.043 * scale, 0.014 * scale, 0.060 * scale)
    solids.ellipsoid(shoe, toes(0, -0.001, 0.012), half.toes_rotation, sole, blend=0.012)


def _add_hips(
    solids: Solids, owner: int, person: Person, skeleton: Skeleton, scale: float, frame: int
) -> None:
    girth = person.girth * scale
    colour = linear_colour(person.legwear_colour)
    group = solids.group(owner, Kind.CLOTH, colour, frame, shine=0.03)
    axes = skeleton.pelvis_rotation

    def at(x: float, y: float, z: float) -> Vector:
        return skeleton.pelvis + axes @ vector(x, y, z) * scale

    width = person.hip_width
    radii = (0.158 * girth * width, 0.105 * scale, 0.112 * girth)
    solids.ellipsoid(group, at(0, 0.03, -0.005), axes, radii, blend=0.04)
    reach = {Legwear.SHORTS: 0.62, Legwear.TROUSERS: 0.35, Legwear.LEGGINGS: 0.30}[person.legwear]
    radius_1, radius_2 = {
        Legwear.SHORTS: (0.098, 0.089),
        Legwear.TROUSERS: (0.098, 0.090),
        Legwear.LEGGINGS: (0.092, 0.082),
    }[person.legwear]
    for side in SIDES:
        half = skeleton.half(side)
        buttock = (0.088 * girth, 0.095 * scale, 0.090 * girth)
        solids.ellipsoid(group, at(side * 0.070 * width, -0.035, -0.045), axes, buttock, blend=0.04)
        hem = half.hip + (half.knee - half.hip) * reach
        narrow = radius_2 * girth * (0.5 + 0.5 * person.muscle)
        solids.cone(group, half.hip, hem, radius_1 * girth, narrow, blend=0.035)


def _add_shirt(
    solids: Solids, owner: int, person: Person, skeleton: Skeleton, scale: float, frame: int
) -> None:
    girth, muscle = person.girth * scale, person.muscle * person.girth * scale
    group = solids.group(
        owner,
        Kind.CLOTH,
        linear_colour(person.shirt),
        frame,
        colour_2=linear_colour(person.shirt_pattern_colour),
        shine=0.02,
        amount=person.shirt_pattern.value,
    )
    hips, chest = skeleton.pelvis_rotation, skeleton.chest_rotation

    def low(x: float, y: float, z: float) -> Vector:
        return skeleton.pelvis + hips @ vector(x, y, z) * scale

    def high(x: float, y: float, z: float) -> Vector:
        return skeleton.chest + chest @ vector(x, y, z) * scale

    hip_width = 0.5 + 0.5 * person.hip_width
    broad = 0.5 + 0.5 * person.shoulder_width
    waist = girth * person.waist

    def belly(centre: Vector, axes: Rotation, radii: tuple[float, float, float]) -> None:
        solids.ellipsoid(group, centre, axes, radii, blend=0.05)

    belly(low(0, 0.075, 0), hips, (0.155 * girth * hip_width, 0.085 * scale, 0.112 * girth))
    belly(low(0, 0.150, 0.002), hips, (0.143 * waist, 0.12 * scale, 0.106 * waist))
    belly(high(0, 0.075, 0.002), chest, (0.150 * girth * broad, 0.13 * scale, 0.110 * girth))
    ribs = (0.146 * girth * person.shoulder_width, 0.118 * scale, 0.102 * girth)
    belly(high(0, 0.190, 0), chest, ribs)
    for side in SIDES:
        pectoral = (0.075 * girth, 0.058 * scale, 0.045 * muscle)
        solids.ellipsoid(group, high(side * 0.075, 0.190, 0.056), chest, pectoral, blend=0.04)
        if person.bust > 0.0:
            breast = (0.068 * scale, 0.065 * scale, 0.055 * scale * person.bust)
            solids.ellipsoid(group, high(side * 0.075, 0.165, 0.085), chest, breast, blend=0.03)
    for side in SIDES:
        half = skeleton.half(side)
        shoulder, upper = half.shoulder, half.elbow - half.shoulder
        # The trapezius: from half-way up the neck down to the point of the shoulder.
        inner = skeleton.neck + chest @ vector(side * 0.022, -0.010, -0.014) * scale
        outer = shoulder + chest @ vector(-side * 0.020, 0.006, -0.006) * scale
        solids.cone(group, inner, outer, 0.042 * girth, 0.040 * muscle, blend=0.06)
        cap = (0.050 * muscle, 0.050 * muscle, 0.052 * muscle)
        solids.ellipsoid(group, shoulder, chest, cap, blend=0.045)
        cuff = shoulder + upper * person.sleeve
        solids.cone(group, shoulder, cuff, 0.050 * muscle, 0.051 * muscle, blend=0.03)
