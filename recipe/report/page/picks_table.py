"""The picks that a page lists, and why each was picked, as plain values for its script."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from recipe.data.samples import excerpts
from recipe.engine.seed import shuffled
from recipe.io.arrow import take

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from recipe.data.selection import Selection

QUESTION, ANSWER, NAME = 240, 360, 160  # bytes that are shown of a question, an answer, a name
NEAR_QUESTION, NEAR_ANSWER = 80, 100  # and of a neighbour
NEIGHBOURS = 3  # samples that are shown of those that a pick represents
FIGURES = 3  # significant digits of gains
CODED = ("task", "answer", "source")  # labels with few values, listed once


def picks_table(mix: Selection, rows: int) -> dict[str, Any]:
    """Describe picks and why they were picked; O(n log n) for n samples of the pool.

    Parameters
    ----------
    mix
        k picks of n samples.
    rows
        The maximum number of picks to list. Of more, a random sample by key is listed.

    Returns
    -------
    dict
        For JSON: `picked` (k), `labels` (label to its values), `terms`, `scores` (names), `representatives` (whether it
        is known which samples a pick represents), and `fields`, the names of the values of each line of `picks`, in
        pick order. Labels and concepts are indices of values; `gains` and `scores` are in the order of their names, a
        score as its value and the percentage of eligible samples that score less; `near` lists similarity, question and
        answer of the nearest samples that a pick represents, `represents` counts all of them.
    """
    drawn = _drawn(mix, rows)
    rank = np.sort(drawn)
    picked = mix.picks.rows[rank]
    columns = [name for name in mix.pool.rows.columns if name not in {"turns", "extra"}]
    table = take(mix.pool.rows, columns, picked)
    values: dict[str, Sequence[Any]] = {"rank": rank.tolist(), **_named(table, "key", "id", "image")}
    values["question"], values["answer_text"] = _texts(mix, picked)
    labels: dict[str, list[str]] = {}
    for name in CODED:
        column = table[name].cast(pl.String) if name in columns else pl.Series([None] * len(table), dtype=pl.String)
        labels[name] = column.drop_nulls().unique().sort().to_list()
        values[name] = column.replace_strict(labels[name], range(len(labels[name])), default=None).to_list()
    labels["concept"], values["concepts"] = _concepts(table)
    values |= {name: table[name].to_list() if name in columns else [None] * len(table) for name in ("cluster", "cell")}
    values["words"] = table["n_words"].to_list()
    terms = list(mix.picks.gains)
    values["gains"] = list(zip(*([_figures(v) for v in mix.picks.gains[t][rank]] for t in terms), strict=True))
    names = [step.label for step in mix.recipe.score if step.label in columns]
    values["scores"] = list(zip(*(_scores(mix, name, table[name]) for name in names), strict=True))
    values |= _cells(mix, table) | _representatives(mix, picked)
    values = {name: column for name, column in values.items() if len(column)}
    return {
        "picked": len(mix),
        "labels": labels,
        "terms": terms,
        "scores": names,
        "representatives": "nearest" in columns,
        "fields": list(values),
        "picks": [list(line) for line in zip(*values.values(), strict=True)],
    }


def _drawn(mix: Selection, rows: int) -> NDArray[np.int64]:
    """Return the positions of the picks that are listed."""
    if len(mix) <= rows:
        return np.arange(len(mix))
    keys = mix.pool.rows["key"].gather(mix.picks.rows)
    return shuffled(np.arange(len(mix)), keys, seed=mix.recipe.seed, label="report.rows")[:rows]


def cut(text: str, most: int) -> str:
    r"""Return a text as one line of at most so many bytes of UTF-8.

    Examples
    --------
    >>> cut("What  is\nit?", 40), cut("What is it?", 9)
    ('What is it?', 'What i…')
    """
    line = " ".join(text[: 4 * most].split())  # a caption may be very long
    coded = line.encode()
    return line if len(coded) <= most else coded[: most - 3].decode(errors="ignore").rstrip() + "…"


def _named(table: pl.DataFrame, *names: str) -> dict[str, list[str | None]]:
    """Return columns of names, shortened."""
    return {name: [None if value is None else cut(value, NAME) for value in table[name]] for name in names}


def _texts(
    mix: Selection, rows: NDArray[np.int64], *, question: int = QUESTION, answer: int = ANSWER
) -> tuple[list[str], ...]:
    """Return the beginnings of the first question and of the first answer of some rows."""
    texts = excerpts(mix.pool.rows, rows, question=question, answer=answer)
    return [cut(text, question) for text in texts["question"]], [cut(text, answer) for text in texts["answer"]]


def _concepts(table: pl.DataFrame) -> tuple[list[str], list[list[int]]]:
    """Return the names of the concepts, and the indices of those of each pick."""
    if "concepts" not in table.columns:
        return [], [[] for _ in range(len(table))]
    lists: list[list[str]] = [value or [] for value in table["concepts"].to_list()]
    names = sorted({name for value in lists for name in value})
    number = {name: at for at, name in enumerate(names)}
    return names, [[number[name] for name in value] for value in lists]


def _figures(value: float) -> float:
    """Round to a few significant digits."""
    return float(f"{value:.{FIGURES}g}")


def _scores(mix: Selection, name: str, values: pl.Series) -> list[tuple[float | None, int | None]]:
    """Return a score of some picks, and the percentage of eligible samples that score less."""
    eligible = np.sort(mix.pool.rows[name].to_numpy()[mix.pool.eligible])
    less = np.searchsorted(eligible, values.to_numpy(), "left") * 100 // max(1, len(eligible))
    return [
        (None, None) if value is None else (_figures(value), share)
        for value, share in zip(values.to_list(), less.tolist(), strict=True)
    ]


def _cells(mix: Selection, table: pl.DataFrame) -> dict[str, list[int | None]]:
    """Return the quota of each pick's cell, and how many eligible samples the cell has."""
    if "cell" not in table.columns:
        return {}
    supply = mix.pool.rows["cell"].drop_nulls().value_counts(name="supply")
    cells = table.select("cell", "cell_quota").join(supply, on="cell", how="left", maintain_order="left")
    return {"quota": cells["cell_quota"].to_list(), "supply": cells["supply"].to_list()}


