"""The pool: one table with a row for each sample, and one matrix aligned to it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from recipe.data.alignment import check_order, rows_by_name, rows_by_order
from recipe.data.checkpoint import SHARD, Checkpoint
from recipe.data.media import MEDIUM, RATING
from recipe.data.overview import pool_html, pool_lines
from recipe.data.samples import sample_rows, sample_table
from recipe.data.vectors import check_vectors
from recipe.errors import AlignmentError
from recipe.io.arrow import map_table

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from recipe.data.alignment import Order
    from recipe.data.checkpoint import Shards
    from recipe.data.vectors import Vectors
    from recipe.io.store import Store

TURN = pl.Struct({"from": pl.String, "value": pl.String})

SCHEMA: dict[str, pl.DataType] = {
    "row": pl.UInt32(),  # 0..n-1 in key order
    "key": pl.String(),  # blake2b-128 of image and turns: the sample's identity
    "id": pl.String(),  # as given, or made from the source; ids repeat in real files and identify nothing
    "source": pl.String(),  # the file it was read from
    "record": pl.UInt32(),  # its number in that file, from 0
    "order": pl.UInt32(),  # its number in the order in which everything was read, from 0
    "image": pl.String(),  # the name of its first picture, usually a relative path with slashes; null for none
    "media": pl.List(MEDIUM),  # all its pictures, videos and sounds; null where `image` says all that is known
    "turns": pl.List(TURN),  # human and gpt
    "extra": pl.String(),  # the record's other keys, as a JSON object; null if there are none
    "frame": pl.String(),  # of `recipe.data.media.FRAMES`, what its boxes refer to; null where it is not known
    "ratings": pl.List(RATING),  # of each question and its answer, as FineVision rates them; null where not rated
    "noted": pl.List(pl.String),  # what reading it changed or could not know, as `mark_added`; null for nothing
    "task_name": pl.String(),  # the source's name of the task (SVIT's file, Vision-Flan's task_name), or null
    "n_words": pl.UInt32(),  # white-space separated words of all turns
    "n_tokens": pl.UInt32(),  # estimate of its tokens, image patches not counted
    "problem": pl.String(),  # why it may not be selected; null if it may
}
UNKNOWN = ("media", "frame", "ratings", "noted")  # columns that a table of your own need not have

LABELS = (  # columns that the stages attach: no score may have such a name
    *("task", "answer", "dataset", "concepts", "n_keywords", "flags", "n_qas", "n_yes", "n_no"),
    *("n_images", "modality"),
    *("cluster", "cell", "cell_quota", "part", "nearest", "similarity", "x", "y", "rank", "gain"),
)


@dataclass(frozen=True, repr=False)
class Pool:
    """All samples that were read, aligned by row, never reordered and never dropped.

    Rows are in the order of their keys, so everything computed from a pool is the same for any order of its files
    and records, and a tie won by the smaller row is won by the smaller key.

    Parameters
    ----------
    rows
        A table with at least the columns of `SCHEMA`, one row a sample.
    vectors
        (n, d) float16 or float32 matrix of unit rows, or None before embedding. That of a large pool is in a file.
    checkpoint
        The files of a pool on disk; empty for a pool in memory.

    Raises
    ------
    AlignmentError
        If the matrix does not have one finite row for each sample.
    """

    rows: pl.DataFrame
    vectors: Vectors | None = None
    checkpoint: Checkpoint = field(default_factory=Checkpoint)

    def __post_init__(self) -> None:
        missing = [name for name in SCHEMA if name not in self.rows.columns]
        if missing and all(name in UNKNOWN for name in missing):
            object.__setattr__(
                self, "rows", self.rows.with_columns(pl.lit(None, SCHEMA[name]).alias(name) for name in missing)
            )
        elif missing:
            raise AlignmentError(f"expected a table with the columns of a pool, missing: {', '.join(missing)}")
        if self.vectors is not None:
            check_vectors(self.vectors, len(self))

    @classmethod
    def of(cls, shards: Shards) -> Pool:
        """Return the pool in some files; its text is read where it is used."""
        return cls(shards.table(), checkpoint=Checkpoint.of(shards))

    @classmethod
    def of_shard(cls, store: Store, name: str) -> Pool:
        """Return one file of a pool as a pool of its own, with rows from 0."""
        return cls(map_table(store.get(name)).with_row_index("row"))

    def slices(self) -> Iterator[Pool]:
        """Yield the rows in slices, each its own pool with rows from 0; one empty slice of an empty pool."""
        for start in range(0, max(1, len(self)), SHARD):
            rows = self.rows.slice(start, SHARD)
            vectors = None if self.vectors is None else self.vectors[start : start + SHARD]
            yield Pool(rows.with_columns(pl.int_range(pl.len(), dtype=pl.UInt32).alias("row")), vectors)

    def __len__(self) -> int:
        return self.rows.height

    def __repr__(self) -> str:
        shape = None if self.vectors is None else self.vectors.shape
        return "\n".join(f"{name:<12} {value}" for name, value in pool_lines(self.rows, shape))

    def _repr_html_(self) -> str:
        """Show a few tables in a notebook."""
        return pool_html(self.rows, None if self.vectors is None else self.vectors.shape)

    def sample(self, n: int = 5, **where: Any) -> pl.DataFrame:
        """Sample some rows at random to read, including rejected ones.

        Parameters
        ----------
        n
            How many, at most.
        **where
            ``task``, ``answer``, ``source``, ``cluster``, ``concept``: the value they must have; ``seed``: any integer.

        Returns
        -------
        polars.DataFrame
            One line a sample, in key order: problem, key, labels, image, n_turns, first question and its answer, whole.

        Raises
        ------
        ConfigError
            If a filter is unknown, its column was not attached, or no sample has its value.

        Examples
        --------
        >>> from recipe import demo_pool
        >>> demo_pool(images=4).sample(2)["question"].len()
        2
        """
        drawn = np.sort(sample_rows(self.rows, np.arange(len(self)), n, where))
        return sample_table(self.rows, drawn).insert_column(0, self.rows["problem"].gather(drawn))

    @cached_property
    def eligible(self) -> NDArray[np.bool_]:
        """(n,) bool: true where a row has no problem."""
        return self.rows["problem"].is_null().to_numpy()

    @cached_property
    def qas(self) -> pl.DataFrame:
        """One line a question-answer pair: row (u32), pair (u32, from 0 in its row), question, answer.

        The i-th human turn of a row is paired with its i-th gpt turn; a turn without a partner is paired with null.
        `<image>` is removed from the questions.
        """
        turns = self.rows.lazy().select("row", "turns").explode("turns").unnest("turns").drop_nulls("from")
        numbered = turns.with_columns(pair=pl.int_range(pl.len(), dtype=pl.UInt32).over("row", "from"))
        human = numbered.filter(pl.col("from") == "human").select("row", "pair", question="value")
        gpt = numbered.filter(pl.col("from") == "gpt").select("row", "pair", answer="value")
        question = pl.col("question").str.replace_all("<image>", "", literal=True).str.strip_chars()
        return (
            human.join(gpt, on=["row", "pair"], how="full", coalesce=True)
            .sort("row", "pair")
            .with_columns(question)
            .collect()
        )

    @cached_property
    def texts(self) -> pl.Series:
        """(n,) str: the text of each sample, one turn per line, without `<image>`."""
        return _texts(self.rows.select("turns"))

    def texts_of(self, rows: NDArray[np.integer[Any]] | slice) -> pl.Series:
        """(m,) str: `texts` of some rows only."""
        return _texts(self.rows.select("turns")[rows])

    def with_labels(self, labels: pl.DataFrame) -> Pool:
        """Attach columns to the table, in place of columns of the same name.

        Parameters
        ----------
        labels
            n rows, any columns except `row` and `key`.

        Returns
        -------
        Pool
            The same samples with the columns attached.

        Raises
        ------
        AlignmentError
            If `labels` does not have one row for each sample.
        """
        if labels.height != len(self):
            raise AlignmentError(f"expected {len(self)} rows for {', '.join(labels.columns)}, got {labels.height}")
        return replace(self, rows=self.rows.with_columns(labels))

    def with_scores(self, scores: Mapping[str, NDArray[np.float32]]) -> Pool:
        """Attach score columns.

        Parameters
        ----------
        scores
            Name to (n,) float32, finite.

        Returns
        -------
        Pool
            The same samples with the columns attached.

        Raises
        ------
        AlignmentError
            If a score has another shape or dtype, or holds NaN or infinity.
        """
        for name, values in scores.items():
            got = f"{name}: shape={values.shape}, dtype={values.dtype}"
            if values.shape != (len(self),) or values.dtype != np.float32:
                raise AlignmentError(f"expected a score of shape ({len(self)},) and dtype float32, got {got}")
            if not np.isfinite(values).all():
                raise AlignmentError(
                    f"expected finite scores, got {int((~np.isfinite(values)).sum())} others in {name}"
                )
        return self.with_labels(pl.DataFrame(dict(scores))) if scores else self

    def with_vectors(
        self,
        vectors: Vectors,
        *,
        keys: Sequence[str] | pl.Series | None = None,
        ids: Sequence[str] | pl.Series | None = None,
        order: Order | None = None,
        check: bool = True,
    ) -> Pool:
        """Attach an embedding of your own; exactly one of `keys`, `ids` and `order` says whose each vector is.

        Parameters
        ----------
        vectors
            (m, d) float16 or float32, finite.
        keys, ids
            (m,) str: the sample of each vector, by the column `key` or `id`; others than the pool's are ignored.
        order
            ``"pool"``: the rows are those of ``pool.rows``. ``"sources"``: the samples in the order in which the files
            are read (sources in the given order, the files of a folder by name, records in file order). None is enough
            where both are the same.
        check
            Whether to see if neighbours by these vectors share words, and more so than in the other order.

        Returns
        -------
        Pool
            The same samples with the matrix attached.

        Raises
        ------
        AlignmentError
            If it is not clear whose the vectors are, a sample has none, or two that differ, or they fit the texts in
            the other order only.

        Warns
        -----
        Unrelated
            If neighbours by these vectors share no more words than samples at random.

        Examples
        --------
        >>> from recipe import demo_pool
        >>> pool = demo_pool(images=2)
        >>> vectors = np.ones((len(pool), 8), dtype=np.float32)
        >>> pool.with_vectors(vectors, keys=pool.rows["key"], check=False).vectors.shape == vectors.shape
        True
        """
        named = [name for name, given in (("keys", keys), ("ids", ids), ("order", order)) if given is not None]
        if len(named) > 1:
            raise AlignmentError(f"expected one of keys, ids and order, got {' and '.join(named)}")
        names = ids if keys is None else keys
        if names is not None and not hasattr(names, "__len__"):
            raise AlignmentError(f"expected texts as {named[0]}, one for each vector, got {named[0]}={names!r:.80}")
        check_vectors(vectors, len(self) if names is None else len(names))
        if keys is not None:
            at = rows_by_name(self.rows, "key", keys, vectors)
        elif ids is not None:
            at = rows_by_name(self.rows, "id", ids, vectors)
        else:
            at = rows_by_order(self.rows, order)
        mine: Vectors = vectors if np.array_equal(at, np.arange(len(vectors))) else vectors[at]
        if check:
            check_order(self.rows, mine, order, self.texts_of)
        return replace(self, vectors=mine)

    def lent(self) -> Pool:
        """Return the same samples for a function of your own: what it changes in place stays as it is in this pool."""
        vectors = self.vectors if self.vectors is None else self.vectors.view()
        if vectors is not None:
            vectors.flags.writeable = False
        return replace(self, rows=self.rows.clone(), vectors=vectors)

    def refuse(self, problems: pl.Series) -> Pool:
        """Mark rows that may not be selected; an earlier problem is kept.

        Parameters
        ----------
        problems
            (n,) str, null where nothing is wrong.

        Returns
        -------
        Pool
            The same samples with the problems attached.
        """
        found = pl.Series("problem", problems, dtype=pl.String)
        return self.with_labels(self.rows.select(pl.coalesce(pl.col("problem"), found).alias("problem")))


def _texts(rows: pl.DataFrame) -> pl.Series:
    """Join the turns of each row to one text."""
    text = pl.col("turns").list.eval(pl.element().struct.field("value")).list.join("\n")
    return rows.select(text.str.replace_all("<image>", "", literal=True).str.strip_chars())["turns"]
