"""Why a sample was picked, or why not."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from recipe.data.samples import excerpts
from recipe.errors import ConfigError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from recipe.data.selection import Selection


REPRESENTED = 5  # samples that a pick represents and that are shown
LABELS = ("source", "image", "task", "answer", "cluster")


@dataclass(frozen=True, repr=False)
class Why:
    """Why a sample is in the mix or not.

    Parameters
    ----------
    row, key, id
        The sample.
    rank
        Its number in pick order, from 0; None if it was not picked.
    gains
        Term of the objective to what the pick added to it when it was picked; empty if it was not picked, or the
        selector has no terms.
    labels
        Source, image, task, answer, cluster, concepts.
    cell
        `number`, `quota` and `supply` of its cell; empty if it may not be selected.
    scores
        Score to its value, and the share of eligible samples that score less.
    stands_for
        The nearest samples that it represents, the nearest first: row, key, similarity, text.
    count
        How many eligible samples it represents: those of its cluster that no other pick is nearer to.
    nearest
        The pick that represents it, with the same keys; None if it was picked itself or no pick is in its cluster.
    problem
        Why it may not be selected; None if it may.
    """

    row: int
    key: str
    id: str
    rank: int | None
    gains: dict[str, float]
    labels: dict[str, Any]
    cell: dict[str, int]
    scores: dict[str, tuple[float, float]]
    stands_for: list[dict[str, Any]]
    count: int
    nearest: dict[str, Any] | None
    problem: str | None

    def lines(self) -> list[tuple[str, str]]:
        """Return the explanation as lines of name and value."""
        labels = ", ".join(f"{name} {value}" for name, value in self.labels.items() if value not in (None, []))
        lines = [("sample", f"{self.key} (id {self.id})"), ("labels", labels)]
        if self.rank is not None:
            lines.append(("picked", f"at rank {self.rank:,}, where 0 is the first"))
        elif self.problem is not None:
            lines.append(("rejected", self.problem))
        else:
            lines.append(
                (
                    "not picked",
                    "others of its cell had a higher gain" if self.cell.get("quota") else "its cell has no quota",
                )
            )
        if self.gains:
            terms = " + ".join(f"{term} {gain:.3g}" for term, gain in self.gains.items())
            lines.append(("gain", f"{sum(self.gains.values()):.3g} = {terms}"))
        if self.cell:
            lines.append(("cell", f"{self.cell['quota']:,} of its {self.cell['supply']:,} samples were wanted"))
        if self.scores:
            scores = (f"{name} {own:g} (above {less:.0%})" for name, (own, less) in self.scores.items())
            lines.append(("scores", ", ".join(scores)))
        if self.rank is not None:
            lines.append(("represents", f"{self.count:,} other samples of its cluster"))
        lines += [(f"  {like['similarity']:.2f}", like["text"]) for like in self.stands_for]
        if self.nearest:
            lines.append(("represented", f"by {self.nearest['key']} at {self.nearest['similarity']:.2f}"))
            lines.append(("", self.nearest["text"]))
        return lines

    def __repr__(self) -> str:
        return "\n".join(f"{what:<12} {how}".rstrip() for what, how in self.lines())

    def _repr_html_(self) -> str:
        """Show a small table in a notebook."""
        cells = "<tr><th style='text-align:left'>{}</th><td style='text-align:left'>{}</td></tr>"
        return f"<table>{''.join(cells.format(escape(what), escape(how)) for what, how in self.lines())}</table>"


def row_of(mix: Selection, key: str) -> int:
    """Return the row of a key, or of the only key with that beginning.

    Parameters
    ----------
    mix
        Any.
    key
        A key or its first characters.

    Returns
    -------
    int
        A row of the pool; where rows share a key, the first that may be selected.

    Raises
    ------
    ConfigError
        If no key, or more than one, begins so.
    """
    rows = mix.pool.rows
    found = rows.select("row", "key", "problem").filter(pl.col("key").str.starts_with(str(key)))
    if found["key"].n_unique() != 1:
        got = f"{found['key'].n_unique():,} keys that begin so" if found.height else "none"
        shown = " ".join(repr(key).split())
        raise ConfigError(f"expected the key of a sample, or its beginning, got key={shown:.80}: {got}")
    return int(found.sort(pl.col("problem").is_not_null(), "row", maintain_order=True)["row"][0])


def explain(mix: Selection, key: str) -> Why:
    """Explain why a sample is in the mix or not.

    Parameters
    ----------
    mix
        Any; one that `select_mix` made also knows which pick represents which sample.
    key
        As for `row_of`.

    Returns
    -------
    Why
        The explanation.

    Raises
    ------
    ConfigError
        If no key, or more than one, begins so.

    Examples
    --------
    >>> from recipe import demo_pool, select_mix
    >>> mix = select_mix(demo_pool(images=4), size=20)
    >>> explain(mix, mix.keys[3]).rank
    3
    """
    row = row_of(mix, key)
    rows = mix.pool.rows
    known: dict[str, Any] = {name: rows[name][row] for name in rows.columns if name not in ("turns", "extra")}
    found = np.flatnonzero(mix.picks.rows == row)
    rank = int(found[0]) if len(found) else None
    gains = {} if rank is None else {term: float(gain[rank]) for term, gain in mix.picks.gains.items()}
    labels = {name: known.get(name) for name in LABELS}
    labels["concepts"] = list(known["concepts"]) if known.get("concepts") is not None else []
    cell = {}
    if known.get("cell") is not None:
        supply = int((rows["cell"] == known["cell"]).sum())
        cell = {"number": known["cell"], "quota": known["cell_quota"], "supply": supply}
    count, stands_for = _represented(mix, row) if rank is not None else (0, [])
    nearest = None
    if rank is None and known.get("nearest") is not None:
        (nearest,) = _described(mix, np.array([known["nearest"]]), [known["similarity"]])
    scores, problem = _scores(mix, row), known["problem"]
    return Why(row, known["key"], known["id"], rank, gains, labels, cell, scores, stands_for, count, nearest, problem)


def _represented(mix: Selection, row: int) -> tuple[int, list[dict[str, Any]]]:
    """Return how many samples a pick represents, and the nearest of them."""
    if "nearest" not in mix.pool.rows.columns:
        return 0, []
    found = mix.pool.rows.select("row", "nearest", "similarity").filter(
        (pl.col("nearest") == row) & (pl.col("row") != row) & pl.Series(mix.pool.eligible)
    )
    first = found.sort("similarity", "row", descending=[True, False]).head(REPRESENTED)
    return found.height, _described(mix, first["row"].cast(pl.Int64).to_numpy(), first["similarity"].to_list())


def _described(mix: Selection, rows: NDArray[np.int64], similarity: list[float]) -> list[dict[str, Any]]:
    """Return row, key, similarity and the beginning of the text of some samples."""
    texts = excerpts(mix.pool.rows, rows)
    keys = mix.pool.rows["key"].gather(rows)
    columns = (rows.tolist(), keys, similarity, texts["question"], texts["answer"])
    return [
        {"row": row, "key": key, "similarity": round(near, 4), "text": f"{question} — {answer}"}
        for row, key, near, question, answer in zip(*columns, strict=True)
    ]


def _scores(mix: Selection, row: int) -> dict[str, tuple[float, float]]:
    """Return each score, and the share of the eligible samples that score less."""
    found = {}
    for step in mix.recipe.score:
        if step.label in mix.pool.rows.columns:
            values = mix.pool.rows[step.label].to_numpy()
            own = float(values[row])
            found[step.label] = (round(own, 4), round(float((values[mix.pool.eligible] < own).mean()), 4))
    return found
