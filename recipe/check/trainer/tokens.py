"""How many tokens a text has: an estimate that needs nothing, and the exact count of a tokenizer.model."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from recipe.errors import InputError, MissingExtra

if TYPE_CHECKING:
    from collections.abc import Callable
    from os import PathLike

IMAGE = "<image>"

_WORD, _FOREIGN, _SIGN = re.compile(r"[A-Za-z]+"), re.compile(r"[^\W\d_A-Za-z]"), re.compile(r"[\d_]|[^\w\s]")


class Tokens(NamedTuple):
    """A way to count tokens."""

    count: Callable[[str], int]
    dearest: float  # most tokens that a character may cost: a short text need not be counted


def estimate_tokens(text: str) -> int:
    r"""Estimate how many tokens Llama's tokenizer makes of a text, without `<image>`.

    Parameters
    ----------
    text
        Any text.

    Returns
    -------
    int
        From 0, rounded up: 1.25 a run of ASCII letters, 1 a digit or sign, 1.5 any other letter.

    Examples
    --------
    >>> estimate_tokens("<image>\nIs it 10 o'clock?")
    9
    """
    text = text.replace(IMAGE, "")
    return math.ceil(1.25 * len(_WORD.findall(text)) + len(_SIGN.findall(text)) + 1.5 * len(_FOREIGN.findall(text)))


def tokens_by(tokenizer: str | PathLike[str]) -> Tokens:
    """Count with a SentencePiece model, as Llama's `tokenizer.model`.

    Parameters
    ----------
    tokenizer
        The model file.

    Returns
    -------
    Tokens
        Counts what a text says, without `<image>` and without the chat template around it.

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
        model.LoadFromSerializedProto(Path(tokenizer).read_bytes())
    except (OSError, RuntimeError) as error:
        why = getattr(error, "strerror", None) or "it is none"
        raise InputError(
            f"expected a SentencePiece model, got tokenizer={str(tokenizer)!r}: {why}; name Llama's tokenizer.model"
        ) from error

    def count(text: str) -> int:
        """Count pieces; half a surrogate pair, which is L12, counts as a question mark."""
        return len(model.EncodeAsIds(text.replace(IMAGE, "").encode("utf-8", "replace").decode()))

    return Tokens(count, math.inf)
