"""The length of a text: its words, and an estimate of its tokens without a tokenizer."""

from __future__ import annotations

import math
import re
import unicodedata
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import polars as pl
    from numpy.typing import NDArray

IMAGE = "<image>"
MANY = 200_000  # texts of a process from which on a compiled kernel counts: loading it takes a second
WORD, LETTER, SIGN = 1.25, 1.5, 1.0  # tokens of each
WHITE = "\t-\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"  # Unicode's White_Space, spelled out


@cache
def patterns() -> tuple[str, str, str]:
    """Return regular expressions for words, other letters, and signs, that Python and polars both understand.

    Letters and their accents are those of Unicode 3.2, which every Python includes, so that no later version changes a
    count.
    """
    category = unicodedata.ucd_3_2_0.category
    codes = {code for code in range(0x80, 0x10000) if category(chr(code))[0] in "LM"}
    begins, ends = (sorted(code for code in codes if code + step not in codes) for step in (-1, 1))
    letters = "".join(f"{chr(begin)}-{chr(end)}" for begin, end in zip(begins, ends, strict=True))
    return "[A-Za-z]+", f"[{letters}]", f"[^A-Za-z{letters}{WHITE}]"


def lengths(text: pl.Expr) -> tuple[pl.Expr, pl.Expr]:
    """Count the words of a text, and estimate its tokens.

    A run of ASCII letters counts as 1.25 tokens, a letter or accent beyond ASCII as 1.5, and a digit or sign as one;
    the sum over a sample is rounded up.

    Parameters
    ----------
    text
        A column of texts without `<image>`.

    Returns
    -------
    words, tokens
        White-space separated words, and tokens.

    Examples
    --------
    >>> import polars as pl
    >>> words, tokens = lengths(pl.col("text"))
    >>> pl.DataFrame({"text": ["Is it 10 o'clock?"]}).select(words=words, tokens=tokens).rows()
    [(4, 9.0)]
    """
    words, letters, signs = (text.str.count_matches(pattern) for pattern in patterns())
    return text.str.count_matches(r"\S+"), WORD * words + LETTER * letters + SIGN * signs


def measured(texts: pl.Series) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    r"""Count the words of texts, and estimate their tokens, as `lengths` does of texts without `<image>`; O(bytes).

    Parameters
    ----------
    texts
        (n,) texts, which may hold `<image>`.

    Returns
    -------
    words, tokens
        (n,) of each.

    Examples
    --------
    >>> import polars as pl
    >>> [counts.tolist() for counts in measured(pl.Series(["<image>\nIs it 10 o'clock?", "Café"]))]
    [[4, 1], [9.0, 2.75]]
    """
    import polars as pl  # noqa: PLC0415  as above

    table = texts.to_frame("text")
    _counted[0] += len(texts)
    if _counted[0] < MANY:
        return _by_patterns(table)
    from recipe.data import _kernels as kernels  # noqa: PLC0415  as above

    content = texts.to_arrow().cast("large_binary")
    _, offsets, data = content.buffers()
    ends = np.frombuffer(offsets, np.int64)[content.offset : content.offset + len(texts) + 1]
    text = np.frombuffer(data, np.uint8) if data is not None else np.zeros(0, np.uint8)
    words, runs, signs = (np.zeros(len(texts), np.int64) for _ in range(3))
    kernels.count(text, ends, _kinds(), np.frombuffer(IMAGE.encode(), np.uint8), words, runs, signs)
    tokens = WORD * runs + SIGN * signs
    strange = np.flatnonzero(words < 0)
    if len(strange):
        words[strange], tokens[strange] = _by_patterns(table[pl.Series(strange)])
    return words, tokens


_counted = [0]  # texts in this process, as yet


def _by_patterns(table: pl.DataFrame) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Count by `lengths`."""
    import polars as pl  # noqa: PLC0415  as above

    words, tokens = lengths(pl.col("text").str.replace_all(IMAGE, "", literal=True))
    found = table.select(words=words.cast(pl.Int64), tokens=tokens.cast(pl.Float64))
    return found["words"].to_numpy(), found["tokens"].to_numpy()


@cache
def _kinds() -> NDArray[np.uint8]:
    """Return the kind of each ASCII character, for the kernel."""
    from recipe.data import _kernels as kernels  # noqa: PLC0415  as above

    kinds = np.zeros(int(kernels.ASCII), np.uint8)
    for code in range(len(kinds)):
        if chr(code).isalpha():
            kinds[code] = kernels.WORD_LETTER
        elif chr(code) in "\t\n\v\f\r ":
            kinds[code] = kernels.WHITE_SPACE
    return kinds


def estimate_tokens(text: str) -> int:
    r"""Estimate how many tokens Llama's tokenizer makes of a text, without `<image>`, as `lengths` does.

    Parameters
    ----------
    text
        Any text.

    Returns
    -------
    int
        From 0, rounded up.

    Examples
    --------
    >>> estimate_tokens("<image>\nIs it 10 o'clock?"), estimate_tokens("Café — 20°")
    (9, 7)
    """
    text = text.replace(IMAGE, "")
    words, letters, signs = (len(found.findall(text)) for found in _compiled())
    return math.ceil(WORD * words + LETTER * letters + SIGN * signs)


@cache
def _compiled() -> tuple[re.Pattern[str], ...]:
    """Return the same patterns compiled; Python's own cache would hash a pattern of a thousand characters each time."""
    return tuple(map(re.compile, patterns()))
