"""A linear student of a teacher model: embeddings of similar meaning, at the speed of counting words."""

from __future__ import annotations

import warnings
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from recipe.data.vectors import unit_rows
from recipe.engine import single_threaded, spread
from recipe.errors import ConfigError, PoorFit
from recipe.stages.embed import cached, text
from recipe.stages.embed._ridge import student
from recipe.stages.embed._sample import sample_rows
from recipe.stages.embed._words import add_up, columns_of, count_texts, frequent_words

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from recipe.config.ranges import AnyPath, From0, From16, Integer, Name, Positive, Text
    from recipe.data.pool import Pool

FEATURES = 2**16  # hashed columns
TEXTS = 2**15  # texts from which the words of a pool and their frequencies are counted
HELD_OUT = 8  # one sample in eight is held out from the fit to evaluate it
NEIGHBOURS = 10
BATCH = 1024  # texts that the teacher embeds in one call: the same batches, so the same bits, for any number of workers
# Below these a student captured no more of the gain in its teacher's space than hashed words: benchmarks/EMBEDDERS.md.
LEAST = {"held_out": 64, "recall": 0.5, "correlation": 0.6}


def fit(
    pool: Pool,
    *,
    model: Text = text.MINILM,
    path: AnyPath | None = None,
    column: Name = "vector",
    sample: From16 = 8192,
    words: From0 = 2**15,
    ridge: Positive = 0.3,
    device: Text | None = None,
    backend: text.Backend = "torch",
    seed: Integer = 0,  # noqa: ARG001  every function of an embedder takes the same knobs
) -> dict[str, NDArray[np.float32]]:
    """Embed a sample of the pool with the teacher, and fit the student to its vectors.

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
        of a text; ``bias``: (d,), the mean of the teacher's vectors; and each figure of `report`, of shape (1,). All
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
    counted = pool.texts_of(sample_rows(pool, TEXTS))
    idf = np.log((1 + len(counted)) / (1 + count_texts(counted, FEATURES))) + 1
    lengths = np.sqrt(idf).astype(np.float32)

    teacher: dict[str, Any] = {"model": model, "device": device, "backend": backend}
    if path is None:
        rows = sample_rows(pool, sample)
        given, meanings = None, _meanings(counted, words, teacher)
    else:
        rows, given = cached.some(pool, sample, path=path, column=column)
        meanings = np.zeros((FEATURES, 0), np.float32)
    if len(rows) < 2 * HELD_OUT:
        raise ConfigError(f"embed.distilled: expected vectors of at least {2 * HELD_OUT} samples, got {len(rows)}")
    texts = pool.texts_of(rows)
    vectors = _teacher_vectors(texts, teacher) if given is None else given

    held_out = np.arange(len(rows)) % HELD_OUT == 0
    bias = vectors[~held_out].mean(axis=0)
    table = student(texts.filter(pl.Series(~held_out)), vectors[~held_out] - bias, lengths, meanings, ridge)
    learned = {"table": table, "lengths": lengths, "bias": bias}
    return learned | _fidelity(encode_texts(texts.filter(pl.Series(held_out)), learned), vectors[held_out])


def encode(shard: Pool, learned: Mapping[str, NDArray[np.float32]], **knobs: Any) -> NDArray[np.float32]:  # noqa: ARG001  every function of an embedder takes the same knobs
    """Embed the samples of a shard with the student, each independently of the others.

    Parameters
    ----------
    shard
        m samples.
    learned
        What `fit` returned.
    **knobs
        As given to `fit`; unused.

    Returns
    -------
    ndarray
        (m, d) float32 unit rows, the same to the last bit for any division of the pool into shards.
    """
    return encode_texts(shard.texts, learned)


def encode_texts(texts: pl.Series, learned: Mapping[str, NDArray[np.float32]]) -> NDArray[np.float32]:
    """Return the student's vectors of m texts, (m, d) float32 unit rows."""
    return unit_rows(learned["bias"] + add_up(texts, learned["table"], learned["lengths"]))


