"""The points on the map of a pool: samples drawn at random, and what the map shows of each."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from recipe.data.samples import excerpts
from recipe.data.vectors import rows_of
from recipe.engine.seed import shuffled
from recipe.errors import ConfigError, MissingExtra
from recipe.io.arrow import take
from recipe.report.charts._counts import NONE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from recipe.data.selection import Selection

LABELS = ("task", "answer", "source", "cluster")
KEY = 12  # characters of a key: as many as `Mix.why` needs to find a sample
NEIGHBOURS = 15  # umap-learn's default
DIGITS = 3


def draw_points(mix: Selection, most: int) -> NDArray[np.int64]:
    """Sample a pool at random: half of the points are picks, if there are as many, else all picks are included.

    Parameters
    ----------
    mix
        Any.
    most
        The maximum number of points. If fewer samples may be picked, all of them are taken.

    Returns
    -------
    ndarray
        (m,) int64 rows, ascending.
    """
    may = mix.pool.eligible.copy()
    may[mix.picks.rows] = False
    others, picks = np.flatnonzero(may), np.sort(mix.picks.rows)
    least = most - min(len(others), most - most // 2)  # picks fill the places that others leave

    def first(rows: NDArray[np.int64], count: int) -> NDArray[np.int64]:
        return shuffled(rows, mix.pool.rows["key"], seed=mix.recipe.seed, label="report.points")[:count]

    chosen = first(picks, least)
    return np.sort(np.concatenate([chosen, first(others, most - len(chosen))]))


def describe_points(mix: Selection, rows: NDArray[np.int64]) -> pl.DataFrame:
    """Return what the map shows of some samples: labels, whether picked, their representative, question and answer.

    Parameters
    ----------
    mix
        Any.
    rows
        (m,) rows; no other row's text is loaded.

    Returns
    -------
    polars.DataFrame
        m rows: key, question, answer_text, picked, representative, and of task, answer, source, cluster those that
        exist.
    """
    pool = mix.pool.rows
    labels = [name for name in LABELS if name in pool.columns]
    table, texts = take(pool, ["key", *labels], rows), excerpts(pool, rows)
    rank = np.full(len(mix.pool), -1)
    rank[mix.picks.rows] = np.arange(len(mix))
    ours = pl.Series("rank", rank[rows])
    names = [pl.col(name).cast(pl.String).fill_null(NONE) for name in labels]
    return table.select(
        pl.col("key").str.head(KEY),
        *names,
        question=texts["question"],
        answer_text=texts["answer"],
        picked=pl.when(ours >= 0).then(pl.lit("picked")).otherwise(pl.lit("not picked")),
        representative=pl.when(ours >= 0)
        .then(pl.format("pick {}", ours + 1))
        .otherwise(pl.Series("representative", _representatives(mix, rows), dtype=pl.String)),
    )


def place_points(mix: Selection, rows: NDArray[np.int64], method: str) -> NDArray[np.float64]:
    """Return the coordinates of samples on the map.

    Parameters
    ----------
    mix
        Its pool has columns x and y (``"pca"``) or vectors (``"umap"``).
    rows
        (m,) rows.
    method
        ``"pca"`` or ``"umap"``.

    Returns
    -------
    ndarray
        (m, 2) float64; NaN where a sample has no coordinates.

    Raises
    ------
    ConfigError
        If the pool lacks what the method needs.
    MissingExtra
        If umap-learn is not installed.
    """
    if method == "pca":
        places = take(mix.pool.rows, ["x", "y"], rows).cast(pl.Float64).to_numpy()
        if not np.isfinite(places).any():
            raise ConfigError("chart map: expected coordinates in the columns x and y, got none; embed the pool first")
        return places
    if mix.pool.vectors is None:
        raise ConfigError(
            "chart map: method='umap' needs the vectors, which a mix that was opened from a file does not have; "
            "draw it where the mix is selected, or with method='pca'"
        )
    if len(rows) <= NEIGHBOURS:
        raise ConfigError(f"chart map: method='umap' needs more than {NEIGHBOURS} points, got {len(rows)}")
    try:
        umap: Any = import_module("umap")
    except ImportError as error:
        raise MissingExtra.elsewhere("umap-learn", "chart map: method='umap' needs umap-learn") from error
    knobs = {"n_neighbors": NEIGHBOURS, "metric": "cosine", "init": "pca", "random_state": 0, "n_jobs": 1}
    learned = umap.UMAP(**knobs).fit_transform(rows_of(mix.pool.vectors, rows).astype(np.float32))
    return np.asarray(learned, np.float64).round(DIGITS)


def _representatives(mix: Selection, rows: NDArray[np.int64]) -> list[str]:
    """Name the pick that represents each sample, by the beginning of its key."""
    if "nearest" not in mix.pool.rows.columns:
        return ["not picked"] * len(rows)
    nearest = take(mix.pool.rows, ["nearest"], rows)["nearest"]
    keys = mix.pool.rows["key"].gather(nearest)
    return ["no pick of its cluster" if key is None else f"represented by {key[:8]}" for key in keys.to_list()]
