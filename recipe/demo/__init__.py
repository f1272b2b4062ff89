"""A small pool that the package makes itself, so that everything can be tried without data and without a network."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from recipe.demo._facts import facts, reasons
from recipe.demo._mix import mix_records
from recipe.demo._scenes import Person, draw_scene, some, world
from recipe.demo._telling import ask, describe
from recipe.errors import ConfigError, InputError
from recipe.files import atomic_write
from recipe.seed import generator

if TYPE_CHECKING:
    from collections.abc import Iterable
    from os import PathLike

    import numpy as np

    from recipe.demo._facts import Fact
    from recipe.demo._scenes import Scene
    from recipe.demo._telling import QA

    Entry = dict[str, Any]

PLANTED = {  # trouble, each on this share of the images, rounded up
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
LAST_IMAGE = 2_417_997  # image ids of Visual Genome end here
BOILERPLATE = "It seems like your message is empty. Please send the details of the picture so that I can help you."


def write_demo(folder: str | PathLike[str], *, images: int = 400, seed: int = 0) -> list[Path]:
    """Write a pool in SVIT's raw format and a mix in LLaVA's about a made-up little world.

    Each image is a scene: a place, things with number, color and position, people with clothes and something to do.
    Questions, answers, descriptions and boxes are told from it and agree with each other. An image has three topics of
    five questions (`svit/conversation.json`), fifteen questions that ask for reasons (`svit/complex_reasoning.json`),
    ten with boxes (`svit/referring_qa.json`) and a description (`svit/detail_description.json`): 29 samples. Things are
    as frequent as 1 / rank, and seven of ten closed questions are answered yes, so that there is something to balance.
    `llava_mix.json` is told of a quarter as many other images: short answers, option letters, yes or no, captions,
    signs, regions, and some text without an image.

    As in real files some trouble is planted, each kind on a share of the images, rounded up (`PLANTED`): on 5 % a
    reasoning question stands twice; on 5 % the description stands again with one word changed; on 1 % an answer is
    empty; on 1 % the description is boilerplate about an empty message; on 1 % a box cannot be read; and 0.5 % of the
    images have no size in `svit/image_data.json`.

    Parameters
    ----------
    folder
        Where to write; made if it is not there.
    images
        Images of the SVIT part, from 1; 400 give about 12,500 samples.
    seed
        Any integer; the same seed gives the same bytes.

    Returns
    -------
    list of Path
        The folder `svit` and the file `llava_mix.json`, as they are given to `select_mix`.

    Raises
    ------
    ConfigError
        If `images` is below 1.
    InputError
        If the folder cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     [path.name for path in write_demo(folder, images=2)]
    ['svit', 'llava_mix.json']
    """
    if not 1 <= images <= LAST_IMAGE:
        raise ConfigError(f"demo: expected 1 to {LAST_IMAGE} images, got images={images}")
    svit = Path(folder, "svit")
    try:
        svit.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{svit}: cannot be made ({error.strerror}); name a folder that can be written") from error
    for name, entries in svit_files(images, seed).items():
        _write(svit / f"{name}.json", entries)
    mix = Path(folder, "llava_mix.json")
    _write(mix, mix_records(generator(seed, "demo mix"), -(-images // 4)))
    return [svit, mix]


def _write(path: Path, entries: Iterable[Entry]) -> None:
    """Write one JSON array, one entry a line."""
    with atomic_write(path, "w") as file:
        file.write("[\n" + ",\n".join(map(json.dumps, entries)) + "\n]\n")


def draw_scenes(images: int, seed: int) -> list[Scene]:
    """Draw the scenes of the SVIT part.

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
    """Tell the scenes in SVIT's raw schema.

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
    """Put the conversations about an image into SVIT's shape."""
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
    """Three topics of five questions."""
    known = facts(scene)
    talks = []
    for topic in some(rng, list(TOPICS), 3):
        fitting = [fact for fact in known if fact.kind in TOPICS[topic] and _fits(fact, topic)]
        talks.append(({"topic": topic}, [ask(rng, scene, fact) for fact in some(rng, fitting, 5)]))
    return _entry(scene, talks)


def _fits(fact: Fact, topic: str) -> bool:
    """Tell whether a fact is about people where the topic is."""
    return topic != "People" or isinstance(fact.the, Person)


def _reasoning(rng: np.random.Generator, scene: Scene) -> Entry:
    """Fifteen questions that ask for reasons."""
    return _entry(scene, [({}, [ask(rng, scene, fact)]) for fact in some(rng, reasons(scene), 15)])


def _referring(rng: np.random.Generator, scene: Scene) -> Entry:
    """Ten questions with boxes."""
    known = [fact for fact in facts(scene) if fact.kind in REFERRING]
    return _entry(scene, [({}, [ask(rng, scene, fact, boxed=True)]) for fact in some(rng, known, 10)])


def _description(rng: np.random.Generator, scene: Scene) -> Entry:
    """One description."""
    [request] = some(rng, world("telling")["describe"]["ask"], 1)
    return _entry(scene, [({}, [(request, describe(rng, scene))])])


def _image_data(scene: Scene) -> Entry:
    """Size and address as Visual Genome lists them."""
    width, height = scene.size
    url = f"https://cs.stanford.edu/people/rak248/VG_100K{'_2' * (scene.image % 2)}/{scene.image}.jpg"
    return {"width": width, "url": url, "height": height, "image_id": scene.image, "coco_id": None, "flickr_id": None}


def _plant(rng: np.random.Generator, pool: dict[str, list[Entry]], images: int) -> None:
    """Plant trouble, each kind on its share of the images, no image twice while they last."""
    order = rng.permutation(images).tolist()
    taken = 0
    for trouble, share in PLANTED.items():
        count = math.ceil(share * images)
        chosen = [order[i % images] for i in range(taken, taken + count)]
        taken += count
        for i in chosen:
            talks = {name: pool[name][i]["conversations"] for name in pool if name != "image_data"}
            if trouble == "exact duplicate":
                talks["complex_reasoning"].append(talks["complex_reasoning"][0])
            elif trouble == "near duplicate":
                request, answer = talks["detail_description"][0]["content"]
                changed = answer["value"].replace(" the ", " that ", 1)
                talks["detail_description"].append({"content": [request, {"from": "gpt", "value": changed}]})
            elif trouble == "empty answer":
                talks["complex_reasoning"][1]["content"][1]["value"] = ""
            elif trouble == "boilerplate":
                talks["detail_description"][0]["content"][1]["value"] = BOILERPLATE
            elif trouble == "malformed box":
                _break_box(talks["referring_qa"])
        if trouble == "no image size":
            pool["image_data"] = [entry for i, entry in enumerate(pool["image_data"]) if i not in chosen]


def _break_box(talks: list[Entry]) -> None:
    """Put a second point into the first number of the first box, as it happens in SVIT."""
    turn = next(turn for talk in talks for turn in talk["content"] if "[0." in turn["value"])
    turn["value"] = re.sub(r"\[0\.(\d)", r"[0.\1.", turn["value"], count=1)
