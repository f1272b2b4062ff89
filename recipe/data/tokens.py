"""How long a text is: words, and an estimate of its tokens that needs no tokenizer."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

_LETTERS, _MARKS = r"[A-Za-z]+", r"[0-9!-/:-@\[-`{-~]"


def lengths(text: pl.Expr) -> tuple[pl.Expr, pl.Expr]:
    """Count the words of a text, and estimate its tokens.

    A word of ASCII letters counts as 1.25 tokens, a digit and a punctuation mark as one each, and any character beyond
    ASCII as 1.5; the sum over a sample is rounded up.

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
    >>> words, tokens = lengths(pl.col("said"))
    >>> pl.DataFrame({"said": ["Is it 10 o'clock?"]}).select(words=words, tokens=tokens).rows()
    [(4, 9.0)]
    """
    others = text.str.len_chars() - text.str.replace_all(r"[^\x00-\x7F]", "").str.len_chars()
    tokens = 1.25 * text.str.count_matches(_LETTERS) + text.str.count_matches(_MARKS) + 1.5 * others
    return text.str.count_matches(r"\S+"), tokens
