"""What LLaVA v1.5 would stumble over in a mix file, found without running it.

Written from the trainer's side: the file is read as `train.py` reads it, and every rule looks at one decoded record. It
shares no code with the rooms that read, tag and write, so that it can bear witness against them.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from recipe.check._rules import RULES, file_missing
from recipe.errors import InputError
from recipe.problems import PROBLEMS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from os import PathLike

    from recipe.check._rules import Record, Rule


@dataclass(frozen=True)
class Finding:
    """One trouble in a mix file.

    Parameters
    ----------
    code
        A key of `recipe.problems.PROBLEMS`: L.. stops the run, W.. trains silently wrong.
    record
        Number of the record in the file, from 0; None if the file as a whole is at fault.
    turn
        Number of the turn in the record, from 0; None if the record as a whole is at fault.
    message
        What is wrong and what to do, in one line.
    """

    code: str
    record: int | None
    turn: int | None
    message: str

    def __str__(self) -> str:
        record = "file" if self.record is None else f"record {self.record}"
        return f"{record}{'' if self.turn is None else f', turn {self.turn}'}: {self.code} {self.message}"


def check(
    path: str | PathLike[str], *, images: str | PathLike[str] | None = None, limit: int | None = None
) -> list[Finding]:
    """Find everything in a mix file that stops LLaVA v1.5 or makes it train silently wrong.

    Parameters
    ----------
    path
        The file that would be given as ``--data_path``.
    images
        The folder that would be given as ``--image_folder``, to see that every image is there; None to leave that out.
        Images are not decoded.
    limit
        Stop after so many findings, from 1; None for all of them.

    Returns
    -------
    list of Finding
        In file order; empty if the trainer reads the file as it is meant.

    Raises
    ------
    InputError
        If the file or the folder cannot be read at all.

    Notes
    -----
    Lengths are estimates: 1.25 tokens an English word, 1 a digit or punctuation mark, 1.5 a letter beyond ASCII.

    Source: LLaVA v1.5, `llava/train/train.py`, `llava/train/llava_trainer.py`, `llava/conversation.py` (template v1).

    Examples
    --------
    >>> import json, tempfile
    >>> turns = [{"from": "human", "value": "Why?"}, {"from": "gpt", "value": ""}]
    >>> with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
    ...     json.dump([{"id": "1", "conversations": turns}], file)
    ...     file.flush()
    ...     print(*check(file.name))
    record 0, turn 1: W06 an empty turn masks every label of the record; fill or remove the turn
    """
    if images is not None and not Path(images).is_dir():
        raise InputError(f"expected a folder of images, got images={str(images)!r}; name the trainer's image_folder")
    return list(islice(_findings(_read(Path(path)), images), limit))


def _read(path: Path) -> bytes:
    """Return the bytes of the file."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"expected a mix file, got {str(path)!r}: {error.strerror}; name a readable file") from error


def _findings(data: bytes, images: str | PathLike[str] | None) -> Iterator[Finding]:
    """Go through the file as the trainer does: bytes, text, JSON value, array, records."""
    if beyond := re.search(rb"[^\x00-\x7f]", data):
        yield _finding("L02", detail=f"the first at byte {beyond.start()}")
    try:
        mix = json.loads(data.decode("utf-8"))  # text, not bytes: json would forgive bytes their byte-order mark
    except UnicodeDecodeError:
        return
    except (json.JSONDecodeError, RecursionError) as error:
        yield _finding("L01", detail=str(error))
        return
    if not isinstance(mix, list):
        yield _finding("L03", detail=f"got {type(mix).__name__}")
    elif not mix:
        yield _finding("L04")
    else:
        rules = RULES if images is None else RULES | {"L08": partial(file_missing, images)}
        for number, record in enumerate(mix):
            for code, turn in _troubles(record, rules):
                yield _finding(code, number, turn)


def _finding(code: str, record: int | None = None, turn: int | None = None, detail: str = "") -> Finding:
    """Say what a code means and what to do."""
    what, fix = PROBLEMS[code]
    return Finding(code, record, turn, f"{what}{detail and f' ({detail})'}; {fix}")


def _troubles(record: Record, rules: dict[str, Rule]) -> Iterator[tuple[str, int | None]]:
    """Ask one rule after the other; a record without turns to judge is asked no further."""
    for code, rule in rules.items():
        found = False
        for turn in rule(record):
            found = True
            yield code, turn
        if found and code in ("L05", "L06", "L09"):
            return
