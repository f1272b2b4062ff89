"""Records about scenes in LLaVA's own format: short answers, option letters, regions, captions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from recipe.demo._facts import facts, varied
from recipe.demo._scenes import article, draw_scene, some
from recipe.demo._telling import ask, caption, chats

if TYPE_CHECKING:
    import numpy as np

    from recipe.demo._facts import Fact
    from recipe.demo._scenes import Scene, Thing
    from recipe.demo._telling import QA

    Record = dict[str, Any]

SHORT = "Answer the question using a single word or phrase."
LETTER = "Answer with the option's letter from the given choices directly."
REGION = "Provide a short description for this region."
GROUND = "Provide the bounding box coordinate of the region this sentence describes."
FIRST_IMAGE = 900_000  # above all ids of COCO
SHORT_KINDS = ("count", "color", "material", "position", "side", "activity", "weather", "time", "place")
CHOICE_KINDS = ("count", "color", "material", "activity", "clothes", "place", "sign")


def mix_records(rng: np.random.Generator, images: int) -> list[Record]:
    """Return records about new scenes, as in LLaVA's mix.

    Parameters
    ----------
    rng
        The random generator.
    images
        Scenes, from 0; about seven records each, and one without an image.

    Returns
    -------
    list of dict
        LLaVA records.
    """
    records = []
    for number, chat in enumerate(chats(rng, images), FIRST_IMAGE):
        scene = draw_scene(rng, number)
        for kind, talks in _talks(rng, scene).items():
            for i, qas in enumerate(talks):
                image = f"coco/train2017/{number:012d}.jpg"
                records.append(
                    {"id": f"{kind}_{number}_{i}", "image": image, "conversations": _turns(qas, "<image>\n")}
                )
        records.append({"id": f"text_{number}", "conversations": _turns([chat])})
    return records


def _turns(qas: list[QA], mark: str = "") -> list[dict[str, str]]:
    """Return alternating human and gpt turns, with the image mark before the first question."""
    turns = [{"from": who, "value": text} for qa in qas for who, text in zip(("human", "gpt"), qa, strict=True)]
    turns[0]["value"] = mark + turns[0]["value"]
    return turns


def _talks(rng: np.random.Generator, scene: Scene) -> dict[str, list[list[QA]]]:
    """Return the records of a scene, by kind."""
    known = facts(scene)
    short = [fact for fact in known if fact.kind in SHORT_KINDS]
    choice = [fact for fact in known if fact.kind in CHOICE_KINDS]
    turns = int(rng.integers(3, 7))
    return {
        "vqa": [_first_asks([_short(rng, scene, fact) for fact in varied(rng, short, turns)], SHORT)],
        "single": [_first_asks([_short(rng, scene, fact)], SHORT) for fact in varied(rng, short, 2)],
        "choice": [[_choose(rng, scene, fact)] for fact in varied(rng, choice, 1)],
        "pope": [_first_asks([_exists(rng, fact) for fact in known if fact.kind == "present"], SHORT)],
        "region": [_regions(rng, scene)],
        "caption": [[caption(rng, scene)]],
        "sign": [[_read_sign(rng, scene, fact)] for fact in known if fact.kind == "sign"],
    }


def _first_asks(qas: list[QA], prompt: str) -> list[QA]:
    """Append the format prompt to the first question."""
    (question, answer), *others = qas
    return [(f"{question}\n{prompt}", answer), *others]


def _short(rng: np.random.Generator, scene: Scene, fact: Fact) -> QA:
    """Answer in a word or a phrase."""
    return ask(rng, scene, fact, closed=False)[0], fact.answer


def _exists(rng: np.random.Generator, fact: Fact) -> QA:
    """Ask whether something is in the image, in POPE's words."""
    truth = rng.random() < 0.5  # noqa: PLR2004  one half
    claim = fact.answer if truth else some(rng, fact.wrong, 1)[0]
    return f"Is there {article(claim)} in the image?", "Yes" if truth else "No"


def _choose(rng: np.random.Generator, scene: Scene, fact: Fact) -> QA:
    """Offer four options and answer with a letter."""
    options = some(rng, [fact.answer, *some(rng, fact.wrong, 3)], 4)
    listed = "\n".join(f"{letter}. {option}" for letter, option in zip("ABCD", options, strict=True))
    return f"{ask(rng, scene, fact, closed=False)[0]}\n{listed}\n{LETTER}", "ABCD"[options.index(fact.answer)]


def _read_sign(rng: np.random.Generator, scene: Scene, fact: Fact) -> QA:
    """Ask for the text of the sign, with its words as OCR tokens, as in LLaVA."""
    tokens = ", ".join(fact.answer.split())
    return f"{ask(rng, scene, fact, closed=False)[0]}\nReference OCR token: {tokens}\n{SHORT}", fact.answer


def _regions(rng: np.random.Generator, scene: Scene) -> list[QA]:
    """Ask for the boxes of descriptions and the descriptions of boxes."""
    qas = []
    for thing in some(rng, scene.groups, 3):
        box = square_box(thing, scene.size)
        qas.append((f"{box}\n{REGION}", thing.what) if rng.random() < 0.5 else (f"{thing.what}\n{GROUND}", box))  # noqa: PLR2004  one half
    return qas


def square_box(thing: Thing, size: tuple[int, int]) -> str:
    """Write a box on the image padded to a square, with two decimals.

    Parameters
    ----------
    thing
        The thing in the box.
    size
        Width and height of the image in pixels.

    Returns
    -------
    str
        ``[x1, y1, x2, y2]``, shares of the longer side.
    """
    width, height = size
    side = max(size)
    x1, y1, x2, y2 = thing.box
    xs = [(x * width + (side - width) / 2) / side for x in (x1, x2)]
    ys = [(y * height + (side - height) / 2) / side for y in (y1, y2)]
    return f"[{xs[0]:.2f}, {ys[0]:.2f}, {xs[1]:.2f}, {ys[1]:.2f}]"
