"""The comparison of several recipes on one pool: values by seed, paired differences, and a word for each."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple, TypedDict

import msgspec
import polars as pl

from recipe.data.html import table as html_table
from recipe.errors import ConfigError, InputError, nearest
from recipe.io.formats import Count, read_versioned
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
    """The meaning of a metric, and whether lower is better."""

    lower: bool
    what: str


METRICS = {
    "coverage/mean": Metric(lower=False, what="mean best cosine of the pool to the mix"),
    "coverage/p5": Metric(lower=False, what="its 5 % quantile: how well the least covered samples are covered"),
    "coverage/held": Metric(lower=False, what="mean best cosine of the held-out part to the mix"),
    "vendi": Metric(lower=False, what="Vendi score: effective number of different samples"),
    "clusters/entropy": Metric(lower=False, what="bits, of the mix over the clusters of the pool"),
    "tasks/entropy": Metric(lower=False, what="bits, of the mix over the tasks"),
    "answers/entropy": Metric(lower=False, what="bits, of the mix over the kinds of answers"),
    "concepts/entropy": Metric(lower=False, what="bits, of the mix over its concepts"),
    "keywords/reached": Metric(lower=False, what="share of the known keywords that are in the mix"),
    "yes/gap": Metric(lower=True, what="distance of the share of yes, among yes and no, from one half"),
    "distinct_2": Metric(lower=False, what="share of word pairs that are distinct"),
    "question_starts": Metric(lower=False, what="bits, of the first four words of the questions"),
    "near_duplicates": Metric(lower=True, what="share of the mix that repeats another pick of its image"),
    "proxy/kind": Metric(lower=False, what="balanced accuracy of the kind of answer, learned from the mix"),
    "proxy/task": Metric(lower=False, what="balanced accuracy of the task, learned from the mix"),
    "proxy/retrieval": Metric(lower=False, what="token F1 of the nearest picked question's answer, mean over tasks"),
    "proxy/language": Metric(
        lower=True, what="bits per byte of held-out answers by a model of the mix, mean over tasks"
    ),
}
"""Every metric of a comparison; `proxy/...` are learned from the mix and measured on held-out images."""

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


class _Line(TypedDict):
    """A value in a file."""

    size: Count
    recipe: str
    seed: Annotated[int, msgspec.Meta(ge=-(2**62), le=2**62)]
    metric: str
    value: float


class _File(TypedDict):
    """What is read from a file; its tables follow from the values."""

    format: int
    about: dict[str, Any]
    refused: dict[str, str]
    values: Annotated[list[_Line], msgspec.Meta(min_length=1)]


@dataclass(frozen=True, repr=False)
class Comparison:
    """Several recipes at equal sizes and seeds, by the same metrics.

    Parameters
    ----------
    values
        One line a size, recipe, seed and metric: size (i64), recipe, seed (i64), metric, value (f64).
    refused
        Recipe and size to why there is no mix: ``{"svit-core-150k at 1,000": "..."}``.
    about
        The setup: samples, share held out, seeds, embedder, recipes.

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
        """Names in the order given."""
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
        other = self.values.filter(pl.col("recipe") == against).drop("recipe").rename({"value": "other"})
        paired = self.values.join(other, on=["size", "seed", "metric"], how="left", maintain_order="left")
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
        counts = [pl.col("word").eq(word).sum().cast(pl.Int64).alias(word) for word in ("better", "worse")]
        counts += [
            pl.col("word").eq(word).sum().cast(pl.Int64).alias(word) for word in ("no difference", "not measured")
        ]
        return words.group_by("size", "recipe", maintain_order=True).agg(counts)

    def signs(self, size: int, against: str = "random") -> pl.DataFrame:
        """Return one size as signs, one line a recipe, one column a metric: + better, - worse, = no difference."""
        table = self.table(against).filter(pl.col("size") == size)
        signs = table.select("recipe", "metric", sign=pl.col("word").replace_strict(SIGNS))
        wide = signs.pivot("metric", index="recipe", values="sign", maintain_order=True)
        return wide.select("recipe", *(name for name in METRICS if name in wide.columns))

    def to_dict(self) -> dict[str, Any]:
        """Return plain values: the setup, the values by seed, and the tables against both baselines."""
        tables = {name: self.table(name).to_dicts() for name in BASELINES if name in self.recipes}
        values = self.values.to_dicts()
        return {"format": FORMAT, "about": self.about, "refused": self.refused, "values": values, "tables": tables}

    def to_json(self) -> str:
        """Return ASCII JSON, the same for the same numbers; infinite ends of an interval are null."""
        return json.dumps(_finite(self.to_dict()), indent=1) + "\n"

    def _repr_html_(self) -> str:
        """Show the counts of words in a notebook."""
        tables = []
        for against in (name for name in BASELINES if name in self.recipes):
            counts = self.count(against)
            tables.append(html_table([f"against {against}: size", *counts.columns[1:]], counts.rows()))
        return "".join(tables)

    def __repr__(self) -> str:
        """Show the counts of words against the first baseline."""
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
        If it holds something else, or another version of the format, or a baseline is neither measured nor refused.
    """
    content = read_versioned(path, "a comparison", FORMAT, _File, fix="compare again")
    lines = [(one["size"], one["recipe"], one["seed"], one["metric"], one["value"]) for one in content["values"]]
    if len({line[:4] for line in lines}) < len(lines):
        raise InputError(
            f"{path}: values: expected one line a size, recipe, seed and metric, got some twice; compare again"
        )
    unknown = sorted({line[3] for line in lines} - METRICS.keys())
    if unknown:
        raise InputError(
            f"{path}: values: unknown metric '{unknown[0]:.60}', {nearest(unknown[0], METRICS)}; compare again"
        )
    named = {line[1] for line in lines} | {what.rpartition(" at ")[0] for what in content["refused"]}
    if lost := [name for name in BASELINES if name not in named]:
        raise InputError(
            f"{path}: values: expected the recipe '{lost[0]}', got {', '.join(sorted(named)):.200}; compare again"
        )
    return Comparison(values_of(lines), content["refused"], content["about"])


def values_of(lines: Iterable[tuple[int, str, int, str, float]]) -> pl.DataFrame:
    """Make the table of values, rounded, from lines of size, recipe, seed, metric and value."""
    return pl.DataFrame(list(lines), schema=_VALUES, orient="row").with_columns(pl.col("value").round(DIGITS))


def _word(low: float, high: float, *, lower: bool) -> Word:
    """Return the word for an interval of differences."""
    if low <= 0 <= high:
        return "no difference"
    return "better" if (high < 0) == lower else "worse"


def _mean(values: pl.Series) -> float:
    """Return a rounded mean."""
    return round(float(values.to_numpy().mean()), DIGITS)


def _finite(value: Any) -> Any:
    """Replace infinities, which JSON does not have, by None."""
    if isinstance(value, float):
        return value if abs(value) != float("inf") else None
    if isinstance(value, dict):
        return {name: _finite(one) for name, one in value.items()}
    return [_finite(one) for one in value] if isinstance(value, list) else value
