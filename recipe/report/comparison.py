"""What several recipes made of one pool, beside chance: values by seed, paired differences, and a word for each."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import polars as pl

from recipe.data.html import table as html_table
from recipe.errors import ConfigError, InputError, nearest
from recipe.io.formats import read_versioned
from recipe.report.intervals import mean_interval

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

Word = Literal["better", "worse", "no difference", "the baseline", "not measured"]
FORMAT = 1
DIGITS = 6
BASELINES = ("random", "source-balanced")
SIGNS = {"better": "+", "worse": "-", "no difference": "=", "the baseline": ".", "not measured": "?"}


class Metric(NamedTuple):
    """What a number says, and which way is good."""

    lower: bool
    what: str


METRICS = {
    "coverage/mean": Metric(lower=False, what="mean best cosine of the pool to the mix"),
    "coverage/p5": Metric(lower=False, what="its 5 % quantile: how well the least covered fare"),
    "coverage/held": Metric(lower=False, what="mean best cosine of the held-out part to the mix"),
    "vendi": Metric(lower=False, what="Vendi score: wholly different samples that the mix is worth"),
    "clusters/entropy": Metric(lower=False, what="bits, of the mix over the clusters of the pool"),
    "tasks/entropy": Metric(lower=False, what="bits, of the mix over the tasks"),
    "answers/entropy": Metric(lower=False, what="bits, of the mix over the kinds of answers"),
    "concepts/entropy": Metric(lower=False, what="bits, over the concepts that the mix touches"),
    "keywords/reached": Metric(lower=False, what="share of the known keywords that the mix says"),
    "yes/gap": Metric(lower=True, what="distance of the share of yes, among yes and no, from one half"),
    "distinct_2": Metric(lower=False, what="different pairs of words by pairs"),
    "question_starts": Metric(lower=False, what="bits, of the first four words of the questions"),
    "near_duplicates": Metric(lower=True, what="share of the mix that repeats another pick of its image"),
    "proxy/kind": Metric(lower=False, what="balanced accuracy of the kind of answer, learned from the mix"),
    "proxy/task": Metric(lower=False, what="balanced accuracy of the task, learned from the mix"),
    "proxy/retrieval": Metric(lower=False, what="token F1 of the nearest picked question's answer, mean over tasks"),
    "proxy/language": Metric(lower=True, what="bits a byte of held-out answers by a model of the mix, mean over tasks"),
}
"""Every metric of a comparison; what begins with `proxy` is learned from the mix and judged on held-out images."""

_VALUES = {"size": pl.Int64, "recipe": pl.String, "seed": pl.Int64, "metric": pl.String, "value": pl.Float64}
_LINES: dict[str, Any] = {
    "size": pl.Int64,
    "recipe": pl.String,
    "metric": pl.String,
    "mean": pl.Float64,
    "baseline": pl.Float64,
    "difference": pl.Float64,
    "low": pl.Float64,
    "high": pl.Float64,
    "word": pl.String,
}


@dataclass(frozen=True, repr=False)
class Comparison:
    """Several recipes at equal sizes and seeds, judged by the same numbers.

    Parameters
    ----------
    values
        One line a size, recipe, seed and metric: size (i64), recipe, seed (i64), metric, value (f64).
    refused
        Recipe and size to why there is no mix: ``{"svit-core-150k at 1,000": "..."}``.
    about
        What was compared: samples, held-out images, seeds, versions.

    Examples
    --------
    >>> lines = [(9, "random", 0, "vendi", 1.0), (9, "random", 1, "vendi", 2.0)]
    >>> lines += [(9, "ours", 0, "vendi", 3.0), (9, "ours", 1, "vendi", 4.0)]
    >>> Comparison(values_of(lines)).table()["word"].to_list()
    ['the baseline', 'better']
    """

    values: pl.DataFrame
    refused: dict[str, str] = field(default_factory=dict)
    about: dict[str, Any] = field(default_factory=dict)

    @cached_property
    def recipes(self) -> list[str]:
        """Names in the order in which they were given."""
        return self.values["recipe"].unique(maintain_order=True).to_list()

    @cached_property
    def sizes(self) -> list[int]:
        """Sizes in rising order."""
        return self.values["size"].unique().sort().to_list()

    def table(self, against: str = "random") -> pl.DataFrame:
        """Compare every recipe with one of them, seed by seed.

        Parameters
        ----------
        against
            Name of the recipe that the others are compared with.

        Returns
        -------
        polars.DataFrame
            One line a size, recipe and metric: `mean` of the recipe, `baseline` (the other's mean), `difference` of the
            two, `low` and `high` (its 95 % interval, see `recipe.report.intervals.mean_interval`), and `word`: better,
            worse, or no difference where the interval holds zero. Of twenty such words one is wrong by chance.

        Raises
        ------
        ConfigError
            If there is no such recipe.
        """
        if against not in self.recipes:
            raise ConfigError(f"compare: no recipe '{against}' here, {nearest(against, self.recipes)}")
        beside = self.values.filter(pl.col("recipe") == against).drop("recipe").rename({"value": "other"})
        paired = self.values.join(beside, on=["size", "seed", "metric"], how="left", maintain_order="left")
        lines: list[tuple[Any, ...]] = []
        for (size, recipe, metric), group in paired.group_by("size", "recipe", "metric", maintain_order=True):
            both = group.drop_nulls("other").sort("seed")
            mine, theirs = both["value"].to_numpy(), both["other"].to_numpy()
            if len(both) == 0:
                lines.append((size, recipe, metric, _mean(group["value"]), None, None, None, None, "not measured"))
                continue
            low, high = mean_interval(mine - theirs)
            difference = round(float((mine - theirs).mean()), DIGITS)
            word = "the baseline" if recipe == against else _word(low, high, lower=METRICS[str(metric)].lower)
            ends = (round(low, DIGITS), round(high, DIGITS))
            lines.append((size, recipe, metric, _mean(both["value"]), _mean(both["other"]), difference, *ends, word))
        return pl.DataFrame(lines, schema=_LINES, orient="row").sort("size", maintain_order=True)

    def count(self, against: str = "random") -> pl.DataFrame:
        """Count the words of every recipe: size, recipe, better, worse, no difference, not measured (i64)."""
        words = self.table(against).filter(pl.col("recipe") != against)
        said = [pl.col("word").eq(word).sum().cast(pl.Int64).alias(word) for word in ("better", "worse")]
        said += [pl.col("word").eq(word).sum().cast(pl.Int64).alias(word) for word in ("no difference", "not measured")]
        return words.group_by("size", "recipe", maintain_order=True).agg(said)

    def signs(self, size: int, against: str = "random") -> pl.DataFrame:
        """Show a size at a glance: one line a recipe, one column a metric; + better, - worse, = no difference."""
        told = self.table(against).filter(pl.col("size") == size)
        signs = told.select("recipe", "metric", sign=pl.col("word").replace_strict(SIGNS))
        wide = signs.pivot("metric", index="recipe", values="sign", maintain_order=True)
        return wide.select("recipe", *(name for name in METRICS if name in wide.columns))

    def to_dict(self) -> dict[str, Any]:
        """Return plain values: what was compared, the values by seed, and the tables against both baselines."""
        tables = {name: self.table(name).to_dicts() for name in BASELINES if name in self.recipes}
        held = {"values": self.values.to_dicts(), "tables": tables}
        return {"format": FORMAT, "about": self.about, "refused": self.refused, **held}

    def to_json(self) -> str:
        """Return ASCII JSON, the same for the same numbers; infinite ends of an interval are null."""
        return json.dumps(_finite(self.to_dict()), indent=1) + "\n"

    def _repr_html_(self) -> str:
        """Show the counts of words in a notebook."""
        parts = []
        for against in (name for name in BASELINES if name in self.recipes):
            told = self.count(against)
            parts.append(html_table([f"against {against}: size", *told.columns[1:]], told.rows()))
        return "".join(parts)

    def __repr__(self) -> str:
        """Say the counts of words against the first baseline."""
        against = next((name for name in BASELINES if name in self.recipes), self.recipes[0])
        lines = [f"against {against}, {len(self.values['seed'].unique())} seeds"]
        lines += [
            f"{size:>9,} {name:<24} better {b}, worse {w}, no difference {n}"
            for size, name, b, w, n, _ in self.count(against).rows()
        ]
        return "\n".join([*lines, *(f"{what}: {why}" for what, why in self.refused.items())])


def read_comparison(path: Path) -> Comparison:
    """Read a comparison that was written as JSON.

    Parameters
    ----------
    path
        A file that holds `Comparison.to_json`.

    Returns
    -------
    Comparison
        The same numbers.

    Raises
    ------
    InputError
        If it holds something else, or another version of the format.
    """
    told = read_versioned(path, "a comparison", FORMAT, fix="compare again")
    try:
        values = pl.DataFrame(told["values"], schema=_VALUES)
        return Comparison(values, dict(told["refused"]), dict(told["about"]))
    except (ValueError, KeyError, TypeError, pl.exceptions.PolarsError) as error:
        raise InputError(f"{path}: cannot read the comparison: {' '.join(str(error).split())}") from None


def values_of(lines: Iterable[tuple[int, str, int, str, float]]) -> pl.DataFrame:
    """Make the table of values, as many digits as are told, of lines of size, recipe, seed, metric and value."""
    return pl.DataFrame(list(lines), schema=_VALUES, orient="row").with_columns(pl.col("value").round(DIGITS))


def _word(low: float, high: float, *, lower: bool) -> Word:
    """Say what an interval of differences means."""
    if low <= 0 <= high:
        return "no difference"
    return "better" if (high < 0) == lower else "worse"


def _mean(values: pl.Series) -> float:
    """Return a mean with as many digits as are told."""
    return round(float(values.to_numpy().mean()), DIGITS)


def _finite(told: Any) -> Any:
    """Replace what JSON does not know by null."""
    if isinstance(told, float):
        return told if abs(told) != float("inf") else None
    if isinstance(told, dict):
        return {name: _finite(value) for name, value in told.items()}
    return [_finite(value) for value in told] if isinstance(told, list) else told
