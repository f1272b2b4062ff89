"""Checks of a mix: its file against the demands of trainers, and its statistics against a baseline."""

from __future__ import annotations

from typing import TYPE_CHECKING

from recipe.check.trainer.fix import Fixed, fix_mix
from recipe.check.trainer.llava import Finding, check

if TYPE_CHECKING:
    from os import PathLike

__all__ = ["Finding", "Fixed", "check_mix", "fix_mix"]


def check_mix(
    path: str | PathLike[str],
    *,
    images: str | PathLike[str] | None = None,
    decode: bool = False,
    tokenizer: str | PathLike[str] | None = None,
) -> list[Finding]:
    """Find everything in a mix file that stops LLaVA v1.5, or that is trained wrong without an error.

    Parameters
    ----------
    path
        The file that would be given as ``--data_path``.
    images
        The folder that would be given as ``--image_folder``, to check that every image exists; None to skip that.
    decode
        Also decode every image, in processes: truncated, corrupt, of one pixel. Needs Pillow.
    tokenizer
        Llama's ``tokenizer.model``, to count tokens exactly; they are estimated by default: 1.25 a word, 1 a digit or
        sign, 1.5 a letter that is not ASCII. Needs sentencepiece.

    Returns
    -------
    list of Finding
        In file order, each with code, severity, record, turn and message; empty if nothing is wrong. Those of severity
        ``"other"`` come last: they stop other loaders of the same file and are harmless to LLaVA.

    Raises
    ------
    InputError
        If the file, the folder or the tokenizer cannot be read.
    ConfigError
        If images are to be decoded and no folder is given.
    MissingExtra
        If Pillow or sentencepiece is needed and not installed.
    """
    return check(path, images=images, decode=decode, tokenizer=tokenizer)
