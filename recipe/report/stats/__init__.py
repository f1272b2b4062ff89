"""The statistics of a mix and of its pool."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import polars as pl

from recipe.errors import InputError
from recipe.io.formats import Count, read_versioned
from recipe.report.stats.coverage import coverage

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Side", "Stats", "coverage", "read_stats"]
FORMAT = 2
DIGITS = 4  # of numbers that are no counts
CLOSED = 100  # yes and no answers of a task from which their share is a metric
COUNTS = ("samples", "images", "qas", "words", "tokens")
FAMILIES = {"source": "sources", "task": "tasks", "answer": "answers", "concept": "concepts"}
MEASURED = ("concept_entropy", "keywords", "distinct_1", "distinct_2", "question_starts", "near_duplicates", "vendi")
REACHED = {"mean": "mix", "p5": "low", "radius": "radius"}
NEEDED = {  # keys that a dictionary of statistics has, unless it is empty
    "clusters": ("reached", "entropy", "largest"),
    "coverage": ("mix", "low", "random", "random_low"),
}
Counts = dict[str, Count]
Numbers = dict[str, int | float]  # a count stays one when it is read and written
Share = Annotated[float, msgspec.Meta(ge=0, le=1)]
YesNo = Annotated[list[Count], msgspec.Meta(min_length=2, max_length=2)]


@dataclass(frozen=True)
class Side:
    """Statistics of one set of samples; real numbers are rounded to four decimals.

    Parameters
    ----------
    samples, images, text_only, qas, yes, no, words, tokens
        Counts: `images` are distinct images, `words` and `tokens` are totals.
    sources, tasks, answers, concepts
        Value to number of samples, by name; a sample counts for each of its concepts.
    task_answers
        Task to kind of answer to number of samples.
    yes_no
        Task to numbers of yes and no answers.
    quantiles
        `words_a_record`, `tokens_a_record`, `turns_a_record`, `samples_an_image`, and of the texts `words_a_turn` and
        `tokens_a_turn`: each to its mean, min, p5, p25, p50, p75, p95 and max.
    clusters
        `reached` (number of clusters of the samples), `entropy` (bits, of the samples over the clusters), `largest`
        (share of samples in the largest cluster). Empty without clusters.
    concept_entropy
        Bits, of the samples over their concepts.
    texts
        Samples whose text was read for the following numbers: all, or 20,000 at random.
    keywords
        Distinct keywords of concepts in the texts.
    distinct_1, distinct_2
        Share of distinct words among all words, and of distinct pairs of neighbouring words among all pairs, of the
        texts (Li et al. 2016, A Diversity-Promoting Objective Function for Neural Conversation Models, section 5). They
        fall with the number of words, so compare mixes of the same size.
    question_starts
        Entropy in bits of the first four words of the questions in the texts.
    near_duplicates
        Share of samples that are duplicates of another one of the same image, by `recipe.stages.dedup.near`. None if
        not measured.
    vendi
        Effective number of different samples by their vectors (Friedman and Dieng 2023, The Vendi Score, with the
        cosine as kernel), exactly, by the eigenvalues of the d x d dual; of 200,000 random samples if there are more.
        None without vectors.
    """

    samples: Count
    images: Count
    text_only: Count
    qas: Count
    yes: Count
    no: Count
    words: Count
    tokens: Count
    sources: Counts
    tasks: Counts
    answers: Counts
    concepts: Counts
    task_answers: dict[str, Counts]
    yes_no: dict[str, YesNo]
    quantiles: dict[str, Numbers]
    clusters: Numbers
    concept_entropy: float
    texts: Count
    keywords: Count
    distinct_1: Share
    distinct_2: Share
    question_starts: float
    near_duplicates: Share | None = None
    vendi: float | None = None


@dataclass(frozen=True)
class Stats:
    """Statistics of the mix and of the pool it was picked from.

    Parameters
    ----------
    mix, pool
        The picked samples; all samples that were read.
    rejected
        Code of a problem to number of samples that were rejected for it.
    coverage
        Of the best cosines of the pool's eligible samples to the picked ones: the mean (`mix`) and the 5 % quantile
        (`low`), and the same for a random mix of the same size (`random`, `random_low`). They are estimated on
        `points` random samples: all, 10,000, or 400 million divided by the size of the mix, whichever is least (2,536
        for 157,712); `error` is the larger standard error of the two means. `radius` is the largest distance
        (1 - cosine) of any eligible sample to its nearest pick, which k-center minimises; for a large mix the search is
        limited, and `radius_at_most` is an upper bound of it. Empty without vectors.
    certificate
        Lower bound of the share of the best possible objective that was reached; None if the selector gives none.
    known_keywords
        Number of keywords in the recipe's list of concepts.
    format
        Version of this format.
    """

    mix: Side
    pool: Side
    rejected: Counts
    coverage: Numbers = field(default_factory=dict)
    certificate: float | None = None
    known_keywords: Count = 0
    format: int = FORMAT

    def to_dict(self) -> dict[str, Any]:
        """Return plain dictionaries, lists and numbers."""
        return asdict(self)

    def to_json(self) -> str:
        """Return indented ASCII JSON, the same for the same numbers."""
        return json.dumps(self.to_dict(), indent=1) + "\n"

    def metrics(self) -> dict[str, float]:
        """Return the metrics of the mix that `recipe check` compares, by flat names.

        Returns
        -------
        dict
            Counts as they are (`samples`, `images`, `qas`, `words`, `tokens`); shares of the samples on 0..1
            (`text_only`, `source/NAME`, `task/NAME`, `answer/KIND`, `task_answer/TASK/KIND`, `concept/NAME`,
            `near_duplicates`, `clusters/largest`); shares of yes among yes and no (`yes`, and `yes/TASK` of a task with
            100 such answers or more); shares of those of the pool (`clusters/reached`, `concepts/reached`) or of the
            recipe's list (`keywords/reached`); and the other numbers as `Side` and `Stats` name them. Metrics that were
            not measured are left out.
        """
        mix = self.mix
        found: dict[str, float | None] = {name: getattr(mix, name) for name in COUNTS}
        found["text_only"] = _share(mix.text_only, mix.samples)
        found["yes"] = _share(mix.yes, mix.yes + mix.no)
        found |= {f"yes/{task}": yes / (yes + no) for task, (yes, no) in mix.yes_no.items() if yes + no >= CLOSED}
        for family, group in FAMILIES.items():
            found |= {f"{family}/{name}": _share(n, mix.samples) for name, n in getattr(mix, group).items()}
        for task, answers in mix.task_answers.items():
            found |= {f"task_answer/{task}/{kind}": _share(n, mix.samples) for kind, n in answers.items()}
        for what, values in mix.quantiles.items():
            found |= {f"{what}/{name}": value for name, value in values.items()}
        if mix.clusters:
            found["clusters/reached"] = _share(mix.clusters["reached"], self.pool.clusters.get("reached", 0))
            found |= {f"clusters/{name}": mix.clusters[name] for name in ("entropy", "largest")}
        found["concepts/reached"] = _share(len(mix.concepts), len(self.pool.concepts))
        found["concepts/entropy"] = mix.concept_entropy
        found["keywords/reached"] = _share(mix.keywords, self.known_keywords)
        found |= {f"coverage/{name}": self.coverage.get(field) for name, field in REACHED.items()}
        found |= {name: getattr(mix, name) for name in ("vendi", "distinct_1", "distinct_2", "question_starts")}
        found |= {"near_duplicates": mix.near_duplicates, "certificate": self.certificate}
        return {name: round(float(value), DIGITS) for name, value in found.items() if value is not None}

    def table(self) -> pl.DataFrame:
        """Return one line a number: what, mix, pool (f64), and for counts the shares of both in percent."""
        mix, pool = self.mix, self.pool
        lines: list[tuple[str, float | None, float | None, float | None, float | None]] = [
            (name, getattr(mix, name), getattr(pool, name), None, None) for name in ("samples", *COUNTS[1:])
        ]

        def shares(what: str, ours: float, theirs: float, of: tuple[int, int]) -> None:
            lines.append((what, ours, theirs, 100 * ours / max(1, of[0]), 100 * theirs / max(1, of[1])))

        samples, answers = (mix.samples, pool.samples), (mix.yes + mix.no, pool.yes + pool.no)
        shares("text_only", mix.text_only, pool.text_only, samples)
        shares("yes answers", mix.yes, pool.yes, answers)
        shares("no answers", mix.no, pool.no, answers)
        for group in ("tasks", "answers", "sources", "concepts"):
            for value, theirs in getattr(pool, group).items():
                shares(f"{group}: {value}", getattr(mix, group).get(value, 0), theirs, samples)
        for what, theirs in pool.quantiles.items():
            lines += [(f"{what}: {name}", mix.quantiles[what][name], theirs[name], None, None) for name in theirs]
        for name in pool.clusters:
            lines.append((f"clusters: {name}", mix.clusters.get(name), pool.clusters[name], None, None))
        lines += [(name, getattr(mix, name), getattr(pool, name), None, None) for name in MEASURED]
        lines += [(f"coverage: {name}", self.coverage.get(field), None, None, None) for name, field in REACHED.items()]
        lines.append(("certificate", self.certificate, None, None, None))
        kinds = {"what": pl.String, **dict.fromkeys(["mix", "pool", "mix %", "pool %"], pl.Float64)}
        table = pl.DataFrame(lines, schema=kinds, orient="row", strict=False)
        return table.filter(pl.any_horizontal(pl.col("mix", "pool").is_not_null())).with_columns(
            pl.col("mix %", "pool %").round(2)
        )


def _share(part: float, whole: float) -> float | None:
    """Return part / whole; None if the whole is 0."""
    return part / whole if whole else None


def read_stats(path: Path) -> Stats:
    """Read statistics that were written as JSON.

    Parameters
    ----------
    path
        A file that holds `Stats.to_json`.

    Returns
    -------
    Stats
        The statistics.

    Raises
    ------
    InputError
        If it holds something else, or another version of the format.
    """
    stats = read_versioned(path, "statistics", FORMAT, Stats, fix="write the mix again")
    if fault := _fault(stats):
        raise InputError(f"{path}: {fault}; write the mix again")
    return stats


def _fault(stats: Stats) -> str | None:
    """Return what the types cannot say: which dictionary lacks a key that its readers need."""
    for where, given in (
        ("mix.clusters", stats.mix.clusters),
        ("pool.clusters", stats.pool.clusters),
        ("coverage", stats.coverage),
    ):
        for key in NEEDED[where.rpartition(".")[2]]:
            if given and key not in given:
                return f"{where}: expected the key '{key}', got {', '.join(given):.60}"
    for what, numbers in stats.pool.quantiles.items():
        for name in numbers:
            if name not in stats.mix.quantiles.get(what, {}):
                return f"mix.quantiles.{what}: expected the key '{name}', which pool.quantiles has"
    return None
