"""Files that lie beside samples and hold none: each is passed over with a reason, and stops no folder."""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import TYPE_CHECKING

from recipe.data.checkpoint import NO_ENDING
from recipe.io.families import SIDE_FILES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

SIDE_DATA = ("image_data.json",)  # Visual Genome's list of image sizes is kept beside SVIT's files and has no samples
SIDE_NAMES = {  # name of a file -> what it is
    "image_data.json": "sizes of Visual Genome's pictures",
    "state.json": "state of a data set that was saved to disk",
    **dict.fromkeys(("dataset_infos.json", "dataset_dict.json", "croissant.json"), "description of a data set"),
    "package.json": "description of a package",
    **dict.fromkeys(("config.json", "generation_config.json", "preprocessor_config.json"), "settings of a model"),
    **dict.fromkeys(("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json"), "settings of a tokenizer"),
    **dict.fromkeys(("adapter_config.json", "added_tokens.json"), "settings of a model"),
    **dict.fromkeys(("vocab.json", "merges.json"), "settings of a tokenizer"),
    **dict.fromkeys(("trainer_state.json", "all_results.json", "train_results.json"), "state of a training run"),
}
SIDE_ENDS = {  # end of a name -> what it is
    "_stats.json": "counts of a download",
    **{f".{name}": "written beside a mix" for name in (*SIDE_FILES, "manifest.json")},
}
SIDE_STARTS = ("instances_", "person_keypoints_", "image_info_", "stuff_", "panoptic_")  # COCO's, without captions
_HEAD = 4096  # bytes
_ANNOTATIONS = re.compile(  # the first record's keys up to one that tells, none of whose values before it is nested
    r'\s*\[\s*\{\s*(?:"\w+"\s*:\s*(?:"[^"]*"|[-\d.]+|null)\s*,\s*)*"(regions|objects|relationships|attributes|qas)"\s*:\s*\['
)


def passed_over(files: Iterable[Path]) -> dict[Path, str]:
    """Return the files that hold no samples, each with the reason.

    Parameters
    ----------
    files
        All candidates of one folder or glob.

    Returns
    -------
    dict
        In the order of the files.
    """
    candidates = list(files)
    known = {file: reason for file in candidates if (reason := _reason(file))}
    return known | {file: reason for file, reason in _companions(candidates) if file not in known}


def other_files(names: Iterable[str]) -> list[tuple[str, str]]:
    """Return how many files of each other ending a folder has, as lines to list.

    Examples
    --------
    >>> other_files(["README.md", "a.jpg", "b.jpg"])
    [('2 files .jpg', 'no ending of samples'), ('1 file .md', 'no ending of samples')]
    """
    endings = Counter(name.rpartition(".")[2].lower() if "." in name[1:] else "" for name in names)
    ordered = sorted(endings.items(), key=lambda pair: (-pair[1], pair[0]))
    return [
        (
            f"{count:,} file{'s' if count > 1 else ''} {f'.{ending}' if ending else 'without an ending'}",
            NO_ENDING,
        )
        for ending, count in ordered
    ]


def _reason(file: Path) -> str | None:  # noqa: PLR0911  one for each kind
    """Return why a file holds no samples by its name or its first bytes; None if it may hold some."""
    name = file.name
    if name in SIDE_NAMES:
        return SIDE_NAMES[name]
    end = next((end for end in SIDE_ENDS if name.endswith(end)), None)
    if end is not None and (end != "_stats.json" or b'"successes"' in _head(file)):
        return SIDE_ENDS[end]
    if name.startswith(SIDE_STARTS) and name.endswith(".json"):
        return "annotations of COCO"
    if name.endswith("sceneGraphs.json"):
        return "annotations of GQA"
    if name.endswith(".index.json"):
        return "an index of weights"
    if name.startswith("cache-") and name.endswith(".arrow"):
        return "what a data set was changed to, as datasets keeps it"
    if name == "dataset_info.json" and b'"features"' in _head(file):
        return "description of a data set"
    if name.endswith(".json") and (found := _ANNOTATIONS.match(_head(file).decode("utf-8", "replace"))):
        return f"annotations of Visual Genome ({found[1]})"
    return None


def _companions(files: list[Path]) -> Iterator[tuple[Path, str]]:
    """Yield the files that another one is read with, or that repeat what another one holds."""
    here = set(files)
    for file in files:
        if file.suffix == ".tar" and (table := file.with_suffix(".parquet")) in here:
            yield table, f"repeats what {file.name} holds"
        if file.name.endswith("_instructions.json"):
            stem = file.name.removesuffix("_instructions.json")
            for name in (f"{stem}.json", f"{stem}_train.json"):
                if file.with_name(name) in here:
                    yield file.with_name(name), f"is read with {file.name}"
        if file.name.startswith("v2_") and "questions" in file.name and answers_beside(file) is None:
            yield file, "questions without answers"
        if (answers := answers_beside(file)) in here:
            yield answers, f"is read with {file.name}"


def companion(file: Path) -> Path | None:
    """Return the file that another one must be read with: its pictures, its answers, or the sizes of its pictures."""
    if file.name.endswith("_instructions.json"):
        pictures = file.with_name(file.name.replace("_instructions.json", ".json"))
        return pictures if pictures.is_file() else None
    if answers := answers_beside(file):
        return answers
    sizes = file.with_name(SIDE_DATA[0])
    return sizes if sizes.is_file() and sizes != file else None


def answers_beside(file: Path) -> Path | None:
    """Return the answers of a file of VQAv2's questions, which lie in one of almost the same name beside it."""
    if "questions" not in file.name or not file.name.endswith(".json"):
        return None
    wanted = _words(file.name.replace("questions", "annotations"))
    near = [one for one in file.parent.glob("*annotations*.json") if _words(one.name) == wanted]
    return min(near) if near else None


def _words(name: str) -> frozenset[str]:
    """Return the words of a name that say which data it is of."""
    return frozenset(re.split(r"[_.\-]+", name.lower())) - {"openended", "multiplechoice"}


def _head(file: Path) -> bytes:
    """Return the first bytes of a file; nothing if it cannot be read."""
    try:
        with file.open("rb") as opened:
            return opened.read(_HEAD)
    except OSError:
        return b""


def is_list_of_files(file: Path) -> bool:
    """Return whether a JSON file begins like one, so that it is worth reading whole."""
    head = _head(file).lstrip()
    return head.startswith(b"{") and (
        b'"file_name"' in head or b'"annotation"' in head or (len(head) < _HEAD and _is_json(head))
    )


def _is_json(text: bytes) -> bool:
    """Return whether a text is JSON."""
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True
