"""Files that list files of samples: each names them, their pictures' folder, and how much of them is taken.

LLaVA-OneVision's YAML, InternVL's `meta.json`, LLaMA-Factory's `dataset_info.json`, Energon's `MetadatasetV2`.
"""

from __future__ import annotations

import json
import math
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import polars as pl

from recipe.engine.seed import shuffled
from recipe.errors import InputError
from recipe.io.regular import bytes_of
from recipe.io.yaml import load_yaml

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

YAML = (".yaml", ".yml")
LARGEST = 4_000_000  # bytes of a list
_PLACES = {"file_name", "hf_hub_url", "ms_hub_url", "om_hub_url", "script_url", "cloud_file_name"}  # LLaMA-Factory's
_STRATEGY = re.compile(r"(all)|(first|end|random):(\d+)(%)?")


class Take(NamedTuple):
    """How much of a file is taken."""

    way: str  # first, end or random
    amount: int
    percent: bool

    def rows(self, count: int) -> list[int]:
        """Return the numbers of the records that are taken of so many.

        Examples
        --------
        >>> Take("first", 50, True).rows(5), Take("end", 2, False).rows(5), len(Take("random", 3, False).rows(5))
        ([0, 1, 2], [3, 4], 3)
        """
        n = min(count, math.ceil(self.amount * count / 100) if self.percent else self.amount)
        if self.way == "random":
            names = pl.Series([str(number) for number in range(count)], dtype=pl.String)
            return sorted(shuffled(np.arange(count), names, seed=0, label="read.take")[:n].tolist())
        return list(range(n)) if self.way == "first" else list(range(count - n, count))

    def __str__(self) -> str:
        return f"{self.way}:{self.amount}{'%' if self.percent else ''}"


class Listed(NamedTuple):
    """A file that a list names."""

    path: Path
    root: str | None = None
    take: Take | None = None
    beside: Mapping[str, Any] | None = None  # what the list says of its records
    note: str | None = None  # what of the list is not obeyed


def read_list(path: Path) -> list[Listed] | None:  # noqa: PLR0911  one for each kind
    """Return the files that a list names; None if the file is no list that is known.

    Parameters
    ----------
    path
        A file of YAML or JSON; anything else is no list.

    Raises
    ------
    InputError
        If it is a list, and names a file that does not exist, or says something of it that is not understood.

    Source: LLaVA-NeXT, `llava/train/train.py`; InternVL, `internvl_chat/shell/data/`; LLaMA-Factory, `data/README.md`;
    Megatron-Energon, `docs/source/advanced/mixing_datasets`.
    """
    if path.suffix.lower() not in (*YAML, ".json") or path.stat().st_size > LARGEST:
        return None
    given = _content(path)
    if not isinstance(given, dict) or not given:
        return None
    if isinstance(given.get("datasets"), list):
        return list(_onevision(given["datasets"], path))
    if "energon" in str(given.get("__module__", "")) and isinstance(given.get("splits"), dict):
        return list(_energon(given["splits"], path))
    entries = list(given.values())
    if all(isinstance(one, dict) for one in entries):
        if all("annotation" in one for one in entries):
            return list(_internvl(given, path))
        if all(not _PLACES.isdisjoint(one) for one in entries):
            return list(_llama_factory(given, path))
    return None


def _content(path: Path) -> Any:
    """Return what a file of YAML or JSON holds; None where it is neither."""
    try:
        text = bytes_of(path).decode("utf-8")
    except (OSError, UnicodeError):
        return None
    if path.suffix.lower() in YAML:
        return load_yaml(text, f"{path}: cannot read the list of files", kind=InputError)
    if not text.lstrip().startswith("{"):
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None  # reading it as samples says what is wrong


