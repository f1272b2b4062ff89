"""The difference of two mixes: samples added and removed, and metrics that moved."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from recipe.data.samples import excerpts
from recipe.engine.seed import shuffled

if TYPE_CHECKING:
    from recipe.check.drift.verdicts import Drift, Verdict

EXAMPLES = 10
_SIDES = ("added", "removed", "kept")


@dataclass(frozen=True)
class Picked:
    """The samples of one mix.

    Parameters
    ----------
    samples
        One line a sample in the order of the mix: key; row of `text` (null where the sample was merged with others);
        task; cluster (null where it is not known).
    text
        A table with a column `turns`.
    """

    samples: pl.DataFrame
    text: pl.DataFrame


@dataclass(frozen=True)
class Example:
    """A sample that was added or removed.

    Parameters
    ----------
    key, task, cluster
        The sample.
    question, answer
        The beginning of its first pair; None where it was merged with others, as in a packed mix.
    """

    key: str
    task: str | None
    cluster: int | None
    question: str | None
    answer: str | None


@dataclass(frozen=True)
class Diff:
    """The difference of two mixes.

    Parameters
    ----------
    added, removed, kept
        Samples that only the second mix has, that only the first has, and that both have; a sample that occurs twice in
        a mix counts twice.
    tasks, clusters
        Label -> counts of the three, the most changed first; `clusters` is empty unless both mixes have the same ones.
    moved
        Metrics that moved by more than their default tolerance, the farthest first.
    not_measured
        Metrics that only one of the files can be measured by.
    examples
        ``"added"`` and ``"removed"`` -> at most ten of them, sampled at random.
    """

    added: int
    removed: int
    kept: int
    tasks: dict[str, dict[str, int]]
    clusters: dict[str, dict[str, int]]
    moved: tuple[Verdict, ...]
    not_measured: tuple[str, ...]
    examples: dict[str, list[Example]]

    def to_dict(self) -> dict[str, Any]:
        """Return plain dictionaries, lists and numbers; the excess of a number without any tolerance is None."""
        moved = [asdict(each) | {"excess": each.excess if np.isfinite(each.excess) else None} for each in self.moved]
        return asdict(self) | {"moved": moved, "not_measured": list(self.not_measured)}


def diff_mixes(a: Picked, b: Picked, drift: Drift) -> Diff:
    """Compare two mixes by the keys of their samples.

    Parameters
    ----------
    a, b
        The older and the newer mix.
    drift
        The metrics of `b` compared with those of `a`.

    Returns
    -------
    Diff
        Counts, metrics and examples.

    Examples
    --------
    >>> from recipe.check.drift.verdicts import Drift
    >>> text = pl.DataFrame({"turns": [[{"from": "human", "value": "Red?"}, {"from": "gpt", "value": "No."}]]})
    >>> samples = pl.DataFrame({"key": ["a"], "row": [0], "task": ["vqa"], "cluster": [3]})
    >>> other = samples.with_columns(key=pl.lit("b"))
    >>> diff = diff_mixes(Picked(samples, text), Picked(other, text), Drift(()))
    >>> diff.added, diff.removed, diff.kept, diff.examples["added"][0].question
    (1, 1, 0, 'Red?')
    """
    old, new = (_numbered(side.samples) for side in (a, b))
    on = ["key", "nth"]
    sides = {
        "added": new.join(old, on=on, how="anti", maintain_order="left"),
        "removed": old.join(new, on=on, how="anti", maintain_order="left"),
        "kept": new.join(old, on=on, how="semi", maintain_order="left"),
    }
    one_sided = [each.metric for each in (*drift.those("new"), *drift.those("not measured"))]
    return Diff(
        **{name: samples.height for name, samples in sides.items()},
        tasks=_counts(sides, "task"),
        clusters=_counts(sides, "cluster"),
        moved=drift.moved,
        not_measured=tuple(sorted(one_sided)),
        examples={"added": _drawn(sides["added"], b.text), "removed": _drawn(sides["removed"], a.text)},
    )


def _numbered(samples: pl.DataFrame) -> pl.DataFrame:
    """Add the number of each sample among those of its key, so that one that occurs twice counts twice."""
    return samples.with_columns(nth=pl.int_range(pl.len(), dtype=pl.UInt32).over("key"))


def _counts(sides: dict[str, pl.DataFrame], label: str) -> dict[str, dict[str, int]]:
    """Count the samples added, removed and kept by label, the most changed first."""
    labels = pl.concat([one.select(pl.col(label), side=pl.lit(side)) for side, one in sides.items()]).drop_nulls(label)
    sums = [(pl.col("side") == side).sum().alias(side) for side in _SIDES]
    table = labels.group_by(label).agg(sums).sort(-(pl.col("added") + pl.col("removed")).cast(pl.Int64), label)
    return {str(name): dict(zip(_SIDES, counts, strict=True)) for name, *counts in table.iter_rows()}


def _drawn(samples: pl.DataFrame, text: pl.DataFrame) -> list[Example]:
    """Draw some samples at random, and read the beginning of each."""
    once = samples.unique("key", keep="first", maintain_order=True).sort("key")
    chosen = once[shuffled(np.arange(len(once)), once["key"], seed=0, label="diff")[:EXAMPLES]]
    pairs = _beginnings(chosen["row"], text)
    return [
        Example(key, task, cluster, *pair)
        for (key, task, cluster), pair in zip(chosen.select("key", "task", "cluster").iter_rows(), pairs, strict=True)
    ]


def _beginnings(rows: pl.Series, text: pl.DataFrame) -> list[tuple[str | None, str | None]]:
    """Return the beginning of the first question and the first answer of some rows; None for a null."""
    shown = excerpts(text, rows.drop_nulls().cast(pl.Int64).to_numpy()).iter_rows()
    return [(None, None) if row is None else next(shown) for row in rows.to_list()]
