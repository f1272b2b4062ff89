"""Finds the records of a mix file on which LLaVA v1.5 would fail, without running it.

The file is read as `train.py` reads it, and every rule checks one decoded record. It shares no code with the stages
that read, tag and write, so that it can find their errors.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from recipe.check.trainer.images import image_faults
from recipe.check.trainer.loaders import loader_problems
from recipe.check.trainer.rules import problems_of, rules_with
from recipe.data.problems import PROBLEMS
from recipe.errors import ConfigError, InputError
from recipe.io.paths import path_of
from recipe.io.regular import bytes_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from os import PathLike

SEVERITIES = {"L": "stops", "W": "silent", "O": "other"}


@dataclass(frozen=True)
class Finding:
    """One problem in a mix file.

    Parameters
    ----------
    code
        A key of `recipe.data.problems.PROBLEMS`: L.. stops the run, W.. silently trains wrong, O.. stops other loaders.
    record
        Number of the record in the file, from 0; None if the file as a whole is at fault.
    turn
        Number of the turn in the record, from 0; None if the record as a whole is at fault.
    message
        What is wrong and what to do, in one line.
    detail
        Details of this place, as the image that is missing; "" if there are none.
    """

    code: str
    record: int | None
    turn: int | None
    message: str
    detail: str = ""

    @property
    def severity(self) -> str:
        """Return "stops" (the run), "silent" (trains wrong without an error) or "other" (stops other loaders only)."""
        return SEVERITIES[self.code[0]]

    @property
    def place(self) -> str:
        """Return record and turn in words."""
        record = "file" if self.record is None else f"record {self.record}"
        return record if self.turn is None else f"{record}, turn {self.turn}"

    def __str__(self) -> str:
        return f"{self.place}: {self.code} {self.message}"


def check_mix(
    path: str | PathLike[str],
    *,
    images: str | PathLike[str] | None = None,
    decode: bool = False,
    tokenizer: str | PathLike[str] | None = None,
) -> list[Finding]:
    """Find everything in a mix file that stops LLaVA v1.5, or that is trained wrong without an error.

    Parameters
    ----------
    path
        The file that would be given as ``--data_path``.
    images
        The folder that would be given as ``--image_folder``, to check that every image exists; None to skip that.
        Paths that lead out of it are not opened.
    decode
        Also decode every image of that folder, in processes: truncated, corrupt, of one pixel. Needs Pillow.
    tokenizer
        Llama's ``tokenizer.model``, to count tokens exactly; they are estimated by default (`recipe.data.tokens`): 1.25
        a word, 1 a digit or sign, 1.5 a letter that is not ASCII. Needs sentencepiece.

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
        If images are to be decoded and no folder is given.
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
    return list(_findings(read_bytes(path), images, decode=decode, tokenizer=tokenizer))


def check_folder(images: str | PathLike[str] | None, *, decode: bool) -> None:
    """Raise if the folder of images does not exist, or is needed and not given."""
    if images is None and decode:
        raise ConfigError("expected a folder of images to decode, got images=None; name the trainer's image_folder")
    if images is not None and not path_of(images, "images").is_dir():
        raise InputError(f"expected a folder of images, got images={str(images)!r}; name the trainer's image_folder")


def read_bytes(path: str | PathLike[str]) -> bytes:
    """Return the bytes of a mix file."""
    try:
        return bytes_of(path_of(path, "path"))
    except OSError as error:
        raise InputError(f"expected a mix file, got {str(path)!r}: {error.strerror}; name a readable file") from error


def _findings(
    data: bytes,
    images: str | PathLike[str] | None,
    *,
    decode: bool = False,
    tokenizer: str | PathLike[str] | None = None,
    known: dict[str, str] | None = None,
) -> Iterator[Finding]:
    """Check the file as the trainer reads it: bytes, text, JSON value, array, records; `known` holds image faults."""
    if beyond := re.search(rb"[^\x00-\x7f]", data):
        yield finding("L02", detail=f"the first at byte {beyond.start()}")
    try:
        mix = json.loads(data.decode("utf-8"))  # text, not bytes: json accepts a byte-order mark in bytes
    except UnicodeDecodeError:
        return
    except (ValueError, RecursionError) as error:  # an integer of too many digits is a plain ValueError
        yield finding("L01", detail=str(error))
        return
    if not isinstance(mix, list):
        yield finding("L03", detail=f"got {type(mix).__name__}")
    elif not mix:
        yield finding("L04")
    else:
        faults = image_faults(mix, images, decode=decode) if known is None else known
        rules = rules_with(faults, tokenizer)
        for number, record in enumerate(mix):
            for code, turn in problems_of(record, rules):
                yield finding(code, number, turn, detail=fault_of(record, faults) if code == "L08" else "")
        yield from (finding(code, at, detail=detail) for code, at, detail in loader_problems(mix, data))


def fault_of(record: dict[str, str], faults: dict[str, str]) -> str:
    """Return which image cannot be used and why, with control characters escaped."""
    return f"{record['image']!r}: {faults[record['image']]}"


def finding(code: str, record: int | None = None, turn: int | None = None, *, detail: str = "") -> Finding:
    """Make a finding of a code, with what it means and what to do."""
    what, fix = PROBLEMS[code]
    return Finding(code, record, turn, f"{what}{detail and f' ({detail})'}; {fix}", detail)