def _representatives(mix: Selection, picked: NDArray[np.int64]) -> dict[str, list[Any]]:
    """Return how many samples each pick represents, and the nearest of them: similarity and text."""
    rows = mix.pool.rows
    if "nearest" not in rows.columns:
        return {}
    wanted = np.zeros(len(rows), np.bool_)
    wanted[picked] = True
    nearest = rows["nearest"].fill_null(0).to_numpy()
    represented = wanted[nearest] & rows["nearest"].is_not_null().to_numpy() & (nearest != np.arange(len(rows)))
    represented &= mix.pool.eligible  # rejected samples are not counted
    found = pl.DataFrame([rows[name].filter(pl.Series(represented)) for name in ("row", "nearest", "similarity")])
    found = found.sort(["nearest", "similarity", "row"], descending=[False, True, False], maintain_order=True)
    counts = dict(found["nearest"].value_counts().iter_rows())
    shown = found.group_by("nearest", maintain_order=True).head(NEIGHBOURS)
    beginnings = _texts(mix, shown["row"].cast(pl.Int64).to_numpy(), question=NEAR_QUESTION, answer=NEAR_ANSWER)
    near: dict[int, list[tuple[float, str, str]]] = {}
    for (pick, similarity), *texts in zip(shown.select("nearest", "similarity").iter_rows(), *beginnings, strict=True):
        near.setdefault(pick, []).append((round(similarity, FIGURES), *texts))
    return {
        "represents": [counts.get(row, 0) for row in picked.tolist()],
        "near": [near.get(row, []) for row in picked.tolist()],
    }
