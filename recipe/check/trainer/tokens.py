"""How many tokens a text has: an estimate, or the exact count of a tokenizer.model."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from recipe.data.tokens import IMAGE, LETTER, estimate_tokens
from recipe.errors import InputError, MissingExtra
from recipe.io.paths import path_of
from recipe.io.regular import bytes_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from os import PathLike


class Tokens(NamedTuple):
    """A way to count tokens."""

    count: Callable[[str], int]
    most: float  # tokens of a character, at most: short texts need not be counted


ESTIMATE = Tokens(estimate_tokens, LETTER)


def tokens_by(tokenizer: str | PathLike[str]) -> Tokens:
    """Count with a SentencePiece model, as Llama's `tokenizer.model`.

    Parameters
    ----------
    tokenizer
        The model file.

    Returns
    -------
    Tokens
        Counts the tokens of a text, without `<image>` and without the chat template around it.

    Raises
    ------
    MissingExtra
        If sentencepiece is not installed.
    InputError
        If the file is no SentencePiece model.
    """
    try:
        from sentencepiece import SentencePieceProcessor  # noqa: PLC0415  an optional extra
    except ImportError as error:
        raise MissingExtra.of("tokenizer", "exact token counts need sentencepiece") from error
    model = SentencePieceProcessor()
    try:
        model.LoadFromSerializedProto(bytes_of(path_of(tokenizer, "tokenizer")))
    except (OSError, RuntimeError) as error:
        why = getattr(error, "strerror", None) or "it is none"
        raise InputError(
            f"expected a SentencePiece model, got tokenizer={str(tokenizer)!r}: {why}; name Llama's tokenizer.model"
        ) from error

    def count(text: str) -> int:
        """Count tokens; half a surrogate pair, which is L12, counts as a question mark."""
        return len(model.EncodeAsIds(text.replace(IMAGE, "").encode("utf-8", "replace").decode()))

    return Tokens(count, math.inf)
