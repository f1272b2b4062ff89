"""Finds the records of a mix file on which LLaVA v1.5 would fail, without running it.

The file is read as `train.py` reads it, and every rule checks one decoded record. It shares no code with the stages
that read, tag and write, so that it can find their errors.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from recipe.check.trainer.findings import finding
from recipe.check.trainer.images import image_faults
from recipe.check.trainer.loaders import loader_problems
from recipe.check.trainer.rules import problems_of, rules_with

if TYPE_CHECKING:
    from collections.abc import Iterator
    from os import PathLike

    from recipe.check.trainer.findings import Finding


def _findings(
    data: bytes,
    images: str | PathLike[str] | None,
    *,
    decode: bool = False,
    tokenizer: str | PathLike[str] | None = None,
    known: dict[str, str] | None = None,
    lines: bool = False,
) -> Iterator[Finding]:
    """Check the file as the trainer reads it: bytes, text, JSON value, array, records.

    Parameters
    ----------
    data
        The file.
    images, decode, tokenizer
        As for `recipe.check.check_mix`.
    known
        Image faults, where they are known already.
    lines
        Whether the file is meant to have a record a line. If it is not and has, that is one finding, and its records
        are checked all the same.
    """
    if beyond := re.search(rb"[^\x00-\x7f]", data):
        yield finding("L02", detail=f"the first at byte {beyond.start()}")
    mix, wrong = _decoded(data, lines=lines)
    yield from wrong
    if mix:
        faults = image_faults(mix, images, decode=decode) if known is None else known
        rules = rules_with(faults, tokenizer)
        for number, record in enumerate(mix):
            for code, turn in problems_of(record, rules):
                yield finding(code, number, turn, detail=fault_of(record, faults) if code == "L08" else "")
        yield from (finding(code, at, detail=detail) for code, at, detail in loader_problems(mix, data))


def _decoded(data: bytes, *, lines: bool) -> tuple[list[Any], list[Finding]]:
    """Return the records of a file, none if it has none that can be checked, and what is wrong with the whole."""
    try:
        mix = json.loads(data.decode("utf-8"))  # text, not bytes: json accepts a byte-order mark in bytes
    except UnicodeDecodeError:
        return [], []
    except (ValueError, RecursionError) as error:  # an integer of too many digits is a plain ValueError
        if lines and not data.strip():
            return [], [finding("L04")]
        found = _by_line(data)
        return found, [] if lines and found else [finding("L01", detail=str(error))]
    mix = [mix] if lines and isinstance(mix, dict) else mix
    if not isinstance(mix, list):
        return [], [finding("L03", detail=f"got {type(mix).__name__}")]
    return mix, [] if mix else [finding("L04")]


def _by_line(data: bytes) -> list[Any]:
    """Return the records of JSON Lines; none if one line is no object."""
    try:
        found = [json.loads(line) for line in data.decode("utf-8").split("\n") if line.strip()]
    except (ValueError, RecursionError):
        return []
    return found if len(found) > 1 and all(isinstance(record, dict) for record in found) else []


def fault_of(record: dict[str, str], faults: dict[str, str]) -> str:
    """Return which image cannot be used and why, with control characters escaped."""
    return f"{record['image']!r}: {faults[record['image']]}"
