"""The people who exercise: build, looks and clothes."""

from dataclasses import dataclass, replace
from enum import Enum

REFERENCE_HEIGHT_M = 1.75
"""The stature at which the sizes in `head` and `body` are what they say."""


class Hair(Enum):
    BALD = "bald"
    SHORT = "short"
    PONYTAIL = "ponytail"
    LONG = "long"


class Legwear(Enum):
    SHORTS = "shorts"
    LEGGINGS = "leggings"
    TROUSERS = "trousers"


class ShirtPattern(Enum):
    """The value is what the shader knows the pattern by."""

    PLAIN = 0
    STRIPES = 1
    BAND = 2
    PRINT = 4


@dataclass(frozen=True, slots=True)
class Person:
    """Build and looks. Factors are relative to an average adult of that height.

    Attributes
    ----------
    height_m
        Stature; every bone is a fraction of it.
    girth, muscle, waist, bust
        Thickness of the whole body, of the limbs, of the waist (factors), and of the breasts
        (0 is none).
    hip_width, shoulder_width
        Factors on the distance between the hip and the shoulder joints.
    beard
        0 is shaven, 1 is full.
    sleeve
        Length of the sleeves as a fraction of the upper arm.
    skin, hair_colour, shirt, shirt_pattern_colour, legwear_colour, shoes, soles, socks
        sRGB as '#rrggbb'.
    dumbbells
        One in each hand.
    """

    height_m: float = 1.75
    girth: float = 1.0
    muscle: float = 1.0
    hip_width: float = 1.0
    shoulder_width: float = 1.0
    bust: float = 0.0
    waist: float = 1.0
    skin: str = "#d8a183"
    hair: Hair = Hair.SHORT
    hair_colour: str = "#2a1a10"
    beard: float = 0.25
    shirt: str = "#2f6fb5"
    shirt_pattern: ShirtPattern = ShirtPattern.PLAIN
    shirt_pattern_colour: str = "#ffffff"
    sleeve: float = 0.5
    legwear: Legwear = Legwear.SHORTS
    legwear_colour: str = "#2b2b33"
    shoes: str = "#e8e8e8"
    soles: str = "#ffffff"
    socks: str = "#f0f0f0"
    dumbbells: bool = False


def with_dumbbells(person: Person) -> Person:
    return replace(person, dumbbells=True)


MAN_IN_BLUE = Person()

WOMAN_IN_RED = Person(
    height_m=1.66,
    girth=0.93,
    muscle=0.88,
    hip_width=1.08,
    shoulder_width=0.90,
    bust=1.0,
    waist=0.88,
    skin="#f0c6ab",
    hair=Hair.PONYTAIL,
    hair_colour="#7a4a22",
    beard=0.0,
    shirt="#c4394f",
    sleeve=0.35,
    legwear=Legwear.LEGGINGS,
    legwear_colour="#23232b",
    shoes="#d46a9a",
)

MAN_IN_STRIPES = Person(
    height_m=1.83,
    girth=1.08,
    muscle=1.12,
    skin="#7a4d36",
    hair=Hair.BALD,
    hair_colour="#0d0b0a",
    beard=0.6,
    shirt="#e2c044",
    shirt_pattern=ShirtPattern.STRIPES,
    shirt_pattern_colour="#222222",
    legwear=Legwear.TROUSERS,
    legwear_colour="#56606e",
    shoes="#222222",
    soles="#eeeeee",
)

MAN_IN_GREEN = Person(
    height_m=1.70,
    girth=1.22,
    waist=1.22,
    skin="#e3b08f",
    hair_colour="#8c8c8c",
    beard=0.7,
    shirt="#4f8a4b",
    shirt_pattern=ShirtPattern.BAND,
    shirt_pattern_colour="#f5f5f5",
    legwear_colour="#8a6b45",
    shoes="#33415c",
)

WOMAN_IN_WHITE = Person(
    height_m=1.62,
    girth=0.90,
    muscle=0.85,
    hip_width=1.05,
    shoulder_width=0.88,
    bust=0.9,
    waist=0.85,
    skin="#a86f4c",
    hair=Hair.LONG,
    hair_colour="#120d0b",
    beard=0.0,
    shirt="#f2f2f2",
    shirt_pattern=ShirtPattern.PRINT,
    shirt_pattern_colour="#6a3fa0",
    sleeve=0.4,
    legwear=Legwear.TROUSERS,
    legwear_colour="#3a5fa0",
    shoes="#8a2be2",
)
