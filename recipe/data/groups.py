"""Rows grouped by a label."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Rows = NDArray[np.int64]


def grouped(rows: Rows, labels: NDArray[Any]) -> list[Rows]:
    """Group rows by their labels, in the order of the labels; O(m log m).

    Parameters
    ----------
    rows
        (m,) row numbers.
    labels
        (m,) label of each.

    Returns
    -------
    list of ndarray
        Rows of each label, in the order in which they are given; none is empty.

    Examples
    --------
    >>> [group.tolist() for group in grouped(np.array([3, 5, 8]), np.array([7, 2, 7]))]
    [[5], [3, 8]]
    """
    if not len(rows):
        return []
    order = np.argsort(labels, kind="stable")
    return np.split(rows[order], np.flatnonzero(np.diff(labels[order])) + 1)


def grouped_by_number(rows: Rows, numbers: NDArray[np.integer[Any]], count: int) -> list[Rows]:
    """Group rows by numbers from 0 to `count` - 1, with an empty group where a number has none; O(m log m).

    Parameters
    ----------
    rows
        (m,) row numbers.
    numbers
        (m,) number of each, in 0..count - 1.
    count
        How many groups, from 1.

    Returns
    -------
    list of ndarray
        `count` groups, each in the order in which its rows are given.

    Examples
    --------
    >>> [group.tolist() for group in grouped_by_number(np.array([3, 5, 8]), np.array([2, 0, 2]), 3)]
    [[5], [], [3, 8]]
    """
    order = np.argsort(numbers, kind="stable")
    return np.split(rows[order], np.searchsorted(numbers[order], np.arange(1, count)))
