"""Concepts that a sample covers: MME's subtasks and MMBench's abilities, found by their keywords."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from recipe.data.prompts import FORMAT_PROMPTS
from recipe.errors import ConfigError
from recipe.io.yaml import read_yaml

if TYPE_CHECKING:
    from collections.abc import Sequence

    from recipe.config.ranges import Weight
    from recipe.data.pool import Pool

    Concepts = str | Path | Mapping[str, Sequence[str]] | None

SHIPPED = Path(__file__).with_name("concepts.yaml")

LONGEST = 200  # characters of a keyword: each place in which one is found copies it
_SLICE = 1 << 17  # samples whose text is copied at a time
_GAP = r"[^\p{L}\p{M}\p{N}_]+"  # between words


def tag(pool: Pool, *, concepts: Concepts = None, min_frequency: Weight = 0) -> pl.DataFrame:
    """List the concepts whose keywords a sample contains, in one pass over the text for all keywords (Aho-Corasick).

    A keyword matches whole words; case and the characters between the words of a phrase do not matter. Keywords may
    overlap. LLaVA's response-format prompts ("Answer the question using a single word or phrase.") are not searched.

    Parameters
    ----------
    pool
        n samples.
    concepts
        Concept names to keywords, or a YAML file of them; the built-in list by default, see `load_concepts`.
    min_frequency
        From 0: keywords found in fewer samples are dropped; a count if 1 or more, a share of the pool if below 1.

    Returns
    -------
    polars.DataFrame
        n rows: `concepts` (list of str, each once, in the order of the list) and `n_keywords` (u32, distinct keywords).

    Raises
    ------
    ConfigError
        If the concepts are not names with lists of keywords, or `min_frequency` is negative.

    Source: the concept sets of SVIT (arXiv 2307.04087, data recipe), drawn from MME (arXiv 2306.13394) and MMBench
    (arXiv 2307.06281); the original lists were never released.

    Examples
    --------
    >>> from recipe import demo_pool
    >>> labels = tag(demo_pool(images=4), concepts={"sight/colour": ["red", "blue"]})
    >>> labels["concepts"].explode().drop_nulls().unique().to_list()
    ['sight/colour']
    """
    if min_frequency < 0:
        raise ConfigError(f"tag.concepts: expected min_frequency from 0 on, got {min_frequency}; 0 keeps all keywords")
    known = keywords_of(concepts)
    if min_frequency:
        known = frequent(known, [count(pool, known)], min_frequency, len(pool))
    return concepts_of(pool, known)


def keywords_of(concepts: Concepts = None) -> pl.DataFrame:
    """Return one line per keyword of a concept: normalised keyword, concept, position of the concept in the list."""
    named = load_concepts(concepts)
    pairs = [(keyword, name, order) for order, (name, words) in enumerate(named.items()) for keyword in words]
    table = pl.DataFrame(pairs, schema=["keyword", "concept", "order"], orient="row")
    return table.with_columns(_plain(pl.col("keyword"))).unique(maintain_order=True)


def count(pool: Pool, known: pl.DataFrame) -> pl.DataFrame:
    """Count the samples of a pool, or of a shard of it, that contain each keyword: `keyword` and `n`."""
    return _find(pool, known).group_by("keyword").agg(n=pl.len())


def frequent(known: pl.DataFrame, counts: Sequence[pl.DataFrame], min_frequency: float, n: int) -> pl.DataFrame:
    """Return the keywords that enough samples contain.

    Parameters
    ----------
    known
        As `keywords_of` returns it.
    counts
        What `count` returned for each shard of the pool.
    min_frequency
        As for `tag`.
    n
        Samples of the pool.
    """
    least = min_frequency * n if min_frequency < 1 else min_frequency
    common = pl.concat(counts).group_by("keyword").agg(pl.col("n").sum()).filter(pl.col("n") >= least)
    return known.join(common, on="keyword", how="semi", maintain_order="left")


def concepts_of(pool: Pool, known: pl.DataFrame) -> pl.DataFrame:
    """List the concepts of which a sample contains a keyword: as `tag`, with keywords from `keywords_of`."""
    keyword = pl.Enum(known["keyword"].unique(maintain_order=True))  # numbers join and sort faster than names
    concept = known.unique("order", maintain_order=True).select("order", "concept")
    found = _find(pool, known).with_columns(pl.col("keyword").cast(keyword).to_physical())
    counts = found.group_by("row").agg(n_keywords=pl.len())
    named = (
        found.join(known.select(pl.col("keyword").cast(keyword).to_physical(), "order"), on="keyword")
        .select("row", "order")
        .unique()
        .sort("row", "order")
        .join(concept, on="order", how="left", maintain_order="left")
        .group_by("row", maintain_order=True)
        .agg(concepts="concept")
    )
    return (
        pool.rows.select("row")
        .join(named.join(counts, on="row"), on="row", how="left", maintain_order="left")
        .select(
            pl.col("concepts").fill_null(pl.lit([], dtype=pl.List(pl.String))),
            pl.col("n_keywords").fill_null(0).cast(pl.UInt32),
        )
    )


def load_concepts(concepts: Concepts = None) -> dict[str, tuple[str, ...]]:
    """Read and check a list of concepts.

    Parameters
    ----------
    concepts
        A YAML file ``{name: [keyword, …], …}``, the same as a mapping, or None for the built-in list: the 14 subtasks
        of MME and the 20 leaf abilities of MMBench.

    Returns
    -------
    dict
        Name to keywords, in the order of the list.

    Raises
    ------
    ConfigError
        If the file cannot be read, or contains anything else.

    Examples
    --------
    >>> load_concepts({"sight/colour": ["red", "dark blue"]})
    {'sight/colour': ('red', 'dark blue')}
    >>> len(load_concepts())
    34
    """
    if isinstance(concepts, Mapping):
        return _checked(concepts, "concepts")
    path = SHIPPED if concepts is None else Path(concepts)
    return _checked(read_yaml(path, "the concepts", most=2**24, kind=ConfigError), str(path))


def _checked(concepts: object, where: str) -> dict[str, tuple[str, ...]]:
    """Return the concepts, or raise an error that names the wrong key."""
    if not isinstance(concepts, Mapping) or not concepts:
        got = "nothing" if not concepts else type(concepts).__name__
        raise ConfigError(f"{where}: expected a mapping of names to lists of keywords, got {got}")
    for name, keywords in concepts.items():
        if not isinstance(name, str):
            raise ConfigError(f"{where}, key {name!r}: expected a name, got {type(name).__name__}; write it in quotes")
        if not isinstance(keywords, (list, tuple)) or not keywords:
            raise ConfigError(
                f"{where}, key {name!r}: expected a list of keywords, got {keywords!r}; write [red, blue]"
            )
        for keyword in keywords:
            if not isinstance(keyword, str):
                raise ConfigError(f"{where}, key {name!r}: expected words, got {keyword!r}; write it in quotes")
            if not any(character.isalnum() for character in keyword):
                raise ConfigError(f"{where}, key {name!r}: expected a letter or digit in {keyword!r:.80}; remove it")
            if len(keyword) > LONGEST:
                got = f"{len(keyword):,} of {keyword[:40]!r}..."
                raise ConfigError(f"{where}, key {name!r}: expected up to {LONGEST} characters, got {got}; shorten it")
    return {name: tuple(keywords) for name, keywords in concepts.items()}


def _plain(text: pl.Expr) -> pl.Expr:
    """Return the words of a text in lower case, with one blank before, between and after them."""
    return pl.format(" {} ", text.str.to_lowercase().str.replace_all(_GAP, " ").str.strip_chars(" "))


def _find(pool: Pool, known: pl.DataFrame) -> pl.DataFrame:
    """Return one line per keyword that a text contains: row, keyword."""
    needles = known["keyword"].unique(maintain_order=True).to_list()
    texts = pl.DataFrame({"row": pool.rows["row"], "text": pool.texts})
    text = _plain(pl.col("text").str.replace_all(FORMAT_PROMPTS, " "))
    found = [
        chunk.select("row", keyword=text.str.extract_many(needles, overlapping=True).list.unique())
        .explode("keyword")
        .drop_nulls("keyword")
        for chunk in texts.iter_slices(_SLICE)
        if needles
    ]
    return pl.concat(found or [pl.DataFrame(schema={"row": pl.UInt32, "keyword": pl.String})])
