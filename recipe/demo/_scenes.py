"""Generated scenes: things with number, color and place, and people with activities."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, cached_property
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import TypeVar

    import numpy as np

    T = TypeVar("T")
    Box = tuple[float, float, float, float]  # x1, y1, x2, y2 as shares of width and height

LEFT, RIGHT = 0.38, 0.62  # the middle of an image is between these


@cache
def world(name: str) -> Any:
    """Read a data file of this package."""
    return yaml.load(files("recipe.demo").joinpath(f"{name}.yaml").read_bytes(), Loader=yaml.CSafeLoader)


@dataclass(frozen=True)
class Thing:
    """All things of one kind in a scene; they have one color."""

    noun: str
    plural: str
    color: str
    boxes: tuple[Box, ...]
    use: str = ""
    material: str = ""
    seats: int = 0

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self.boxes)

    @property
    def name(self) -> str:
        """The noun, singular or plural."""
        return self.noun if self.count == 1 else self.plural

    @property
    def what(self) -> str:
        """The things as they are first mentioned."""
        one = f"{self.color} {self.noun}"
        return (
            article(one) if self.count == 1 else f"{world('world')['numbers'][self.count]} {self.color} {self.plural}"
        )

    @cached_property
    def box(self) -> Box:
        """The smallest box around all of them."""
        lefts, tops, rights, bottoms = zip(*self.boxes, strict=True)
        return min(lefts), min(tops), max(rights), max(bottoms)

    @cached_property
    def center(self) -> float:
        """Where their middle is from left to right, 0..1."""
        return (self.box[0] + self.box[2]) / 2

    @property
    def side(self) -> str:
        """The side of the image they are on."""
        return "on the left" if self.center < LEFT else "on the right" if self.center > RIGHT else "in the middle"


@dataclass(frozen=True)
class Person(Thing):
    """One person; no other in the scene has the same noun."""

    clothes: str = ""
    hair: str = ""
    doing: str = ""

    @property
    def what(self) -> str:
        """The person as first mentioned."""
        return f"a {self.noun} in {self.clothes}"


@dataclass(frozen=True)
class Scene:
    """What one image shows."""

    image: int
    size: tuple[int, int]
    place: str
    time: str
    weather: str | None  # None indoors
    things: tuple[Thing, ...]
    people: tuple[Person, ...]
    sign: Thing | None
    text: str  # the text on the sign

    @cached_property
    def groups(self) -> tuple[Thing, ...]:
        """Everything that has a position in the image."""
        return (*self.things, *self.people, *((self.sign,) if self.sign else ()))


def article(noun: str) -> str:
    """Return a noun with its indefinite article."""
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"


def some(rng: np.random.Generator, items: Sequence[T], k: int) -> list[T]:
    """Sample k items uniformly without replacement."""
    return [items[i] for i in rng.permutation(len(items))[:k]]


def common(rng: np.random.Generator, items: Sequence[T], k: int) -> list[T]:
    """Sample k items without replacement, the r-th with a weight of 1 / r (Zipf's law)."""
    arrival = [float(x) * rank for rank, x in enumerate(rng.exponential(size=len(items)), 1)]
    return [items[i] for i in sorted(range(len(items)), key=arrival.__getitem__)[:k]]


def draw_scene(rng: np.random.Generator, image: int) -> Scene:
    """Generate a scene at random.

    Parameters
    ----------
    rng
        The random generator.
    image
        The image's number.

    Returns
    -------
    Scene
        Five to seven kinds of things, one to three people, and sometimes a sign, side by side without overlap.
    """
    data = world("world")
    [place] = common(rng, list(data["places"]), 1)
    about = data["places"][place]
    nouns = common(rng, about["things"], int(rng.integers(5, 8)))
    names = common(rng, data["people"], common(rng, [1, 2, 3], 1)[0])
    text = some(rng, about["signs"], 1)[0] if rng.random() < 0.4 else ""  # noqa: PLR2004  two signs in five images
    groups = [(noun, common(rng, range(1, 7), 1)[0]) for noun in nouns] + [(name, 1) for name in names]
    places = iter(_boxes(rng, [*groups, ("sign", 1)] if text else groups))
    things = tuple(_thing(rng, noun, next(places)) for noun in nouns)
    doings = common(rng, about["activities"], len(names))
    people = tuple(_person(rng, name, next(places), doing) for name, doing in zip(names, doings, strict=True))
    weather = common(rng, about.get("weather", list(data["weather"])), 1)[0] if about.get("outdoors") else None
    return Scene(
        image=image,
        size=tuple(common(rng, data["sizes"], 1)[0]),
        place=place,
        time=some(rng, list(data["times"]), 1)[0],
        weather=weather,
        things=things,
        people=people,
        sign=Thing("sign", "signs", common(rng, data["colors"], 1)[0], next(places)) if text else None,
        text=text,
    )


def _thing(rng: np.random.Generator, noun: str, boxes: tuple[Box, ...]) -> Thing:
    """Make the things of one kind, with a color."""
    data = world("world")
    about = data["things"][noun]
    [color] = common(rng, about.get("colors", data["colors"]), 1)
    plural = about.get("plural", f"{noun}s")
    return Thing(noun, plural, color, boxes, about["use"], about.get("of", ""), about.get("seat", 0))


def _person(rng: np.random.Generator, name: str, boxes: tuple[Box, ...], doing: str) -> Person:
    """Make a person, with clothes and hair."""
    data = world("world")
    clothes = article(f"{common(rng, data['colors'], 1)[0]} {common(rng, data['clothes'], 1)[0]}")
    return Person(name, "", "", boxes, clothes=clothes, hair=common(rng, data["hair"], 1)[0], doing=doing)


def _boxes(rng: np.random.Generator, groups: list[tuple[str, int]]) -> list[tuple[Box, ...]]:
    """Give each kind a slot of the width, and each thing a box in it; high things are in the upper half."""
    things, slots = world("world")["things"], rng.permutation(len(groups))
    placed: list[tuple[Box, ...]] = []
    for (noun, count), slot in zip(groups, slots, strict=True):
        width = 1 / (len(groups) * count)
        top = 0.04 if things.get(noun, {}).get("high") or noun == "sign" else 0.48
        boxes: list[Box] = []
        for i in range(count):
            margin, drop, height = rng.random() * 0.3, rng.random() * 0.1, 0.2 + rng.random() * 0.2
            x = (float(slot) * count + i) * width
            left, right = round(x + margin * width, 3), round(x + (1 - margin / 2) * width, 3)
            boxes.append((left, round(top + drop, 3), right, round(top + drop + height, 3)))
        placed.append(tuple(boxes))
    return placed
