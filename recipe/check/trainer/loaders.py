"""Records that LLaVA v1.5 accepts and another loader of the same file does not.

===================  ==============================================  =======================================
loader               breaks on                                       found as
===================  ==============================================  =======================================
Hugging Face, Arrow  ids of several types                            O01
Hugging Face, Arrow  a first chunk without an image                  O02
xtuner (legacy)      a record without id                             O03
any by id            ids that repeat                                 O04
strict JSON          NaN and the infinities                          O05
LLaMA-Factory        as many images as `<image>`, or it stops        W01, W02, W04, L13: wrong in LLaVA too
LLaMA-Factory        turns in another order, which it drops          L11, W03, W05
ms-swift             no turns, a turn without text                   L09, L05
LLaVA-NeXT           a failing sample is replaced by its neighbour   every L of a record
axolotl              `image[0]` of a path is its first letter        nothing: every LLaVA mix has this problem
===================  ==============================================  =======================================
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

SHOWN = 3  # ids that a finding names, and records of each
_ODD = re.compile(rb"NaN|Infinity|[eE]\+?[1-9]\d{2}")  # without one of these no number of a file is NaN or infinite
ARROW_CHUNK = 10 << 20  # bytes from which Hugging Face's JSON builder infers the columns


def loader_problems(records: list[Any], data: bytes) -> Iterator[tuple[str, int | None, str]]:
    """Find the records that other loaders break on.

    Parameters
    ----------
    records
        The decoded entries of a mix.
    data
        The bytes that they were decoded from.

    Yields
    ------
    code, record, detail
        The code, the number of the first record that has it, None for the file as a whole, and which there are.
    """
    if (number := other_id(records)) is not None:
        yield "O01", number, ""
    if _late_image(records, data):
        yield "O02", None, ""
    yield from (("O03", i, "") for i, record in enumerate(records) if isinstance(record, dict) and "id" not in record)
    if repeated := repeated_ids(records):
        yield "O04", None, told(repeated)
    if _ODD.search(data):
        yield from (("O05", i, "") for i, record in enumerate(records) if not is_finite(record))


def repeated_ids(records: list[Any]) -> dict[str, list[int]]:
    """Return the ids that more than one record has, as JSON text, each with the numbers of these records.

    Examples
    --------
    >>> repeated_ids([{"id": "a"}, {"id": 1}, {"id": "1"}, {}, {}, {"id": "a"}, {"id": None}, {"id": None}])
    {'"a"': [0, 5]}
    """
    found: dict[str, list[int]] = {}
    for number, record in enumerate(records):
        given = record.get("id") if isinstance(record, dict) else None
        if given is not None:
            found.setdefault(json.dumps(given), []).append(number)
    return {name: numbers for name, numbers in found.items() if len(numbers) > 1}


def told(repeated: dict[str, list[int]]) -> str:
    """Say how many ids repeat in how many records, and name some of them."""
    some = [f"{name:.40} in {', '.join(map(str, at[:SHOWN]))}" for name, at in list(repeated.items())[:SHOWN]]
    return f"{len(repeated):,} of them in {sum(map(len, repeated.values())):,} records, as {'; '.join(some)}"


def is_finite(value: object) -> bool:
    """Return whether a value can be written as JSON: no number in it is NaN or infinite."""
    try:
        json.dumps(value, allow_nan=False)
    except ValueError:
        return False
    return True


def other_id(records: list[Any]) -> int | None:
    """Return the first record whose id is of another type than the ids before it; a null fits every type.

    Examples
    --------
    >>> other_id([{"id": 1}, {"id": 1.5}, {"id": None}, {"id": "1"}])
    3
    """
    seen: type | None = None
    for number, record in enumerate(records):
        given = record.get("id") if isinstance(record, dict) else None
        kind = float if type(given) is int else type(given)  # Arrow widens integers
        if given is not None and seen not in (None, kind):
            return number
        seen = seen if given is None else kind
    return None


def _late_image(records: list[Any], data: bytes) -> bool:
    """Return whether images begin only after the first chunk."""
    if len(data) <= ARROW_CHUNK or data.find(b'"image"', 0, ARROW_CHUNK) >= 0:
        return False
    return any(isinstance(record, dict) and "image" in record for record in records)
