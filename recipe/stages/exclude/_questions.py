"""Read files of benchmark questions, in the usual formats of benchmarks."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import polars as pl

from recipe.errors import InputError
from recipe.io.lines import lines_of
from recipe.io.regular import bytes_of, regular

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

QUESTION = ("question", "text", "prompt", "query", "problem", "instruction")  # the first key that a record has is used
CONTEXT = ("hint", "context", "passage")
OPTIONS = ("choices", "options")
LETTERS = "ABCDEFGH"
IMAGE = (
    *("image", "image_path", "image_id", "image_name", "imagename", "imageid", "img", "img_path", "img_id"),
    *("filename", "file_name", "data_id"),  # data_id: SEED-Bench's
)
SEVERAL = ("images", "image_paths")
TABLES = {".tsv": "\t", ".csv": ","}
NAMELESS = ("image", "img")  # stems that are the same for all questions of a benchmark, as in ScienceQA's 5/image.png
LONGEST = 1024  # characters of a name; MMBench's column `image` contains the image itself


class Question(NamedTuple):
    """A question of a benchmark."""

    place: str
    """File, and line (from 1) of a text file or record (from 0) of any other."""
    question: str
    """The question alone."""
    whole: str
    """Context, question and options, in the form in which LLaVA-v1.5 asks ScienceQA's questions."""
    image: str | None
    """Id or path of its image, if given."""


def read_questions(path: str) -> list[Question]:
    """Read the questions of a file.

    Parameters
    ----------
    path
        ``.txt``: one question per line. ``.json``, ``.jsonl``: records in an array, one per line, or in an object that
        is keyed by id or has one array. ``.tsv``, ``.csv``: one record per line, after a header. A record is a string;
        or its question is under question, text, prompt, query, problem or instruction, in upper or lower case; or each
        human turn of its conversations is one. Options are under choices or options, or A, B, C and so on; context is
        under hint, context or passage.

    Returns
    -------
    list of Question
        In the order of the file.

    Raises
    ------
    InputError
        If the file cannot be read, has no questions, or a record has none.
    """
    file = Path(path)
    if file.suffix.lower() == ".txt":
        found = [Question(place, line, line, None) for line, place in read_lines(file)]
    else:
        found = [one for number, record in enumerate(_all(file)) for one in _questions(record, file, number)]
    if not found:
        raise InputError(f"{file}: expected benchmark questions, found none; check the file")
    return found


def read_images(file: Path) -> list[tuple[str, str]]:
    """Return the images that the records of a benchmark name, each with its place.

    Parameters
    ----------
    file
        As for `read_questions`, but for text files. A record need have no question; a text or a number is a name.

    Raises
    ------
    InputError
        If the file cannot be read, or no record names an image.
    """
    found = []
    for number, record in enumerate(_all(file)):
        lower = _lower({"image": record} if isinstance(record, str | int) else record)
        listed = [one for name in SEVERAL if isinstance(lower.get(name), list) for one in lower[name]]
        alone = _image(lower)
        names = [alone, *(one for one in listed if isinstance(one, str) and 0 < len(one) <= LONGEST)]
        found += [(name, f"{file.name}:{number}") for name in names if name]
    if not found:
        keys = ", ".join((*IMAGE, *SEVERAL))
        raise InputError(f"{file}: expected records with the names of images under one of {keys}, got none; convert it")
    return found


def _all(file: Path) -> list[Any]:
    """Return the records of a file of a benchmark."""
    return _table(file) if file.suffix.lower() in TABLES else _records(file)


def _lower(record: Any) -> dict[str, Any]:
    """Return a record with its keys in lower case; {} for what is none."""
    return {str(name).lower(): value for name, value in record.items()} if isinstance(record, dict) else {}


def read_lines(file: Path) -> list[tuple[str, str]]:
    """Return the non-blank lines of a text file, each with its place."""
    lines = lines_of(_text(file))
    return [(line.strip(), f"{file.name}:{number}") for number, line in enumerate(lines, 1) if line.strip()]


