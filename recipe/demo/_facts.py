"""What can be asked about a scene, with the answer that the scene gives and answers that it does not."""

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
    """One thing that is true of a scene.

    Parameters
    ----------
    kind
        A key of telling.yaml.
    answer
        What is true, in a word or a phrase.
    lies
        Answers of the same kind that are not true.
    the, other
        What the fact is about.
    words
        More words for the templates.
    """

    kind: str
    answer: str = ""
    lies: Sequence[str] = ()
    the: Thing | None = None
    other: Thing | None = None
    words: dict[str, str] = field(default_factory=dict)


def facts(scene: Scene) -> list[Fact]:
    """List what can be seen in a scene.

    Parameters
    ----------
    scene
        What an image shows.

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
    """Return the words that every template about a scene may use."""
    lore = world("world")
    about, time = lore["places"][scene.place], lore["times"][scene.time]
    weather = lore["weather"][scene.weather] | {"weather": scene.weather} if scene.weather else INDOORS
    place = {"place": scene.place, "a_place": article(scene.place), "time": scene.time}
    return {**place, **{word: about[word] for word in ("at", "purpose", "rule", "sound")}, **time, **weather}


def words_of(thing: Thing) -> dict[str, str]:
    """Return the words that every template about a thing may use."""
    one = thing.count == 1
    verbs = ("is", "does", "there is") if one else ("are", "do", "there are")
    words = dict(zip(("be", "do", "there"), verbs, strict=True))
    words |= {"thing": thing.name, "things": thing.plural, "side": thing.side, "what": thing.what, "use": thing.use}
    if isinstance(thing, Person):
        words |= world("world")["activities"][thing.doing]
        words |= {"clothes": thing.clothes, "hair": thing.hair, "doing": thing.doing}
    return words


def varied(rng: np.random.Generator, known: Sequence[Fact], k: int) -> list[Fact]:
    """Draw k facts of as many kinds as there are.

    Parameters
    ----------
    rng
        Where all chance comes from.
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
    """Write small numbers in letters."""
    numbers: list[str] = world("world")["numbers"]
    return numbers[n] if n < len(numbers) else str(n)


def _others(answer: str, known: Sequence[str]) -> list[str]:
    """Return what could have been answered instead."""
    return [word for word in known if word != answer]


def _of_things(scene: Scene) -> Iterator[Fact]:
    """Tell number, color, material and presence of things."""
    lore = world("world")
    for thing in scene.things:
        number = _number(thing.count)
        yield Fact("count", number, _others(number, lore["numbers"][1:]), thing)
        yield Fact("color", thing.color, _others(thing.color, lore["colors"]), thing)
        yield Fact("region", thing.what, the=thing)
        if thing.material:
            yield Fact("material", thing.material, _others(thing.material, lore["materials"]), thing)
    here = {thing.noun for thing in scene.groups}
    absent = [noun for noun in lore["things"] if noun not in here]
    for i, thing in enumerate(scene.things):
        yield Fact("present", thing.noun, absent[i :: len(scene.things)], thing)


def _of_people(scene: Scene) -> Iterator[Fact]:
    """Tell what people do and wear."""
    lore = world("world")
    doings = [doing for doing in lore["activities"] if doing not in {person.doing for person in scene.people}]
    for person in scene.people:
        dresses = [article(f"{color} {piece}") for color in lore["colors"] for piece in lore["clothes"]]
        yield Fact("activity", person.doing, doings, person)
        yield Fact("clothes", person.clothes, _others(person.clothes, dresses), person)
        yield Fact("hair", person.hair, _others(person.hair, lore["hair"]), person)
        yield Fact("region", person.what, the=person)


def _of_places(scene: Scene) -> Iterator[Fact]:
    """Tell place, time, weather and sign."""
    lore = world("world")
    yield Fact("place", scene.place, _others(scene.place, list(lore["places"])))
    yield Fact("time", scene.time, _others(scene.time, list(lore["times"])))
    if scene.weather:
        yield Fact("weather", scene.weather, _others(scene.weather, list(lore["weather"])))
    if scene.sign:
        signs = sorted({text for place in lore["places"].values() for text in place["signs"]})
        yield Fact("sign", scene.text, _others(scene.text, signs), scene.sign)


def _of_sides(scene: Scene) -> Iterator[Fact]:
    """Tell where things and people are, in the picture and from each other."""
    for thing in scene.groups:
        yield Fact("position", thing.side, _others(thing.side, ["on the left", "in the middle", "on the right"]), thing)
    for thing, other in permutations(scene.groups, 2):
        side, wrong = ("left", "right") if thing.center < other.center else ("right", "left")
        yield Fact("side", side, [wrong], thing, other)
