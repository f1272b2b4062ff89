"""Questions and answers cut into pieces that a small transformer can read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from recipe.compare.proxy._prepared import Prepared

    Piece = tuple[NDArray[np.uint8], int]

ASKED = 64  # last bytes of the question
WIDEST = 256  # bytes of a piece
START, GOES_ON, END = 0xFE, 0xFD, 0xFF  # before an answer, before its later pieces, behind it; no bytes of UTF-8


def pieces_of(ready: Prepared, pairs: NDArray[np.int64], limit: int) -> tuple[list[Piece], NDArray[np.int64]]:
    """Cut the answers of some pairs into pieces, each behind the end of its question; O(bytes).

    Parameters
    ----------
    ready
        The pool.
    pairs
        (p,) pairs.
    limit
        Place in the text at which the last pair is cut.

    Returns
    -------
    pieces
        The bytes of each, and where its answer begins in them.
    owners
        int64, to which of the pairs each belongs, from 0.
    """
    pieces: list[Piece] = []
    owners: list[int] = []
    for i, pair in enumerate(pairs):
        begin, middle, end = ready.ends[2 * pair : 2 * pair + 3]
        cut = i == len(pairs) - 1 and limit <= end
        answer = ready.text[middle:limit] if cut else np.append(ready.text[middle:end], np.uint8(END))
        question = ready.text[max(begin, middle - ASKED) : middle]
        room = WIDEST - ASKED - 1
        for at in range(0, len(answer), room):
            mark = np.array([GOES_ON if at else START], np.uint8)
            pieces.append((np.concatenate([question, mark, answer[at : at + room]]), len(question) + 1))
            owners.append(i)
    return pieces, np.array(owners, np.int64)
