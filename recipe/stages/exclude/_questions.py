"""Files of a benchmark's questions, in the shapes that benchmarks come in."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import polars as pl

from recipe.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

ASKED = ("question", "text", "prompt", "query", "problem", "instruction")  # the first that a record has is its question
CONTEXT = ("hint", "context", "passage")
OPTIONS = ("choices", "options")
LETTERS = "ABCDEFGH"
IMAGE = ("image", "image_path", "image_id", "image_name", "img", "filename")
TABLES = {".tsv": "\t", ".csv": ","}
NAMELESS = ("image", "img")  # stems that every question of a benchmark has, as ScienceQA's 5/image.png
LONGEST = 1024  # characters of a name; MMBench's column `image` holds the picture itself


class Question(NamedTuple):
    """A question of a benchmark."""

    place: str
    """File, and line (from 1) of a text file or record (from 0) of any other."""
    question: str
    """What is asked, alone."""
    whole: str
    """Context, question and options, as LLaVA-v1.5 asks ScienceQA's."""
    image: str | None
    """Id or path of its image, if it says one."""


def read_questions(path: str) -> list[Question]:
    """Read the questions of a file.

    Parameters
    ----------
    path
        ``.txt``: a question a line. ``.json``, ``.jsonl``: records in an array, a line each, or in an object that is
        keyed by id or holds one array. ``.tsv``, ``.csv``: a record a line, below the names. A record is a string, or
        its question stands under question, text, prompt, query, problem or instruction, in upper or lower case, or is
        each human turn of its conversations; options under choices or options or A, B, C and so on; context under hint,
        context or passage.

    Returns
    -------
    list of Question
        In the order of the file.

    Raises
    ------
    InputError
        If the file cannot be read, holds no question, or a record has none.
    """
    file = Path(path)
    if file.suffix.lower() == ".txt":
        found = [Question(place, line, line, None) for line, place in read_lines(file)]
    else:
        records = _table(file) if file.suffix.lower() in TABLES else _records(file)
        found = [question for number, record in enumerate(records) for question in _told(record, file, number)]
    if not found:
        raise InputError(f"{file}: expected a benchmark's questions, found none; check the file")
    return found


def read_lines(file: Path) -> list[tuple[str, str]]:
    """Return the lines of a text file that are not blank, each with its place."""
    lines = _text(file).splitlines()
    return [(line.strip(), f"{file.name}:{number}") for number, line in enumerate(lines, 1) if line.strip()]


def _text(file: Path) -> str:
    """Return the text of a file."""
    try:
        return file.read_text("utf-8-sig")
    except OSError as error:
        raise InputError(f"{file}: cannot be read ({error.strerror}); check that it exists and is readable") from error
    except UnicodeError as error:
        raise InputError(f"{file}: expected UTF-8 text, got other bytes; convert it, or name another file") from error


def _records(file: Path) -> list[Any]:
    """Return the records of a JSON or JSON Lines file."""
    text = _text(file)
    try:
        return _unwrapped(json.loads(text))
    except (ValueError, RecursionError):
        pass
    records = []
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip():
            try:
                records.append(json.loads(line))
            except (ValueError, RecursionError) as error:
                what = f"expected JSON or a record a line, got {error}"
                raise InputError(f"{file}: line {number}: {what}; repair it") from error
    return records


def _unwrapped(top: Any) -> list[Any]:
    """Return the records of one JSON value."""
    if not isinstance(top, dict):
        return top if isinstance(top, list) else [top]
    if "conversations" in top or any(name.lower() in ASKED and isinstance(top[name], str) for name in top):
        return [top]
    arrays = [value for value in top.values() if isinstance(value, list)]
    return arrays[0] if len(arrays) == 1 else list(top.values())


def _table(file: Path) -> list[dict[str, Any]]:
    """Return the records of a table, without columns that hold pictures."""
    try:
        whole = pl.scan_csv(file, separator=TABLES[file.suffix.lower()], infer_schema=False)
        short = pl.when(pl.all().str.len_bytes() <= LONGEST).then(pl.all())
        names = {*ASKED, *CONTEXT, *OPTIONS, *LETTERS.lower(), "image"}
        columns = [name for name in whole.collect_schema().names() if name.lower() in {*names, *IMAGE}]
        table = whole.select(columns)
        images = [name for name in columns if name.lower() in IMAGE]
        return table.with_columns(table.select(images).select(short).collect()).collect().to_dicts()
    except (OSError, pl.exceptions.PolarsError) as error:
        reason = str(error).splitlines()[0]
        raise InputError(f"{file}: expected a table of questions ({reason}); check the file") from error


def _told(record: Any, file: Path, number: int) -> Iterator[Question]:
    """Yield the questions of a record."""
    place = f"{file.name}:{number}"
    if isinstance(record, str):
        yield Question(place, record, record, None)
        return
    lower = {str(name).lower(): value for name, value in record.items()} if isinstance(record, dict) else {}
    image = _image(lower)
    if isinstance(lower.get("conversations"), list):
        for turn in lower["conversations"]:
            if isinstance(turn, dict) and turn.get("from") in ("human", "user") and isinstance(turn.get("value"), str):
                yield Question(place, turn["value"], turn["value"], image)
        return
    asked = next((lower[name] for name in ASKED if isinstance(lower.get(name), str)), None)
    if asked is None:
        got = ", ".join(map(str, record)) if isinstance(record, dict) else type(record).__name__
        keys = ", ".join(ASKED)
        what = f"expected a question under one of {keys}, or conversations, got {got[:200]}"
        raise InputError(f"{file}: record {number}: {what}; rename the key")
    context = [value for name in CONTEXT if isinstance(value := lower.get(name), str) and value.strip()]
    parts = [*context, asked, *_options(record, lower)]
    yield Question(place, asked, "\n".join(parts), image)


def _options(record: Mapping[str, Any], lower: Mapping[str, Any]) -> list[str]:
    """Return the options of a record, each behind its letter."""
    given = next((lower[name] for name in OPTIONS if name in lower), None)
    if isinstance(given, str):
        return [given]
    if isinstance(given, dict):
        return [f"{letter}. {option}" for letter, option in given.items()]
    if isinstance(given, list):
        return [f"{chr(ord('A') + at)}. {option}" for at, option in enumerate(given)]
    return [f"{letter}. {record[letter]}" for letter in LETTERS if isinstance(record.get(letter), str)]


def _image(lower: Mapping[str, Any]) -> str | None:
    """Return the name of a record's image, if it tells the image from others."""
    given = next((lower[name] for name in IMAGE if isinstance(lower.get(name), str | int)), None)
    if given is None or isinstance(given, bool) or not str(given).strip() or len(str(given)) > LONGEST:
        return None
    name = str(given)
    return None if (name.rpartition(".")[0] or name) in NAMELESS else name