def _onevision(entries: list[Any], path: Path) -> Iterator[Listed]:
    """Read LLaVA-OneVision's YAML: json_path and sampling_strategy."""
    for number, entry in enumerate(entries):
        where = f"{path}: datasets[{number}]"
        if not isinstance(entry, dict) or not isinstance(entry.get("json_path"), str):
            raise InputError(f"{where}: expected an object with json_path, got {entry!r:.80}; correct the list")
        strategy = str(entry.get("sampling_strategy", "all"))
        found = _STRATEGY.fullmatch(strategy.replace(" ", ""))
        if found is None:
            what = "expected sampling_strategy as all, first:N, end:N or random:N, with % for a share"
            raise InputError(f"{where}: {what}, got {strategy!r:.60}; correct the list")
        take = None if found[1] else Take(found[2], int(found[3]), found[4] is not None)
        root = next((entry[key] for key in ("data_root", "images_folder", "image_folder") if entry.get(key)), None)
        for one in _braced(entry["json_path"]):
            yield Listed(_existing(one, path, where), root if isinstance(root, str) else None, take)


def _internvl(given: Mapping[str, Any], path: Path) -> Iterator[Listed]:
    """Read InternVL's meta.json: root, annotation, repeat_time."""
    for name, entry in given.items():
        where = f"{path}: {name}"
        if not isinstance(entry["annotation"], str):
            raise InputError(
                f"{where}: expected annotation as a path, got {entry['annotation']!r:.80}; correct the list"
            )
        times = entry.get("repeat_time", 1)
        if not isinstance(times, int | float) or isinstance(times, bool) or times <= 0:
            raise InputError(f"{where}: expected repeat_time above 0, got {times!r:.40}; correct the list")
        take = Take("first", round(times * 100), True) if times < 1 else None
        note = f"repeat_time={times}: each sample is read once" if times > 1 else None
        root = entry.get("root")
        yield Listed(
            _existing(entry["annotation"], path, where), root if isinstance(root, str) else None, take, note=note
        )


def _llama_factory(given: Mapping[str, Any], path: Path) -> Iterator[Listed]:
    """Read LLaMA-Factory's dataset_info.json: file_name, formatting, columns, tags; entries on a hub are noted."""
    for name, entry in given.items():
        if not isinstance(entry.get("file_name"), str):
            yield Listed(path, note=f"{name} lies on a hub and not here")
            continue
        try:
            file = _existing(entry["file_name"], path, f"{path}: {name}")
        except InputError:
            yield Listed(path, note=f"{name} names {entry['file_name']!r:.80}, which does not exist here")
            continue
        beside = {key: entry[key] for key in ("columns", "tags") if isinstance(entry.get(key), dict)}
        yield Listed(file, beside=beside or None)


def _energon(splits: Mapping[str, Any], path: Path) -> Iterator[Listed]:
    """Read the training split of Energon's metadataset: the folders of shards that it blends."""
    split = splits.get("train") or next(iter(splits.values()), None)
    blend = split.get("blend", split.get("blend_epochized", [split])) if isinstance(split, dict) else []
    for number, entry in enumerate(blend if isinstance(blend, list) else []):
        where = f"{path}: blend[{number}]"
        if not isinstance(entry, dict) or not isinstance(entry.get("path"), str):
            raise InputError(f"{where}: expected an object with path, got {entry!r:.80}; correct the list")
        found = _existing(entry["path"], path, where)
        shards = sorted(found.rglob("*.tar")) if found.is_dir() else [found]
        if not shards:
            raise InputError(f"{where}: expected a folder with .tar shards, found none in {found}; check the path")
        for one in shards:
            yield Listed(one, note="its weight is left to the trainer" if "weight" in entry else None)


def _braced(path: str) -> list[str]:
    """Return the paths that a path with {a,b} stands for, as LLaVA-NeXT reads it."""
    found = re.fullmatch(r"(.*)\{([^{}]*)\}(.*)", path)
    return [path] if found is None else [f"{found[1]}{one.strip()}{found[3]}" for one in found[2].split(",")]


def _existing(given: str, listed_in: Path, where: str) -> Path:
    """Return the path of a file that a list names: absolute, below the list's folder, one above, or the working one."""
    folders = [listed_in.parent, *list(listed_in.parent.parents)[:3], Path.cwd()]
    for one in [Path(given)] if Path(given).is_absolute() else [folder / given for folder in folders]:
        if os.path.exists(one):  # noqa: PTH110  false for a name that is too long, of which Path.exists raises
            return Path(re.sub(r"/\./", "/", str(one)))
    what = f"expected a file that exists, got {given!r:.200}"
    raise InputError(
        f"{where}: {what}; it is looked for beside the list, in the folders above, and in the working folder"
    )
