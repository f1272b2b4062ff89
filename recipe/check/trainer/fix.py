"""A repaired copy of a mix: a record with a certain repair is repaired, any other is rejected with a reason.

No repair changes a word. These are all of them:

- one JSON array of ASCII, whatever the container was
- `image` is dropped where it names nothing: null, NaN, "", "none", "null", "nan", or a list of these
- the path of an image gets slashes for backslashes
- NaN and the infinities, which are no JSON, become null
- an absolute path below the image folder becomes relative to it
- one leading gpt turn without an image mark, which LLaVA drops, is dropped
- `<image>` is moved to the front of the first human turn, once, if the record has an image; one in the middle of
  an answer, which may be about it, stays where it is
- ids of several types become strings; a missing id becomes the record's number; no two become equal
"""

from __future__ import annotations

import json
import re
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any, NamedTuple

from recipe.check.trainer._containers import read_bytes
from recipe.check.trainer.check import check_folder
from recipe.check.trainer.findings import finding
from recipe.check.trainer.ids import repaired_ids
from recipe.check.trainer.images import elsewhere, image_faults
from recipe.check.trainer.llava import _findings, fault_of
from recipe.check.trainer.loaders import is_finite
from recipe.check.trainer.rules import RULES, is_nothing, problems_of, rules_with
from recipe.data.tokens import IMAGE
from recipe.errors import InputError
from recipe.io.atomic import atomic_write
from recipe.io.outputs import check_output
from recipe.io.paths import path_of
from recipe.io.staging import settle, staged

if TYPE_CHECKING:
    from os import PathLike

    from recipe.check.trainer.findings import Finding
    from recipe.check.trainer.rules import Record

_RUN = rf"\s*+(?:{IMAGE}\s*+)++"  # of marks and white space, to its end
_MARKS = re.compile(rf"(?<!\s){_RUN}")  # no run is begun twice, or a long one would be read again and again
_MARKS_AT_EDGE = re.compile(rf"\A{_RUN}|(?<!\s)(?<!{IMAGE}){_RUN}\Z")
_NOWHERE = object()


class Fixed(NamedTuple):
    """The result of a repair."""

    kept: int
    repaired: int  # of those kept, how many were changed
    rejected: int
    rejects: Path
    findings: list[Finding]  # what `check_mix` finds in the original file


def fix_mix(
    path: str | PathLike[str],
    out: str | PathLike[str],
    *,
    images: str | PathLike[str] | None = None,
    decode: bool = False,
    tokenizer: str | PathLike[str] | None = None,
) -> Fixed:
    """Write a copy of a mix in which `check_mix` finds nothing, and beside it the records that cannot be repaired.

    Ids that repeat (O04) are left: which of the records should have another cannot be known.

    Parameters
    ----------
    path
        A file of LLaVA records: an array, one record, or JSON Lines, in UTF-8 or with a byte-order mark.
    out
        Where the copy goes, in the same order. The rejects go beside it, as ``mix.rejects.jsonl`` beside ``mix.json``:
        source, record, id, turn, code and message. No file is replaced; one with these bytes is left as it is.
    images, decode, tokenizer
        As for `check_mix`.

    Returns
    -------
    Fixed
        How many records were kept, repaired and rejected, the file of the rejects, and the findings.

    Raises
    ------
    InputError
        If the file cannot be read, is not JSON, or would be replaced by its copy. Or if no record can be kept; the
        rejects are written even then.
    ConfigError, MissingExtra
        As for `check_mix`.
    """
    check_folder(images, decode=decode)
    source, target = path_of(path, "path"), path_of(out, "out")
    beside = target.with_name(f"{target.stem}.rejects.jsonl")
    for written in (target, beside):
        check_output(written, [source, *([] if tokenizer is None else [tokenizer])])
    data = read_bytes(source)
    given = _entries(data, source)
    names = repaired_ids(given)
    records = [_repaired(record, images, names.get(number)) for number, record in enumerate(given)]
    faults = image_faults([*given, *records], images, decode=decode)
    rules = rules_with(faults, tokenizer)
    findings = list(_findings(data, images, tokenizer=tokenizer, known=faults))
    verdicts = [next(problems_of(record, rules), None) for record in records]
    rejects = [
        f"{json.dumps(_reject(source.name, number, record, verdict, faults))}\n"
        for number, (record, verdict) in enumerate(zip(records, verdicts, strict=True))
        if verdict
    ]
    kept = [number for number, verdict in enumerate(verdicts) if verdict is None]
    lines = ",\n".join(json.dumps(records[number]) for number in kept)
    texts = {beside: "".join(rejects), **({target: f"[\n{lines}\n]\n"} if kept else {})}
    with staged(target) as folder:
        for written, text in texts.items():
            with atomic_write(folder / written.name, "w") as file:
                file.write(text)
        settle([folder / written.name for written in texts], target.parent)
    if not kept:
        raise InputError(f"{source}: no record can be repaired without a doubt; {beside} says why")
    repaired = sum(records[number] is not given[number] for number in kept)
    return Fixed(len(kept), repaired, len(given) - len(kept), beside, findings)


