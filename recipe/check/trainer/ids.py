"""Ids of a repaired file: each a string where they are of several types, none missing, and none equal to another's."""

from __future__ import annotations

import json
from typing import Any

from recipe.check.trainer.loaders import other_id


def repaired_ids(records: list[Any]) -> dict[int, str]:
    """Return the ids that records get: in place of numbers, if the file's ids are of several types, and of none.

    Parameters
    ----------
    records
        The decoded entries of a file.

    Returns
    -------
    dict
        Number of a record to its new id: the JSON text of what it had, or its number in the file if it had none. An id
        that another record has by then gets a number behind it, so that two ids are equal only if they were.

    Examples
    --------
    >>> repaired_ids([{"id": 1}, {"id": "1"}, {}, {"id": 1}, {"id": "2"}])
    {0: '1-2', 2: '2-2', 3: '1-2'}
    >>> repaired_ids([{"id": 1}, {"id": 7}])
    {}
    """
    given = {
        number: record["id"] for number, record in enumerate(records) if isinstance(record, dict) and "id" in record
    }
    missing = [number for number, record in enumerate(records) if isinstance(record, dict) and "id" not in record]
    others = {number: json.dumps(one) for number, one in given.items() if not isinstance(one, str | None)}
    taken = {one for one in given.values() if isinstance(one, str)}
    if other_id(records) is None and not missing:
        others = {}
    names: dict[str, str] = {}
    for text in others.values():
        if text not in names:
            names[text] = _free(text, taken)
    found = {number: names[text] for number, text in others.items()}
    found |= {number: _free(str(number), taken) for number in missing}
    return dict(sorted(found.items()))


def _free(text: str, taken: set[str]) -> str:
    """Return a text, or the first with a number behind it, that is not taken yet, and take it."""
    name, nth = text, 2
    while name in taken:
        name, nth = f"{text}-{nth}", nth + 1
    taken.add(name)
    return name
