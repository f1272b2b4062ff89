"""Near duplicates: the same image, and nearly the same set of words."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from recipe.data.media import shown
from recipe.data.words import words_of
from recipe.errors import ConfigError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from recipe.config.ranges import From0, From1, Integer, Similarity, Switch
    from recipe.data.pool import Pool

HASHES = 128
FOUND = 0.95  # probability that a pair exactly at the threshold is proposed
BLOCK = 16_384  # texts hashed at once


def dedup(
    pool: Pool,
    *,
    threshold: Similarity = 0.9,
    across_images: Switch = False,
    min_words: From0 = 4,
    crowd: From1 = 1000,
    seed: Integer = 0,
) -> NDArray[np.int64]:
    """Find for each sample an earlier kept one whose set of words is nearly the same.

    Two samples are near duplicates if they share their image (or both have none) and the Jaccard similarity of their
    sets of words (`recipe.data.words`) reaches the threshold. The same question with the same answer about another
    image is not a duplicate, unless `across_images` is set. Samples are compared in the order of their keys, and one is
    dropped only for a sample that is kept, never for one that was itself dropped.

    If an image has up to `crowd` samples, each is compared with the kept ones before it, by 64-bit hashes of its words:
    O(words) per pair of about equal length. If there are more (samples without an image are treated as one image),
    MinHash with banding proposes pairs and the exact similarity decides: equal sets are always found, there are no
    false positives, and a pair at the threshold is missed with a probability of at most 1 in 20, or more if it has many
    other neighbours as similar. O(n (words + hashes)), since in a bucket each sample is compared only with the first
    one and with its predecessor.

    Parameters
    ----------
    pool
        n samples.
    threshold
        Jaccard similarity from which two samples are duplicates, above 0 and up to 1.
    across_images
        Whether samples of different images are compared too.
    min_words
        Samples with fewer distinct words, from 0, are never near duplicates: their sets say too little.
    crowd
        Samples of an image, from 1; if there are more, MinHash signatures are compared instead of all pairs.
    seed
        Any integer: draws the hash functions.

    Returns
    -------
    ndarray
        (n,) int64 row of the keeper; the sample's own row if it is kept, or has a problem already.

    Raises
    ------
    ConfigError
        If the threshold is out of its range.

    References
    ----------
    Broder 1997, On the resemblance and containment of documents; Leskovec, Rajaraman and Ullman, Mining of Massive
    Datasets, section 3.4, for the bands.
    """
    if not 0 < threshold <= 1:
        raise ConfigError(f"dedup.near: expected a threshold above 0 and up to 1, got threshold={threshold}")
    # Texts are only split and hashed if there is another sample to compare them with.
    table = pool.rows.select("row", (pl.lit("") if across_images else shown().fill_null("")).alias("image"))
    table = table.with_columns(text=pool.texts).filter(pool.eligible).filter(pl.len().over("image") > 1)
    table = table.with_columns(crowded=pl.len().over("image") > crowd).sort("image", "row")
    keeper = np.arange(len(pool))
    for crowded, compare in ((False, _one_by_one), (True, _by_signature)):
        subset = table.filter(pl.col("crowded") == crowded)
        row = subset["row"].to_numpy().astype(np.int64)
        keeper[row] = row[compare(subset["image"], subset["text"], threshold, min_words, seed)]
    return keeper


def _one_by_one(images: pl.Series, texts: pl.Series, threshold: float, min_words: int, seed: int) -> NDArray[np.int64]:  # noqa: ARG001  as below
    """Compare each sample with the kept samples of its image."""
    if not len(texts):
        return np.arange(0)
    from recipe.stages.dedup._kernels import first_keepers, sorted_sets  # noqa: PLC0415  compiles

    words = words_of(texts)
    starts, ends = words.starts[:-1], words.starts[1:]
    sets, sizes = sorted_sets(words.hashes, starts, ends)
    image = images.rank("dense").to_numpy()
    keeper: NDArray[np.int64] = first_keepers(sets, starts, sizes, image, threshold, min_words)
    return keeper


def _by_signature(
    images: pl.Series, texts: pl.Series, threshold: float, min_words: int, seed: int
) -> NDArray[np.int64]:
    """Compare only samples whose signatures agree in a band."""
    keeper = np.arange(len(texts))
    table = pl.DataFrame({"row": keeper, "image": images, "words": _sets(texts)}).filter(
        pl.col("words").list.len() >= min_words
    )
    equal = table.with_columns(first=pl.col("row").min().over("image", pl.col("words").list.join(" ")))
    table = table.filter(equal["first"] == equal["row"])
    pairs = _proposals(table, _signatures(table["words"], seed), threshold)
    for early, late in pairs.filter(_jaccard(table, pairs) >= threshold).select("early", "late").iter_rows():
        if keeper[early] == early and keeper[late] == late:
            keeper[late] = early
    keeper[equal["row"].to_numpy()] = keeper[equal["first"].to_numpy()]
    return keeper


def _sets(texts: pl.Series) -> pl.Series:
    """Return the set of words of each text, each a sorted list."""
    words = words_of(texts, letters=True)
    _, first, code = np.unique(words.hashes, return_index=True, return_inverse=True)
    spelled = pl.Series(words.spelled(first), dtype=pl.String).gather(code)
    table = pl.DataFrame({"row": np.repeat(np.arange(len(texts)), words.counts), "word": spelled}).unique()
    sets = table.sort("row", "word").group_by("row", maintain_order=True).agg("word")
    every = pl.DataFrame({"row": np.arange(len(texts))}).join(sets, on="row", how="left", maintain_order="left")
    return every.select(pl.col("word").fill_null(pl.lit([], dtype=pl.List(pl.String)))).to_series()


def _signatures(words: pl.Series, seed: int) -> NDArray[np.uint32]:
    """Return the (n, HASHES) MinHash signatures."""
    from rensa import RMinHash  # noqa: PLC0415  only needed for near duplicates

    blocks = [
        RMinHash.digest_matrix_from_token_sets(words.slice(at, BLOCK).to_list(), HASHES, seed).to_rows()
        for at in range(0, len(words), BLOCK)
    ]
    return np.concatenate(
        [np.asarray(block, dtype=np.uint32) for block in blocks] or [np.zeros((0, HASHES), np.uint32)]
    )


def rows_a_band(threshold: float) -> int:
    """Return the largest number of hashes per band that finds a pair at the threshold with probability 0.95.

    Examples
    --------
    >>> rows_a_band(1.0), rows_a_band(0.9), rows_a_band(0.5)
    (128, 8, 2)
    """
    fits = [r for r in (1, 2, 4, 8, 16, 32, 64, 128) if 1 - (1 - threshold**r) ** (HASHES // r) >= FOUND]
    return fits[-1] if fits else 1


def _proposals(table: pl.DataFrame, signatures: NDArray[np.uint32], threshold: float) -> pl.DataFrame:
    """List pairs (early < late) that agree in a band, in the order of `late`, then `early`."""
    width = rows_a_band(threshold)
    pairs: list[pl.DataFrame] = []
    for at in range(0, HASHES, width):
        band = np.ascontiguousarray(signatures[:, at : at + width]).view(np.dtype((np.void, 4 * width))).ravel()
        bucket = table.select("row", "image").with_columns(band=pl.Series(np.unique(band, return_inverse=True)[1]))
        first, previous = pl.col("row").min().over("image", "band"), pl.col("row").shift(1).over("image", "band")
        pairs.extend(bucket.select(early=early, late="row") for early in (first, previous))
    both = pl.concat(pairs).drop_nulls().filter(pl.col("early") < pl.col("late"))
    return both.unique(maintain_order=True).sort("late", "early")


def _jaccard(table: pl.DataFrame, pairs: pl.DataFrame) -> pl.Series:
    """Return the exact Jaccard similarity of each pair."""
    early = pairs.join(
        table.select("row", one="words"), left_on="early", right_on="row", how="left", maintain_order="left"
    )
    both = early.join(
        table.select("row", two="words"), left_on="late", right_on="row", how="left", maintain_order="left"
    )
    shared = pl.col("one").list.set_intersection("two").list.len()
    return both.select(shared / (pl.col("one").list.len() + pl.col("two").list.len() - shared)).to_series()