def _entries(data: bytes, path: Path) -> list[Any]:
    """Decode a file whose container need not be the one that the trainer demands."""
    mark = data[:2]
    try:
        text = data.decode("utf-16" if mark in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: cannot be repaired, it is no UTF-8 ({error}); convert it") from error
    try:
        whole = json.loads(text)
    except (ValueError, RecursionError) as error:
        return _lines(text, path, error)
    return whole if isinstance(whole, list) else [whole]


def _lines(text: str, path: Path, error: Exception) -> list[Any]:
    """Decode JSON Lines; raise with the first error if it is not that either."""
    lines = [line for line in text.split("\n") if line.strip()]
    try:
        return [json.loads(line) for line in lines]
    except (ValueError, RecursionError):
        raise InputError(f"{path}: cannot be repaired, it is no JSON ({error}); `recipe select` reads more") from error


def _repaired(record: Any, images: str | PathLike[str] | None, name: str | None) -> Any:
    """Return a repaired copy of a record, with an id if it needs one; a sound record is returned itself."""
    record = record if is_finite(record) else _without_nan(record)
    if not isinstance(record, dict) or _has(record, "L05", "L09"):
        return record
    if _has(record, "L07") and is_nothing(record["image"]):
        record = {key: value for key, value in record.items() if key != "image"}
    if _has(record, "W08") and not elsewhere(record["image"]):
        record = record | {"image": record["image"].replace("\\", "/")}
    if images is not None and _has(record, "W08"):
        record = _below(record, Path(images))
    if _has(record, "W03") and IMAGE not in record["conversations"][0]["value"]:
        record = record | {"conversations": record["conversations"][1:]}
    if record["conversations"] and _has(record, "W01", "W04", "L13"):
        record = _mark_first(record)
    if name is None:
        return record
    return record | {"id": name} if "id" in record else {"id": name, **record}


def _has(record: Record, *codes: str) -> bool:
    """Return whether a record breaks one of these rules."""
    return any(next(RULES[code](record), _NOWHERE) is not _NOWHERE for code in codes)


def _below(record: Record, images: Path) -> Record:
    """Make the path of the image relative to the image folder, if it is inside that."""
    image = PurePath(record["image"])
    for folder in (images.absolute(), images.resolve()):
        if image.is_relative_to(folder):
            return record | {"image": image.relative_to(folder).as_posix()}
    return record


def _mark_first(record: Record) -> Record:
    """Put the image mark at the front of the first turn only, as LLaVA itself moves it within a turn."""
    turns = record["conversations"]
    inside_answer = any(IMAGE in _MARKS_AT_EDGE.sub("", turn["value"]) for turn in turns if turn.get("from") != "human")
    if turns[0].get("from") != "human" or inside_answer:  # an answer may be about the mark: its words stay
        return record
    bare = [turn | {"value": _unmarked(turn["value"])} if IMAGE in turn["value"] else turn for turn in turns]
    return record | {"conversations": [bare[0] | {"value": f"{IMAGE}\n{bare[0]['value']}"}, *bare[1:]]}


def _unmarked(text: str) -> str:
    r"""Remove the image marks from a text, and keep the words around them apart.

    Examples
    --------
    >>> _unmarked("Look:\n<image>\nIs <image> real?<image>")
    'Look:\nIs real?'
    """

    def gap(mark: re.Match[str]) -> str:
        """Return what stays between the words before and after."""
        at_edge = mark.start() == 0 or mark.end() == len(text)
        return "" if at_edge else "\n" if "\n" in mark[0] else " "

    return _MARKS.sub(gap, text)


def _without_nan(value: Any) -> Any:
    """Return a value with null for each number that is no JSON."""
    return json.loads(json.dumps(value), parse_constant=lambda _: None)


def _reject(
    source: str, number: int, record: Any, fault: tuple[str, int | None], faults: dict[str, str]
) -> dict[str, Any]:
    """Return the line of the rejects file for a record."""
    code, turn = fault
    found = finding(code, number, turn, detail=fault_of(record, faults) if code == "L08" else "")
    name = record.get("id") if isinstance(record, dict) else None
    return {"source": source, "record": number, "id": name, "turn": turn, "code": code, "message": found.message}
