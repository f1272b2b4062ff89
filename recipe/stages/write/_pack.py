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
TEMPLATE = 10  # tokens of `USER:` and `ASSISTANT:` around a pair, of which the estimate knows nothing
SLICE = 8192  # rows whose turns are in memory at a time
ALIKE = ("image", "source", "task_name", "task")  # what the members of a pack have in common


def pack(pool: Pool, rows: Rows, *, max_tokens: int = 1472) -> list[list[int]]:
    """Group picked rows that can be one record.

    A sample can join others if it is one question and one answer about an image, with `<image>` at its start, and
    carries no unknown keys that a merged record would have to mix up. It joins the latest record of its image, source
    and task in pick order; where that would grow beyond `max_tokens`, a new one is begun. Every other sample stays
    alone, however long it is.

    Parameters
    ----------
    pool
        n samples.
    rows
        (k,) rows of the pool in pick order, unique.
    max_tokens
        Most tokens of a record with several members, from 1, by the pool's estimate; 1,472 is what LLaVA v1.5's context
        of 2,048 leaves beside an image.

    Returns
    -------
    list of list of int
        Each row in exactly one group, members in pick order, groups in the order of their first members.

    Source: Liu et al. 2023, Improved Baselines with Visual Instruction Tuning, appendix A (training data: for all VQA
    data sets, QA pairs from the same training image are merged into a single conversation). O(k).
    """
    order = np.asarray(rows, dtype=np.int64)
    alike = [column for column in ALIKE if column in pool.rows.columns]
    columns = ("n_tokens", "extra", "turns", *alike)
    told = (
        facts
        for at in range(0, len(order), SLICE)
        for facts in take(pool.rows, columns, order[at : at + SLICE])
        .select("n_tokens", "extra", _joinable().alias("joinable"), *alike)
        .iter_rows()
    )
    packs: list[list[int]] = []
    latest: dict[tuple[str | None, ...], tuple[list[int], int]] = {}
    for row, (said, extra, joinable, *common) in zip(order.tolist(), told, strict=True):
        n_tokens = said + TEMPLATE
        if not joinable or _carries(extra):
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
    """Tell whether a sample is one question about an image, marked at its start, and its answer."""
    question = pl.col("turns").list.first().struct.field("value")
    return pl.col("image").is_not_null() & (pl.col("turns").list.len() == 2) & question.str.starts_with(MARK)  # noqa: PLR2004  a pair


def _carries(extra: str | None) -> bool:
    """Tell whether a sample has keys beside an id that was no string."""
    return extra is not None and not json.loads(extra).keys() <= {"id"}


def merge(records: Sequence[Record]) -> Record:
    r"""Make one record of the records of a pack.

    Parameters
    ----------
    records
        Records of one image, each one question and one answer; the first is changed.

    Returns
    -------
    dict
        The first record with the turns of the others behind its own; only its first question keeps `<image>`.

    Examples
    --------
    >>> asked = [{"from": "human", "value": "<image>\nWhat is it?"}, {"from": "gpt", "value": "cat"}]
    >>> again = [{"from": "human", "value": "<image>\nIts color?"}, {"from": "gpt", "value": "black"}]
    >>> merged = merge([{"id": "1", "conversations": asked}, {"id": "2", "conversations": again}])
    >>> merged["id"], [turn["value"] for turn in merged["conversations"]]
    ('1', ['<image>\nWhat is it?', 'cat', 'Its color?', 'black'])
    """
    first, *others = records
    for other in others:
        question, answer = other["conversations"]
        question["value"] = question["value"].removeprefix(MARK)
        first["conversations"] += [question, answer]
    return first