def embed(
    pool: Pool,
    *,
    model: Text = text.MINILM,
    path: AnyPath | None = None,
    column: Name = "vector",
    sample: From16 = 8192,
    words: From0 = 2**15,
    ridge: Positive = 0.3,
    device: Text | None = None,
    backend: text.Backend = "torch",
    seed: Integer = 0,
) -> NDArray[np.float32]:
    """Embed every sample approximately as a teacher model would, from the teacher's vectors of a few thousand samples.

    The teacher embeds a sample of the pool, drawn by key, tasks in proportion, and the pool's most frequent words one
    by one. The student's vector of a text is a weighted sum over its words: for each word a direction of its own and a
    linear map of the teacher's vector of that word, both fitted together by ridge regression, so a word that is not in
    the sample still has a meaning. O(words + n d w) for w distinct words per sample, and O(sample^3) once.

    Parameters
    ----------
    pool
        n samples.
    model
        The teacher: name of a sentence-transformers model, or a local folder with one.
    path
        Vectors of your own teacher instead of `model`, as for `cached`: ``.npy`` with a row for each sample, or
        ``.parquet`` with `key` and `column` for as many samples as you like. The meaning of single words is then not
        used.
    column
        The column of the Parquet file with the vectors.
    sample
        Samples that the teacher embeds, from 16; one in eight of them is held out to evaluate the student.
    words
        Words that the teacher embeds, from 0.
    ridge
        Regularisation, above 0, for text vectors of length one.
    device, backend
        As for `text`.
    seed
        Any integer; unused.

    Returns
    -------
    ndarray
        (n, d) float32 unit rows, with the teacher's d.

    Raises
    ------
    ConfigError
        If a knob is out of its range, or the teacher cannot be loaded.

    Warns
    -----
    PoorFit
        If the student approximates its teacher poorly, see `report`.

    References
    ----------
    Hoerl and Kennard 1970, Ridge Regression; Tulkens and van Dongen 2024, Model2Vec, for embedding words one by one.
    """
    knobs: dict[str, Any] = {"model": model, "path": path, "column": column, "sample": sample, "words": words}
    learned = fit(pool, **knobs, ridge=ridge, device=device, backend=backend, seed=seed)
    report(learned)
    return encode(pool, learned)


def report(learned: Mapping[str, NDArray[np.float32]]) -> dict[str, float]:
    """Report how well a student approximates its teacher on held-out samples, and warn if it does so poorly.

    Parameters
    ----------
    learned
        What `fit` returned.

    Returns
    -------
    dict
        ``held_out``: number of held-out samples. ``recall``: share of the teacher's 10 nearest neighbours, among these,
        that are the student's too. ``correlation``: of the cosines of all their pairs.

    Warns
    -----
    PoorFit
        If there are fewer than 64 held-out samples, the recall is below 0.5, or the correlation below 0.6. On real
        questions and captions, students below these captured no more of the gain in the teacher's space than hashed
        words, which need no teacher.
    """
    figures = {name: float(learned[name][0]) for name in LEAST}
    short = [name for name, least in LEAST.items() if not figures[name] >= least]
    if short:
        poor = ", ".join(f"{name}={figures[name]:.3g} (expected {LEAST[name]} or more)" for name in short)
        warnings.warn(
            f"embed.distilled: the student may approximate its teacher poorly: {poor}; "
            "give a larger sample, or embed with hashing or text",
            PoorFit,
            stacklevel=2,
        )
    return figures


def _teacher_vectors(texts: pl.Series, teacher: dict[str, Any]) -> NDArray[np.float32]:
    """Return the teacher's vectors of texts, computed by as many workers as the engine has."""
    text.load(teacher["model"], teacher["device"], teacher["backend"])  # fails here rather than in a worker
    batches = [texts[first : first + BATCH] for first in range(0, len(texts), BATCH)]
    return np.concatenate(spread(partial(text.encode_texts, **teacher), batches, label="embed.distilled"))


def _meanings(texts: pl.Series, most: int, teacher: dict[str, Any]) -> NDArray[np.float32]:
    """Return the teacher's vector of each frequent word, by column: centred, mean square length 1; zero for others."""
    common = frequent_words(texts, most)
    columns = columns_of(common, FEATURES)
    _, first = np.unique(columns, return_index=True)  # the most frequent of the words that share a column
    first = np.sort(first[columns[first] >= 0])
    if not len(first):
        return np.zeros((FEATURES, 0), np.float32)
    vectors = _teacher_vectors(common.gather(first), teacher)
    vectors -= vectors.mean(axis=0)
    vectors /= max(float(np.sqrt((vectors**2).sum(axis=1).mean())), 1e-6)
    meanings = np.zeros((FEATURES, vectors.shape[1]), np.float32)
    meanings[columns[first]] = vectors
    return meanings


@single_threaded
def _fidelity(student: NDArray[np.float32], teacher: NDArray[np.float32]) -> dict[str, NDArray[np.float32]]:
    """Compare the cosines between samples of a student with those of its teacher."""
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