def _text(file: Path) -> str:
    """Return the text of a file."""
    try:
        return bytes_of(file).decode("utf-8-sig")
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
    for number, line in enumerate(lines_of(text), 1):
        if line.strip():
            try:
                records.append(json.loads(line))
            except (ValueError, RecursionError) as error:
                what = f"expected JSON or one record per line, got {error}"
                raise InputError(f"{file}: line {number}: {what}; repair it") from error
    return records


def _unwrapped(top: Any) -> list[Any]:
    """Return the records of one JSON value."""
    if not isinstance(top, dict):
        return top if isinstance(top, list) else [top]
    if "conversations" in top or any(name.lower() in QUESTION and isinstance(top[name], str) for name in top):
        return [top]
    arrays = [value for value in top.values() if isinstance(value, list)]
    return arrays[0] if len(arrays) == 1 else list(top.values())


def _table(file: Path) -> list[dict[str, Any]]:
    """Return the records of a table, without columns that contain images."""
    try:
        regular(file)
        try:
            return _rows(file, '"')
        except pl.exceptions.PolarsError:  # a quote that ends nowhere is a character like any other
            return _rows(file, None)
    except (OSError, pl.exceptions.PolarsError) as error:
        reason = str(error).splitlines()[0]
        raise InputError(f"{file}: expected a table of questions ({reason}); check the file") from error


def _rows(file: Path, quote: str | None) -> list[dict[str, Any]]:
    """Return the rows of a table; a cell that contains an image is null."""
    whole = pl.scan_csv(file, separator=TABLES[file.suffix.lower()], infer_schema=False, quote_char=quote)
    short = pl.when(pl.all().str.len_bytes() <= LONGEST).then(pl.all())
    names = {*QUESTION, *CONTEXT, *OPTIONS, *LETTERS.lower(), *(f"choice_{one}" for one in LETTERS.lower())}
    columns = [name for name in whole.collect_schema().names() if name.lower() in {*names, *IMAGE}]
    table = whole.select(columns)
    images = [name for name in columns if name.lower() in IMAGE]
    return table.with_columns(table.select(images).select(short).collect()).collect().to_dicts()


def _questions(record: Any, file: Path, number: int) -> Iterator[Question]:
    """Yield the questions of a record."""
    place = f"{file.name}:{number}"
    if isinstance(record, str):
        yield Question(place, record, record, None)
        return
    lower = _lower(record)
    image = _image(lower)
    if isinstance(lower.get("conversations"), list):
        for turn in lower["conversations"]:
            if isinstance(turn, dict) and turn.get("from") in ("human", "user") and isinstance(turn.get("value"), str):
                yield Question(place, turn["value"], turn["value"], image)
        return
    question = next((lower[name] for name in QUESTION if isinstance(lower.get(name), str)), None)
    if question is None:
        got = ", ".join(map(str, record)) if isinstance(record, dict) else type(record).__name__
        keys = ", ".join(QUESTION)
        what = f"expected a question under one of {keys}, or conversations, got {got[:200]}"
        raise InputError(f"{file}: record {number}: {what}; rename the key")
    context = [value for name in CONTEXT if isinstance(value := lower.get(name), str) and value.strip()]
    lines = [*context, question, *_options(record, lower)]
    yield Question(place, question, "\n".join(lines), image)


def _options(record: Mapping[str, Any], lower: Mapping[str, Any]) -> list[str]:
    """Return the options of a record, each after its letter."""
    options = next((lower[name] for name in OPTIONS if name in lower), None)
    if isinstance(options, str):
        return [options]
    if isinstance(options, dict):
        return [f"{letter}. {option}" for letter, option in options.items()]
    if isinstance(options, list):
        return [f"{chr(ord('A') + at)}. {option}" for at, option in enumerate(options)]
    named = {letter: record.get(letter, lower.get(f"choice_{letter.lower()}")) for letter in LETTERS}
    return [f"{letter}. {option}" for letter, option in named.items() if isinstance(option, str)]


def _image(lower: Mapping[str, Any]) -> str | None:
    """Return the name of a record's image, if it distinguishes the image from others."""
    value = next((lower[name] for name in IMAGE if isinstance(lower.get(name), str | int)), None)
    if value is None or isinstance(value, bool) or not str(value).strip() or len(str(value)) > LONGEST:
        return None
    name = str(value)
    return None if (name.rpartition(".")[0] or name) in NAMELESS else name
