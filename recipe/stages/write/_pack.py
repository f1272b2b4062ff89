"""Several questions about one image in one record, as LLaVA merged the questions of its VQA sources."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from recipe.io.arrow import take

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from recipe.data.pool import Pool

    Rows = Sequence[int] | NDArray[np.integer[Any]]
    Record = dict[str, Any]

MARK = "<image>\n"
TEMPLATE = 10  # tokens of `USER:` and `ASSISTANT:` around a pair, which the estimate does not include
SLICE = 8192  # rows whose turns are in memory at a time
SHARED = ("image", "source", "frame", "task_name", "task")  # columns in which the members of a pack are equal


def pack(pool: Pool, rows: Rows, *, max_tokens: int = 1472) -> list[list[int]]:
    """Group picked rows that can be merged into one record.

    A sample can join others if it is one question and one answer about an image, with `<image>` at its start, and has
    no unknown keys. It joins the latest record of its image, source and task in pick order; if that would then have
    more than `max_tokens`, it starts a new one. Every other sample stays a record of its own, however long it is.

    Parameters
    ----------
    pool
        n samples.
    rows
        (k,) rows of the pool in pick order, unique.
    max_tokens
        Maximum tokens of a record with several members, from 1, by the pool's estimate; 1,472 is what LLaVA v1.5's
        context of 2,048 leaves besides an image.

    Returns
    -------
    list of list of int
        Each row in exactly one group, members in pick order, groups in the order of their first members.

    Source: Liu et al. 2023, Improved Baselines with Visual Instruction Tuning, appendix A (training data: for all VQA
    data sets, QA pairs from the same training image are merged into a single conversation). O(k).
    """
    order = np.asarray(rows, dtype=np.int64)
    shared = [column for column in SHARED if column in pool.rows.columns]
    columns = ("n_tokens", "extra", "turns", "media", *shared)
    samples = (
        sample
        for at in range(0, len(order), SLICE)
        for sample in take(pool.rows, columns, order[at : at + SLICE])
        .select("n_tokens", "extra", _joinable().alias("joinable"), *shared)
        .iter_rows()
    )
    packs: list[list[int]] = []
    latest: dict[tuple[str | None, ...], tuple[list[int], int]] = {}
    for row, (text_tokens, extra, joinable, *common) in zip(order.tolist(), samples, strict=True):
        n_tokens = text_tokens + TEMPLATE
        if not joinable or _has_keys(extra):
            packs.append([row])
            continue
        members, used = latest.get(tuple(common), (None, 0))
        if members is None or used + n_tokens > max_tokens:
            members, used = [], 0
            packs.append(members)
        members.append(row)
        latest[tuple(common)] = members, used + n_tokens
    return packs


def _joinable() -> pl.Expr:
    """Return whether a sample is one question that starts with `<image>`, and its answer."""
    question = pl.col("turns").list.first().struct.field("value")
    alone = pl.col("media").is_null() | (pl.col("media").list.len() == 1)
    pair = pl.col("turns").list.len() == 2  # noqa: PLR2004  a question and its answer
    return pl.col("image").is_not_null() & alone & pair & question.str.starts_with(MARK)


def _has_keys(extra: str | None) -> bool:
    """Return whether a sample has unknown keys, other than an id that was not a string."""
    return extra is not None and not json.loads(extra).keys() <= {"id"}


def merge(records: Sequence[Record]) -> Record:
    r"""Merge the records of a pack into one.

    Parameters
    ----------
    records
        Records of one image, each one question and one answer; the first is changed.

    Returns
    -------
    dict
        The first record with the turns of the others after its own; only its first question keeps `<image>`.

    Examples
    --------
    >>> one = [{"from": "human", "value": "<image>\nWhat is it?"}, {"from": "gpt", "value": "cat"}]
    >>> two = [{"from": "human", "value": "<image>\nIts color?"}, {"from": "gpt", "value": "black"}]
    >>> merged = merge([{"id": "1", "conversations": one}, {"id": "2", "conversations": two}])
    >>> merged["id"], [turn["value"] for turn in merged["conversations"]]
    ('1', ['<image>\nWhat is it?', 'cat', 'Its color?', 'black'])
    """
    first, *others = records
    for other in others:
        question, answer = other["conversations"]
        question["value"] = question["value"].removeprefix(MARK)
        first["conversations"] += [question, answer]
    return first
