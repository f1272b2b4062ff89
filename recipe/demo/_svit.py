"""Entries about scenes in SVIT's raw schema, with the problems of real files."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any

from recipe.demo._facts import facts, reasons, varied
from recipe.demo._scenes import Person, draw_scene, some, world
from recipe.demo._telling import ask, describe
from recipe.engine.seed import generator

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy as np

    from recipe.demo._facts import Fact
    from recipe.demo._scenes import Scene
    from recipe.demo._telling import QA

    Entry = dict[str, Any]

PLANTED = {  # problems, each on this share of the images, rounded up
    "exact duplicate": 0.05,
    "near duplicate": 0.05,
    "empty answer": 0.01,
    "boilerplate": 0.01,
    "malformed box": 0.01,
    "no image size": 0.005,
}
TOPICS = {
    "Things and their attributes": ("count", "color", "material"),
    "Positions": ("position", "side"),
    "People": ("activity", "clothes", "hair", "position", "side"),
    "The scene as a whole": ("place", "weather", "time", "sign", "present"),
}
REFERRING = ("color", "material", "position", "side", "activity", "clothes", "present", "region")
FEWEST = 2  # in every pool at least one image has no size
LAST_IMAGE = 2_417_997  # image ids of Visual Genome end here
BOILERPLATE = "It seems like your message is empty. Please send the details of the picture so that I can help you."


def draw_scenes(images: int, seed: int) -> list[Scene]:
    """Generate the scenes of the SVIT files.

    Parameters
    ----------
    images, seed
        As for `write_demo`.

    Returns
    -------
    list of Scene
        In the order of their image numbers.
    """
    rng = generator(seed, "demo scenes")
    numbers = sorted(rng.choice(LAST_IMAGE, size=images, replace=False).tolist())
    return [draw_scene(rng, number + 1) for number in numbers]


def svit_files(images: int, seed: int) -> dict[str, list[Entry]]:
    """Return entries about the scenes in SVIT's raw schema.

    Parameters
    ----------
    images, seed
        As for `write_demo`.

    Returns
    -------
    dict
        File name without its ending to the entries of the file.
    """
    rng, scenes = generator(seed, "demo telling"), draw_scenes(images, seed)
    pool: dict[str, list[Entry]] = {
        "conversation": [_conversation(rng, scene) for scene in scenes],
        "complex_reasoning": [_reasoning(rng, scene) for scene in scenes],
        "referring_qa": [_referring(rng, scene) for scene in scenes],
        "detail_description": [_description(rng, scene) for scene in scenes],
        "image_data": [_image_data(scene) for scene in scenes],
    }
    _plant(rng, pool, images)
    return pool


def _entry(scene: Scene, talks: Iterable[tuple[Entry, list[QA]]]) -> Entry:
    """Return the entry of an image in SVIT's schema."""
    conversations = [
        {
            **label,
            "content": [
                {"from": who, "value": text} for qa in qas for who, text in zip(("user", "gpt"), qa, strict=True)
            ],
        }
        for label, qas in talks
    ]
    return {"image_id": scene.image, "conversations": conversations}


def _conversation(rng: np.random.Generator, scene: Scene) -> Entry:
    """Return three topics of five questions."""
    known = facts(scene)
    talks = []
    for topic in some(rng, list(TOPICS), 3):
        fitting = [fact for fact in known if fact.kind in TOPICS[topic] and _fits(fact, topic)]
        talks.append(({"topic": topic}, [ask(rng, scene, fact) for fact in varied(rng, fitting, 5)]))
    return _entry(scene, talks)


def _fits(fact: Fact, topic: str) -> bool:
    """Return whether a fact fits a topic: that of people needs facts about people."""
    return topic != "People" or isinstance(fact.the, Person)


def _reasoning(rng: np.random.Generator, scene: Scene) -> Entry:
    """Return fifteen questions that ask for reasons."""
    return _entry(scene, [({}, [ask(rng, scene, fact)]) for fact in varied(rng, reasons(scene), 15)])


def _referring(rng: np.random.Generator, scene: Scene) -> Entry:
    """Return ten questions with boxes."""
    known = [fact for fact in facts(scene) if fact.kind in REFERRING]
    return _entry(scene, [({}, [ask(rng, scene, fact, boxed=True)]) for fact in varied(rng, known, 10)])


def _description(rng: np.random.Generator, scene: Scene) -> Entry:
    """Return one description."""
    [request] = some(rng, world("telling")["describe"]["ask"], 1)
    return _entry(scene, [({}, [(request, describe(rng, scene))])])


def _image_data(scene: Scene) -> Entry:
    """Return size and address as in Visual Genome."""
    width, height = scene.size
    url = f"https://cs.stanford.edu/people/rak248/VG_100K{'_2' * (scene.image % 2)}/{scene.image}.jpg"
    return {"width": width, "url": url, "height": height, "image_id": scene.image, "coco_id": None, "flickr_id": None}


def _plant(rng: np.random.Generator, pool: dict[str, list[Entry]], images: int) -> None:
    """Plant each problem on its share of the images, on different images as long as there are any."""
    order = rng.permutation(images).tolist()
    taken = 0
    for problem, share in PLANTED.items():
        count = math.ceil(share * images)
        chosen = [order[i % images] for i in range(taken, taken + count)]
        taken += count
        for i in chosen:
            talks = {name: pool[name][i]["conversations"] for name in pool if name != "image_data"}
            if problem == "exact duplicate":
                talks["complex_reasoning"].append(talks["complex_reasoning"][0])
            elif problem == "near duplicate":
                request, answer = talks["detail_description"][0]["content"]
                changed = answer["value"].replace(" the ", " that ", 1)
                talks["detail_description"].append({"content": [request, {"from": "gpt", "value": changed}]})
            elif problem == "empty answer":
                talks["complex_reasoning"][1]["content"][1]["value"] = ""
            elif problem == "boilerplate":
                talks["detail_description"][0]["content"][1]["value"] = BOILERPLATE
            elif problem == "malformed box":
                _break_box(talks["referring_qa"])
        if problem == "no image size":
            pool["image_data"] = [entry for i, entry in enumerate(pool["image_data"]) if i not in chosen]


def _break_box(talks: list[Entry]) -> None:
    """Put a second point into the first number of the first box, as occurs in SVIT."""
    turn = next(turn for talk in talks for turn in talk["content"] if "[0." in turn["value"])
    turn["value"] = re.sub(r"\[0\.(\d)", r"[0.\1.", turn["value"], count=1)
