"""Checks a mix file against the demands of its trainer, without running it."""

from __future__ import annotations

from importlib import import_module
from itertools import chain
from typing import TYPE_CHECKING, Any

import msgspec

from recipe.check.trainer._containers import read_bytes
from recipe.check.trainer._dialogues import listed
from recipe.check.trainer.findings import finding
from recipe.check.trainer.images import image_faults
from recipe.check.trainer.loaders import repeated_ids, told
from recipe.errors import ConfigError, InputError, nearest
from recipe.io.families import family_with
from recipe.io.paths import path_of
from recipe.io.regular import bytes_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from os import PathLike
    from pathlib import Path

    from recipe.check.trainer.findings import Finding

LLAVA = ("llava", "jsonl")
OTHERS = ("llava_next", "llama_factory", "swift", "trl", "qwen_vl", "internvl", "webdataset")  # each a file here
ENDINGS = {".parquet": "trl", ".tar": "webdataset"}


class _Written(msgspec.Struct):
    """What a manifest says of its mix."""

    format: str


class _Manifest(msgspec.Struct):
    """The key of a manifest that names the format."""

    mix: _Written


def check_mix(
    path: str | PathLike[str],
    *,
    trainer: str | None = None,
    images: str | PathLike[str] | None = None,
    decode: bool = False,
    tokenizer: str | PathLike[str] | None = None,
) -> list[Finding]:
    """Find everything in a mix file that stops its trainer, or that is trained wrong without an error.

    Parameters
    ----------
    path
        The file that would be given to the trainer.
    trainer
        ``"llava"`` (LLaVA v1.5), ``"jsonl"`` (its records in lines), ``"llava-next"``, ``"llama-factory"``,
        ``"swift"``, ``"trl"``, ``"qwen-vl"``, ``"internvl"`` or ``"webdataset"``. By default that of the manifest
        beside the file, else the one that its ending tells: ``.parquet`` is TRL's, ``.tar`` Energon's, any other
        LLaVA's.
    images
        The folder that would be given as ``--image_folder``, to check that every image exists; None to skip that.
        Paths that lead out of it are not opened.
    decode
        Also decode every image of that folder, in processes: truncated, corrupt, of one pixel. Needs Pillow.
    tokenizer
        Llama's ``tokenizer.model``, for LLaVA alone, to count tokens exactly; they are estimated by default
        (`recipe.data.tokens`): 1.25 a word, 1 a digit or sign, 1.5 a letter that is not ASCII. Needs sentencepiece.

    Returns
    -------
    list of Finding
        In file order, each with code, severity, record, turn and message; empty if nothing is wrong. Those of severity
        ``"other"`` come last: they stop other loaders of the same file and are harmless to LLaVA.

    Raises
    ------
    InputError
        If the file, the folder or the tokenizer cannot be read.
    ConfigError
        If images are to be decoded and no folder is given, there is no such trainer, or a tokenizer is given for
        another than LLaVA.
    MissingExtra
        If Pillow or sentencepiece is needed and not installed.

    Notes
    -----
    Source: LLaVA v1.5, `llava/train/train.py`, `llava/train/llava_trainer.py`, `llava/conversation.py` (template v1).

    Examples
    --------
    >>> import json, tempfile
    >>> turns = [{"from": "human", "value": "Why?"}, {"from": "gpt", "value": ""}]
    >>> with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
    ...     json.dump([{"id": "1", "conversations": turns}], file)
    ...     file.flush()
    ...     print(*check_mix(file.name))
    record 0, turn 1: W06 an empty turn masks every label of the record; fill or remove the turn
    """
    check_folder(images, decode=decode)
    file = path_of(path, "path")
    name = trainer_of(file, trainer)
    if name in LLAVA:
        from recipe.check.trainer.llava import _findings  # noqa: PLC0415  its rules are not needed for the others

        how: Any = {"decode": decode, "tokenizer": tokenizer, "lines": name == "jsonl"}
        return list(_findings(read_bytes(file), images, **how))
    if tokenizer is not None:
        raise ConfigError(f"tokenizer: expected it for llava alone, got trainer={name.replace('_', '-')}; leave it out")
    check = import_module(f"recipe.check.trainer.{name}").check
    records, found = check(file, decode=decode)
    repeated = repeated_ids(records)
    others = [finding("O04", detail=told(repeated))] if repeated else []
    return [*found, *_missing(records, images, decode=decode), *others]


def trainer_of(path: Path, named: str | None) -> str:
    """Return whose format a file is checked against, as a file here is called.

    Parameters
    ----------
    path
        The file.
    named
        The trainer that the user names, or None.

    Raises
    ------
    ConfigError
        If there is no such trainer.
    """
    known = (*LLAVA, *OTHERS)
    if named is not None:
        name = named.replace("-", "_")
        if name not in known:
            shown = [one.replace("_", "-") for one in known]
            raise ConfigError(f"trainer: expected one that can be checked, got {named!r:.40}; {nearest(named, shown)}")
        return name
    manifest = family_with(path) if path.parent.is_dir() else None
    written = None if manifest is None else msgspec.json.decode(bytes_of(manifest), type=_Manifest).mix.format
    return written if written in known else ENDINGS.get(path.suffix, "llava")


def check_folder(images: str | PathLike[str] | None, *, decode: bool) -> None:
    """Raise if the folder of images does not exist, or is needed and not given."""
    if images is None and decode:
        raise ConfigError("expected a folder of images to decode, got images=None; name the trainer's image_folder")
    if images is not None and not path_of(images, "images").is_dir():
        raise InputError(f"expected a folder of images, got images={str(images)!r}; name the trainer's image_folder")


def _missing(records: list[Any], images: str | PathLike[str] | None, *, decode: bool) -> Iterator[Finding]:
    """Find the images of records that their trainer could not open."""
    named = [listed(record, "image", "images") for record in records]
    faults = image_faults([{"image": one} for one in chain.from_iterable(named)], images, decode=decode)
    for number, names in enumerate(named):
        for name in names:
            if name in faults:
                yield finding("T08", number, detail=f"{name!r}: {faults[name]}")
