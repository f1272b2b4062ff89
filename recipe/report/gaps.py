"""Gaps of a pool: cells of which the margins want more samples than there are."""

from __future__ import annotations

import json
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
import polars as pl

from recipe.data.samples import excerpts
from recipe.errors import ConfigError
from recipe.stages.parts import sides_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from recipe.data.selection import Selection
    from recipe.stages.parts import Side

FORMAT = 1
By = Literal["cluster", "concept"]
LIKE = 3  # samples of a cell, as examples for a generator
ABOUT = 5  # concepts that describe a cell
DIGITS = 6
LEAST = 0.5  # a smaller shortage is ignored, in samples


@dataclass(frozen=True, repr=False)
class Gaps:
    """The samples that a mix of this size lacks to meet its margins in full.

    Parameters
    ----------
    table
        One line for each cell that is short, the worst first: `task`, `answer`, `cluster` or `concept`, `supply`
        (samples that can be picked), `wanted` (as many as the margins would take), `picked`, `short` (samples that are
        missing, to one decimal). A value that a recipe names and no sample has is listed with nulls elsewhere.
    by
        ``"cluster"`` or ``"concept"``.
    size
        Samples of the mix.
    short
        Samples that are missing in all, counted in the cells of the quotas. So a line by concept may be short in some
        clusters although others have enough; and there a sample counts for each of its concepts, so the lines sum to
        more.
    request
        The request to a data generator, as `to_json` writes it.
    """

    table: pl.DataFrame
    by: By
    size: int
    short: float
    request: dict[str, Any]

    def __len__(self) -> int:
        return self.table.height

    def to_json(self) -> str:
        """Return the request to a data generator as indented ASCII JSON.

        An object with `format`, `size`, `short` and `requests`; a request has `count` (samples, from 1), the cell
        (`task`, `answer`, and `cluster` or `concept`), `about` (concepts that are frequent in the cell) and `like` (up
        to three of its samples: key, image, question, answer).
        """
        return json.dumps(self.request, indent=1) + "\n"

    @property
    def summary(self) -> str:
        """One line that says how many samples are missing."""
        if not len(self):
            return f"no gaps: the pool supplies what a mix of {self.size:,} asks for"
        cells = f"{len(self):,} cells (task x answer x {self.by})"
        return f"{self.short:,.0f} samples are missing in {cells} of a mix of {self.size:,}"

    def __repr__(self) -> str:
        return f"{self.summary}\n{self.table}" if len(self) else self.summary

    def _repr_html_(self) -> str:
        """Show the worst cells in a notebook."""
        return f"<p>{escape(self.summary)}</p>" + (self.table._repr_html_() if len(self) else "")


def find_gaps(
    mix: Selection,
    wish: NDArray[np.float64],
    supply: NDArray[np.float64],
    by: By = "cluster",
    *,
    sides: Sequence[Side] | None = None,
) -> Gaps:
    """Sum wanted and available samples by cell.

    Parameters
    ----------
    mix
        Any.
    wish, supply
        (n,) float64 as `recipe.stages.balance._unmet.wishes` returns them.
    by
        What a cell is besides task and kind of answer.
    sides
        The pool, size and balance of each part of the mix; found from the mix by default.

    Returns
    -------
    Gaps
        The cells that are short.

    Raises
    ------
    ConfigError
        If `by` is neither.
    """
    if by not in get_args(By):
        raise ConfigError(f"gaps: expected by={' or by='.join(get_args(By))}, got by={by!r}")
    lacks = np.maximum(wish - supply, 0)
    picked = np.zeros(len(wish), np.bool_)
    picked[mix.picks.rows] = True
    sums = {"supply": supply, "wanted": wish, "picked": picked, "short": lacks}
    rows = mix.pool.rows
    table = pl.DataFrame(
        [rows["row"], rows["task"], rows["answer"].fill_null("none"), *(pl.Series(n, v) for n, v in sums.items())]
    )
    third = rows["concepts"].alias("concept") if by == "concept" else rows["cluster"]
    table = table.with_columns(third).filter(pl.Series(supply > 0))
    if by == "concept":  # only samples of a task and answer with a shortage are exploded
        table = table.filter(pl.col("short").sum().over("task", "answer") > 0).explode("concept").drop_nulls("concept")
    key = ["task", "answer", by]
    # Rounded before they are sorted: the last bits of a sum depend on the order in which threads add.
    cells = table.group_by(key).agg(pl.col("supply", "wanted", "picked", "short").sum().round(DIGITS))
    short = cells.filter(pl.col("short") >= LEAST).sort("short", *key, descending=[True, False, False, False])
    named = _nowhere(sides or sides_of(mix.pool, mix.picks, mix.recipe, mix.quotas.report))
    shown = pl.concat([named, short], how="diagonal_relaxed").select(
        *key,
        pl.col("supply").round(1),
        pl.col("wanted").round(1),
        pl.col("picked").cast(pl.UInt32),
        pl.col("short").round(1),
    )
    missing = round(float(lacks.sum()) + float(named["short"].sum()), 1)
    request = {"format": FORMAT, "size": len(mix), "short": missing, "requests": _requests(mix, shown, table, key)}
    return Gaps(shown, by, len(mix), missing, request)


def _nowhere(sides: Sequence[Side]) -> pl.DataFrame:
    """List the tasks and kinds of answers that the recipe gives a share and no sample has."""
    kinds = {"task": pl.String, "answer": pl.String, "supply": pl.Float64, "wanted": pl.Float64, "short": pl.Float64}
    lines = []
    for pool, size, balance, _ in sides:
        for column, step in balance.margins.items():
            shares = step.knobs.get("weights")
            if column not in ("task", "answer") or not isinstance(shares, dict):
                continue
            present = set(pool.rows[column].filter(pool.eligible).to_list())
            for value in sorted(set(shares) - present):
                wanted = round(size * shares[value] / sum(shares.values()), 1)
                lines.append({column: value, "supply": 0.0, "wanted": wanted, "short": wanted})
    return pl.DataFrame(lines, schema={**kinds, "picked": pl.UInt32})


def _requests(mix: Selection, cells: pl.DataFrame, table: pl.DataFrame, key: list[str]) -> list[dict[str, Any]]:
    """Return the cells as requests, with their concepts and some of their samples."""
    of_cells = table.select("row", *key).join(cells.select(key).with_row_index("cell"), on=key)
    like = of_cells.sort("cell", "row").group_by("cell", maintain_order=True).head(LIKE)
    rows = like["row"].cast(pl.Int64).to_numpy()
    shown = pl.concat([mix.pool.rows.select("key", "image")[rows], excerpts(mix.pool.rows, rows)], how="horizontal")
    examples: dict[int, list[dict[str, Any]]] = {}
    for cell, example in zip(like["cell"].to_list(), shown.to_dicts(), strict=True):
        examples.setdefault(cell, []).append({name: value for name, value in example.items() if value is not None})
    about = (
        of_cells.select("cell", concept=mix.pool.rows["concepts"].gather(of_cells["row"]))
        .explode("concept")
        .drop_nulls()
        .group_by("cell", "concept")
        .len()
        .sort("cell", "len", "concept", descending=[False, True, False])
        .group_by("cell", maintain_order=True)
        .agg(pl.col("concept").head(ABOUT))
    )
    concepts = dict(about.iter_rows())
    return [
        {
            "count": int(np.ceil(cell["short"])),
            **{name: cell[name] for name in key if cell[name] is not None},
            "about": concepts.get(number, []),
            "like": examples.get(number, []),
        }
        for number, cell in enumerate(cells.to_dicts())
    ]
