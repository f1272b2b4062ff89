"""The length of a text: its words, and an estimate of its tokens without a tokenizer."""

from __future__ import annotations

import math
import re
import unicodedata
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

IMAGE = "<image>"
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
