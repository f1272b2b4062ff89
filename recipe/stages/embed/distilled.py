"""A linear student of a real teacher: its meaning for most of a pool, at the speed of counting words."""

from __future__ import annotations

import warnings
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from recipe.engine import single_threaded, spread
from recipe.errors import ConfigError, PoorFit
from recipe.stages.embed import cached, text
from recipe.stages.embed._ridge import student
from recipe.stages.embed._sample import sample_rows
from recipe.stages.embed._words import add_up, columns_of, count_texts, frequent_words
from recipe.stages.embed.hashing import unit_rows

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from recipe.data.pool import Pool

FEATURES = 2**16  # hashed columns
TEXTS = 2**15  # texts that say which words a pool has and how common they are
HELD_OUT = 8  # one sample in so many is kept from the fit and judges it
NEIGHBOURS = 10
SHARD = 1024  # texts that the teacher embeds in one go: the same company, so the same bits, for any number of workers
# Below these a student captured no more of the gain in its teacher's space than hashed words: benchmarks/EMBEDDERS.md.
LEAST = {"held_out": 64, "recall": 0.5, "correlation": 0.6}


def fit(
    pool: Pool,
    *,
    model: str = text.MINILM,
    path: str | Path | None = None,
    column: str = "vector",
    sample: int = 8192,
    words: int = 2**15,
    ridge: float = 0.3,
    device: str | None = None,
    backend: text.Backend = "torch",
    seed: int = 0,  # noqa: ARG001  every function of an embedder takes the same knobs
) -> dict[str, NDArray[np.float32]]:
    """Ask the teacher about a sample of the pool, and fit the student to its answers.

    Parameters
    ----------
    pool
        n samples.
    model, path, column, sample, words, ridge, device, backend, seed
        As for `embed`.

    Returns
    -------
    dict
        ``table``: (65,536, d), what each hashed word adds to a vector; ``lengths``: (65,536,), its weight in the length
        of a text; ``bias``: (d,), the mean of the teacher's vectors; and (1,) each of the figures of `report`. All
        float32.

    Raises
    ------
    ConfigError
        If a knob is out of its range, or the teacher has vectors of fewer than 16 samples.
    """
    if sample < 2 * HELD_OUT or words < 0 or not ridge > 0:
        raise ConfigError(
            f"embed.distilled: expected sample from {2 * HELD_OUT}, words from 0 and ridge above 0, "
            f"got sample={sample}, words={words}, ridge={ridge}"
        )
    look = pool.texts_of(sample_rows(pool, TEXTS))
    idf = np.log((1 + len(look)) / (1 + count_texts(look, FEATURES))) + 1
    lengths = np.sqrt(idf).astype(np.float32)

    teacher: dict[str, Any] = {"model": model, "device": device, "backend": backend}
    if path is None:
        rows = sample_rows(pool, sample)
        taught, meanings = None, _meanings(look, words, teacher)
    else:
        rows, taught = cached.some(pool, sample, path=path, column=column)
        meanings = np.zeros((FEATURES, 0), np.float32)
    if len(rows) < 2 * HELD_OUT:
        raise ConfigError(f"embed.distilled: expected vectors of at least {2 * HELD_OUT} samples, got {len(rows)}")
    texts = pool.texts_of(rows)
    answers = _asked(texts, teacher) if taught is None else taught

    held = np.arange(len(rows)) % HELD_OUT == 0
    bias = answers[~held].mean(axis=0)
    table = student(texts.filter(pl.Series(~held)), answers[~held] - bias, lengths, meanings, ridge)
    learned = {"table": table, "lengths": lengths, "bias": bias}
    return learned | _fidelity(encode_texts(texts.filter(pl.Series(held)), learned), answers[held])


def encode(part: Pool, learned: Mapping[str, NDArray[np.float32]], **knobs: Any) -> NDArray[np.float32]:  # noqa: ARG001  every function of an embedder takes the same knobs
    """Embed the samples of a part by the student, each by itself.

    Parameters
    ----------
    part
        m samples.
    learned
        What `fit` returned.
    **knobs
        As given to `fit`; unused.

    Returns
    -------
    ndarray
        (m, d) float32 unit rows, the same bits however the pool is cut into parts.
    """
    return encode_texts(part.texts, learned)


def encode_texts(texts: pl.Series, learned: Mapping[str, NDArray[np.float32]]) -> NDArray[np.float32]:
    """Return what the student makes of m texts, (m, d) float32 unit rows."""
    return unit_rows(learned["bias"] + add_up(texts, learned["table"], learned["lengths"]))


