"""A small generated pool, to try everything without data and without a network."""

from __future__ import annotations

import json
from numbers import Integral
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from recipe.demo._mix import mix_records
from recipe.demo._svit import FEWEST, LAST_IMAGE, svit_files
from recipe.engine.seed import generator
from recipe.errors import ConfigError, InputError
from recipe.io.outputs import open_output
from recipe.io.paths import path_of
from recipe.stages.read import read_pool

if TYPE_CHECKING:
    from collections.abc import Iterable
    from os import PathLike
    from pathlib import Path

    from recipe.data.pool import Pool


def demo_pool(*, images: int = 400, seed: int = 0) -> Pool:
    """Return the demo pool, without leaving files on disk.

    Parameters
    ----------
    images, seed
        As for `write_demo`.

    Returns
    -------
    Pool
        The samples of `write_demo`.

    Examples
    --------
    >>> len(demo_pool(images=4)) > 4 * 29
    True
    """
    with TemporaryDirectory() as folder:
        return read_pool(write_demo(folder, images=images, seed=seed))


def write_demo(folder: str | PathLike[str], *, images: int = 400, seed: int = 0) -> list[Path]:
    """Write a pool in SVIT's raw format and a mix in LLaVA's, about generated scenes.

    Each image is a scene: a place, things with number, color and position, people with clothes and an activity.
    Questions, answers, descriptions and boxes are generated from it and agree with each other. An image has three
    topics of five questions (`svit/conversation.json`), fifteen questions that ask for reasons
    (`svit/complex_reasoning.json`), ten with boxes (`svit/referring_qa.json`) and a description
    (`svit/detail_description.json`): 29 samples. Things have a frequency of 1 / rank, and seven of ten closed questions
    are answered yes, so that there is something to balance. `llava_mix.json` is about a quarter as many other images:
    short answers, option letters, yes or no, captions, signs, regions, and some text without an image.

    As in real files there are some problems, each on a share of the images, rounded up: on 5 % a reasoning question
    occurs twice; on 5 % the description occurs again with one word changed; on 1 % an answer is empty; on 1 % the
    description is boilerplate about an empty message; on 1 % a box cannot be read; and 0.5 % of the images have no size
    in `svit/image_data.json`.

    Parameters
    ----------
    folder
        The folder to write to; created if it does not exist. No file in it is replaced; those of the same pool stay.
    images
        Images of the SVIT part, from 2; 400 give about 12,500 samples.
    seed
        Any integer; the same seed gives the same bytes.

    Returns
    -------
    list of Path
        The folder `svit` and the file `llava_mix.json`, as sources for `select_mix`.

    Raises
    ------
    ConfigError
        If `images` is below 2, or an argument is of another type.
    InputError
        If the folder cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     [path.name for path in write_demo(folder, images=2)]
    ['svit', 'llava_mix.json']
    """
    _check(images, seed)
    svit = path_of(folder, "folder") / "svit"
    try:
        svit.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{svit}: cannot be made ({error.strerror}); name a folder that can be written") from error
    for name, entries in svit_files(images, seed).items():
        _write(svit / f"{name}.json", entries)
    mix = svit.with_name("llava_mix.json")
    _write(mix, mix_records(generator(seed, "demo mix"), -(-images // 4)))
    return [svit, mix]


def _check(images: Any, seed: Any) -> None:
    """Raise unless both are integers, and the images in their range."""
    if not isinstance(images, Integral) or not FEWEST <= int(images) <= LAST_IMAGE:
        raise ConfigError(f"demo: expected {FEWEST} to {LAST_IMAGE} images, got images={images!r:.80}")
    if not isinstance(seed, Integral):
        raise ConfigError(f"demo: expected an integer as seed, got seed={seed!r:.80}")


def _write(path: Path, entries: Iterable[dict[str, Any]]) -> None:
    """Write one JSON array, one entry per line."""
    with open_output(path, "w") as file:
        file.write("[\n" + ",\n".join(map(json.dumps, entries)) + "\n]\n")
