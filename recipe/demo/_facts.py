"""The facts of a scene that questions are about, with the true answer and with false ones."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from itertools import permutations
from typing import TYPE_CHECKING

from recipe.demo._scenes import Person, Thing, article, some, world

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy as np

    from recipe.demo._scenes import Scene

INDOORS = {"light": "soft lamps light the room", "weather": "", "sky": "", "wear": ""}


@dataclass(frozen=True)
class Fact:
    """One fact of a scene.

    Parameters
    ----------
    kind
        A key of telling.yaml.
    answer
        The true answer, a word or a phrase.
    wrong
        Answers of the same kind that are false.
    the, other
        The things that the fact is about.
    words
        Further words for the templates.
    """

    kind: str
    answer: str = ""
    wrong: Sequence[str] = ()
    the: Thing | None = None
    other: Thing | None = None
    words: dict[str, str] = field(default_factory=dict)


def facts(scene: Scene) -> list[Fact]:
    """List what can be seen in a scene.

    Parameters
    ----------
    scene
        The scene of an image.

    Returns
    -------
    list of Fact
        Always in the same order.
    """
    return [*_of_things(scene), *_of_people(scene), *_of_places(scene), *_of_sides(scene)]


def reasons(scene: Scene) -> list[Fact]:
    """List what can be concluded from a scene; at least 15 facts."""
    found = [Fact(kind, the=thing) for thing in scene.things for kind in ("use", "without")]
    found += [Fact(kind, the=person) for person in scene.people for kind in ("why", "needs", "next")]
    found += [Fact(kind, the=scene.things[0]) for kind in ("clue", "purpose", "rule", "sound", "feeling")]
    if scene.weather:
        found.append(Fact("wear"))
    if seats := sum(thing.count * thing.seats for thing in scene.things):
        verdict = "Yes" if seats >= len(scene.people) else "No"
        words = {"verdict": verdict, "seats": _number(seats), "crowd": _number(len(scene.people))}
        found.append(Fact("seats", words=words))
    return found


def words_of_scene(scene: Scene) -> dict[str, str]:
    """Return the words for every template about a scene."""
    data = world("world")
    about, time = data["places"][scene.place], data["times"][scene.time]
    weather = data["weather"][scene.weather] | {"weather": scene.weather} if scene.weather else INDOORS
    place = {"place": scene.place, "a_place": article(scene.place), "time": scene.time}
    return {**place, **{word: about[word] for word in ("at", "purpose", "rule", "sound")}, **time, **weather}


def words_of(thing: Thing) -> dict[str, str]:
    """Return the words for every template about a thing."""
    one = thing.count == 1
    verbs = ("is", "does", "there is") if one else ("are", "do", "there are")
    words = dict(zip(("be", "do", "there"), verbs, strict=True))
    words |= {"thing": thing.name, "things": thing.plural, "side": thing.side, "what": thing.what, "use": thing.use}
    if isinstance(thing, Person):
        words |= world("world")["activities"][thing.doing]
        words |= {"clothes": thing.clothes, "hair": thing.hair, "doing": thing.doing}
    return words


def varied(rng: np.random.Generator, known: Sequence[Fact], k: int) -> list[Fact]:
    """Sample k facts of as many kinds as possible.

    Parameters
    ----------
    rng
        The random generator.
    known
        At least k facts.
    k
        How many to draw.

    Returns
    -------
    list of Fact
        First one of each kind, then a second one of each, and so on.
    """
    turn: Counter[str] = Counter()
    ranked = []
    for fact in some(rng, known, len(known)):
        ranked.append((turn[fact.kind], fact))
        turn[fact.kind] += 1
    return [fact for _, fact in sorted(ranked, key=lambda pair: pair[0])[:k]]


def _number(n: int) -> str:
    """Write small numbers as words."""
    numbers: list[str] = world("world")["numbers"]
    return numbers[n] if n < len(numbers) else str(n)


def _others(answer: str, known: Sequence[str]) -> list[str]:
    """Return the other possible answers."""
    return [word for word in known if word != answer]


def _of_things(scene: Scene) -> Iterator[Fact]:
    """Yield the number, color, material and presence of things."""
    data = world("world")
    for thing in scene.things:
        number = _number(thing.count)
        yield Fact("count", number, _others(number, data["numbers"][1:]), thing)
        yield Fact("color", thing.color, _others(thing.color, data["colors"]), thing)
        yield Fact("region", thing.what, the=thing)
        if thing.material:
            yield Fact("material", thing.material, _others(thing.material, data["materials"]), thing)
    present = {thing.noun for thing in scene.groups}
    absent = [noun for noun in data["things"] if noun not in present]
    for i, thing in enumerate(scene.things):
        yield Fact("present", thing.noun, absent[i :: len(scene.things)], thing)


def _of_people(scene: Scene) -> Iterator[Fact]:
    """Yield what people do and wear."""
    data = world("world")
    doings = [doing for doing in data["activities"] if doing not in {person.doing for person in scene.people}]
    for person in scene.people:
        dresses = [article(f"{color} {piece}") for color in data["colors"] for piece in data["clothes"]]
        yield Fact("activity", person.doing, doings, person)
        yield Fact("clothes", person.clothes, _others(person.clothes, dresses), person)
        yield Fact("hair", person.hair, _others(person.hair, data["hair"]), person)
        yield Fact("region", person.what, the=person)


def _of_places(scene: Scene) -> Iterator[Fact]:
    """Yield place, time, weather and sign."""
    data = world("world")
    yield Fact("place", scene.place, _others(scene.place, list(data["places"])))
    yield Fact("time", scene.time, _others(scene.time, list(data["times"])))
    if scene.weather:
        yield Fact("weather", scene.weather, _others(scene.weather, list(data["weather"])))
    if scene.sign:
        signs = sorted({text for place in data["places"].values() for text in place["signs"]})
        yield Fact("sign", scene.text, _others(scene.text, signs), scene.sign)


def _of_sides(scene: Scene) -> Iterator[Fact]:
    """Yield where things and people are, in the image and relative to each other."""
    for thing in scene.groups:
        yield Fact("position", thing.side, _others(thing.side, ["on the left", "in the middle", "on the right"]), thing)
    for thing, other in permutations(scene.groups, 2):
        side, other_side = ("left", "right") if thing.center < other.center else ("right", "left")
        yield Fact("side", side, [other_side], thing, other)
