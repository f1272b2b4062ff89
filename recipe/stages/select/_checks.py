"""Check the result of a selector before anything is made of it: its form, its rows, and the quotas."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from recipe.config.knobs import shown
from recipe.data.picks import Picks
from recipe.errors import AlignmentError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from recipe.data.quotas import Quotas


def checked(given: object, quotas: Quotas, who: str) -> Picks:
    """Return what a selector returned, as its own copy, or raise if it does not fit the pool and the quotas; O(n).

    Parameters
    ----------
    given
        What it returned.
    quotas
        What it was to pick under.
    who
        The selector, for the message.

    Returns
    -------
    Picks
        The same, rows as int64 and gains as float64.

    Raises
    ------
    AlignmentError
        If it is no `Picks`; its rows are no integers, repeat, do not exist or may not be picked; a quota or a limit
        per image is not kept; or its gains or its objective are no finite numbers.

    Examples
    --------
    >>> from recipe import demo_pool, score_pool
    >>> from recipe.stages.balance import make_quotas
    >>> quotas = make_quotas(demo_pool(images=2), 3, margins={})
    >>> checked(Picks([0, 1]), quotas, "select.mine")
    Traceback (most recent call last):
    recipe.errors.AlignmentError: select.mine: expected 3 picks, as the quotas ask for, got 2; see `Quotas.quota`
    """
    if not isinstance(given, Picks):
        raise AlignmentError(f"{who}: expected Picks, got {type(given).__name__}; return Picks(rows)")
    rows = _rows(given.rows, quotas, who)
    _check_quotas(rows, quotas, who)
    if not isinstance(given.gains, dict) or not all(isinstance(term, str) for term in given.gains):
        what = "expected gains as a mapping of a term to one number a pick"
        raise AlignmentError(f"{who}: {what}, got gains={shown(given.gains)}; leave them out if it has none")
    gains = {term: _gain(gain, len(rows), f"{who}: gains[{shown(term)}]") for term, gain in given.gains.items()}
    return Picks(rows, gains, _number(given.value, f"{who}: value"), _number(given.bound, f"{who}: bound"))


def _rows(given: Any, quotas: Quotas, who: str) -> NDArray[np.int64]:
    """Return rows as an array, if they are unique rows that may be picked, as many as the quotas ask for."""
    rows = _array(given)
    if rows is None or rows.ndim != 1 or (rows.dtype.kind not in "iu" and len(rows)):
        got = shown(given) if rows is None else f"shape={rows.shape}, dtype={rows.dtype}"
        raise AlignmentError(f"{who}: expected rows as a (k,) array of integers, got {got}; return Picks(rows)")
    n = len(quotas.cell)
    if len(rows) and not (rows.min() >= 0 and rows.max() < n):
        odd = rows[(rows < 0) | (rows >= n)][0]
        raise AlignmentError(f"{who}: expected rows from 0 to {n - 1}, got row={odd}; pick from pool.rows['row']")
    rows = rows.astype(np.int64)
    if len(again := np.flatnonzero(np.bincount(rows, minlength=1) > 1)):
        raise AlignmentError(f"{who}: expected every row at most once, got row={again[0]} again; pick it once")
    if (closed := rows[quotas.cell[rows] < 0]).size:
        what = "expected rows that may be picked"
        raise AlignmentError(f"{who}: {what}, got row={closed[0]}, which has a problem; see pool.eligible")
    if len(rows) != quotas.size:
        what = f"expected {quotas.size} picks, as the quotas ask for"
        raise AlignmentError(f"{who}: {what}, got {len(rows)}; see `Quotas.quota`")
    return rows


def _check_quotas(rows: NDArray[np.int64], quotas: Quotas, who: str) -> None:
    """Raise if an image has too many picks, or a cell not its quota; a limit per image may have kept it from that."""
    counts = np.bincount(quotas.cell[rows], minlength=len(quotas.quota))
    if quotas.per_image is not None:
        most = np.bincount(quotas.image[rows], minlength=1).max()
        if most > quotas.per_image:
            what = f"expected at most {quotas.per_image} picks of an image"
            raise AlignmentError(f"{who}: {what}, got {most} of one; see `Quotas.per_image`")
        over = np.bincount(quotas.stratum, np.where(quotas.limited, counts - quotas.quota, 0), minlength=1)
        if (over > 0).any():
            what = "expected no more picks of a limited source than its quota"
            raise AlignmentError(f"{who}: {what}, got {int(over.max())} more; see `Quotas.limited`")
    elif (counts != quotas.quota).any():
        at = int(np.argmax(counts != quotas.quota))
        what = f"expected {quotas.quota[at]} picks of cell {at}"
        raise AlignmentError(f"{who}: {what}, got {counts[at]}; pick as many of each cell as `Quotas.quota` says")


def _gain(given: Any, k: int, who: str) -> NDArray[np.float64]:
    """Return the gains of a term, if they are one finite number a pick."""
    gain = _array(given)
    if gain is None or gain.shape != (k,) or gain.dtype.kind not in "iuf" or not np.isfinite(gain).all():
        got = shown(given) if gain is None else f"shape={gain.shape}, dtype={gain.dtype}"
        raise AlignmentError(f"{who}: expected a ({k},) array of finite numbers, got {got}; correct what is returned")
    return gain.astype(np.float64)


def _number(given: Any, who: str) -> float | None:
    """Return an objective, if it is a finite number or None."""
    fits = isinstance(given, int | float | np.integer | np.floating) and not isinstance(given, bool)
    if given is not None and not (fits and np.isfinite(given)):
        raise AlignmentError(f"{who}: expected a finite number or None, got {shown(given)}; leave it out")
    return None if given is None else float(given)


def _array(given: Any) -> NDArray[Any] | None:
    """Return an array of its own; None for what is none, or has masked values."""
    if isinstance(given, np.ma.MaskedArray):
        return None
    try:
        return np.array(given)
    except Exception:  # noqa: BLE001  the object of a user may raise anything
        return None