def embed(
    pool: Pool,
    *,
    model: str = text.MINILM,
    path: str | Path | None = None,
    column: str = "vector",
    sample: int = 8192,
    words: int = 2**15,
    ridge: float = 0.3,
    device: str | None = None,
    backend: text.Backend = "torch",
    seed: int = 0,
) -> NDArray[np.float32]:
    """Embed every sample as a teacher probably would, having asked it about a few thousand samples only.

    The teacher embeds a sample of the pool, drawn by key, tasks in proportion, and the pool's most frequent words one
    by one. The student's vector of a text is a weighted sum over its words: for each word a direction of its own and a
    linear map of what the teacher makes of that word, both fitted together by ridge regression, so a word that the
    sample lacks still has its meaning. O(words + n d w) for w distinct words a sample, and O(sample^3) once.

    Parameters
    ----------
    pool
        n samples.
    model
        The teacher: name of a sentence-transformers model, or a local folder that holds one.
    path
        Vectors of your own teacher in place of `model`, as for `cached`: ``.npy`` with a row for each sample, or
        ``.parquet`` with `key` and `column` for as many samples as you like. Words have no meaning of their own then.
    column
        The column of the Parquet file that holds the vectors.
    sample
        Samples that the teacher embeds, from 16; one in eight of them judges.
    words
        Words that the teacher embeds, from 0.
    ridge
        Regularisation, above 0, against text vectors of length one.
    device, backend
        As for `text`.
    seed
        Any integer; unused.

    Returns
    -------
    ndarray
        (n, d) float32 unit rows, d being the teacher's.

    Raises
    ------
    ConfigError
        If a knob is out of its range, or the teacher cannot be loaded.

    Warns
    -----
    PoorFit
        If the student is unlike its teacher, see `report`.

    References
    ----------
    Hoerl and Kennard 1970, Ridge Regression; Tulkens and van Dongen 2024, Model2Vec, for embedding words one by one.
    """
    knobs: dict[str, Any] = {"model": model, "path": path, "column": column, "sample": sample, "words": words}
    learned = fit(pool, **knobs, ridge=ridge, device=device, backend=backend, seed=seed)
    report(learned)
    return encode(pool, learned)


def report(learned: Mapping[str, NDArray[np.float32]]) -> dict[str, float]:
    """Say how like its teacher a student is, on the samples it was not fitted on, and warn if it is not.

    Parameters
    ----------
    learned
        What `fit` returned.

    Returns
    -------
    dict
        ``held_out``: how many samples judged. ``recall``: share of the teacher's 10 nearest neighbours, among these,
        that are the student's too. ``correlation``: of the cosines of all their pairs.

    Warns
    -----
    PoorFit
        If fewer than 64 samples judged, the recall is below 0.5, or the correlation below 0.6. On real questions and
        captions, students below these captured no more of the gain in the teacher's space than hashed words, which need
        no teacher.
    """
    figures = {name: float(learned[name][0]) for name in LEAST}
    short = [name for name, least in LEAST.items() if not figures[name] >= least]
    if short:
        poor = ", ".join(f"{name}={figures[name]:.3g} (expected {LEAST[name]} or more)" for name in short)
        warnings.warn(
            f"embed.distilled: the student may be unlike its teacher: {poor}; "
            "give a larger sample, or embed with hashing or text",
            PoorFit,
            stacklevel=2,
        )
    return figures


def _asked(texts: pl.Series, teacher: dict[str, Any]) -> NDArray[np.float32]:
    """Return the teacher's vectors of texts, by as many workers as the engine has."""
    text.load(teacher["model"], teacher["device"], teacher["backend"])  # fails here rather than in a worker
    shards = [texts[first : first + SHARD] for first in range(0, len(texts), SHARD)]
    return np.concatenate(spread(partial(text.encode_texts, **teacher), shards, label="embed.distilled"))


def _meanings(look: pl.Series, most: int, teacher: dict[str, Any]) -> NDArray[np.float32]:
    """Return what the teacher makes of each frequent word, by column: centred, of mean square length 1, else zero."""
    common = frequent_words(look, most)
    columns = columns_of(common, FEATURES)
    _, first = np.unique(columns, return_index=True)  # of words that share a column the most frequent one
    first = np.sort(first[columns[first] >= 0])
    if not len(first):
        return np.zeros((FEATURES, 0), np.float32)
    said = _asked(common.gather(first), teacher)
    said -= said.mean(axis=0)
    said /= max(float(np.sqrt((said**2).sum(axis=1).mean())), 1e-6)
    meanings = np.zeros((FEATURES, said.shape[1]), np.float32)
    meanings[columns[first]] = said
    return meanings


@single_threaded
def _fidelity(student: NDArray[np.float32], teacher: NDArray[np.float32]) -> dict[str, NDArray[np.float32]]:
    """Compare the cosines of a student with those of its teacher, samples against samples."""
    ours, theirs = student @ student.T, teacher @ teacher.T
    pairs = np.triu_indices(len(ours), 1)
    spread = ours[pairs].std() * theirs[pairs].std()
    correlation = np.corrcoef(ours[pairs], theirs[pairs])[0, 1] if spread > 0 else 0.0
    k = min(NEIGHBOURS, len(ours) - 1)
    for cosines in (ours, theirs):
        np.fill_diagonal(cosines, -np.inf)
    near = [np.sort(np.argsort(-cosines, axis=1, kind="stable")[:, :k], axis=1) for cosines in (ours, theirs)]
    recall = np.mean([len(np.intersect1d(a, b)) / k for a, b in zip(*near, strict=True)])
    figures = {"held_out": len(ours), "recall": recall, "correlation": correlation}
    return {name: np.array([figure], np.float32) for name, figure in figures.items()}
