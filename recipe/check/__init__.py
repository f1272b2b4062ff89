"""A written mix against what trainers demand. Each file: path -> list of findings."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from os import PathLike

    from recipe.check.trainer.fix import Fixed, fix_mix
    from recipe.check.trainer.llava import Finding

__all__ = ["Finding", "Fixed", "check_mix", "fix_mix"]

_HOMES = {"Finding": "llava", "Fixed": "fix", "fix_mix": "fix"}


def __getattr__(name: str) -> Any:
    """Import what is asked for when it is asked for: every run of pytest loads this package with the plugin in it."""
    if name not in _HOMES:
        raise AttributeError(f"module 'recipe.check' has no attribute '{name}'")
    return getattr(import_module(f"recipe.check.trainer.{_HOMES[name]}"), name)


def check_mix(
    path: str | PathLike[str],
    *,
    images: str | PathLike[str] | None = None,
    decode: bool = False,
    tokenizer: str | PathLike[str] | None = None,
) -> list[Finding]:
    """Find everything in a mix file that stops LLaVA v1.5 or makes it train silently wrong.

    Parameters
    ----------
    path
        The file that would be given as ``--data_path``.
    images
        The folder that would be given as ``--image_folder``, to see that every image is there; None to leave that out.
    decode
        Decode every image of that folder as well, in processes: truncated, corrupt, of one pixel. Needs Pillow.
    tokenizer
        Llama's ``tokenizer.model``, to count tokens exactly; they are estimated by default: 1.25 a word, 1 a digit or
        sign, 1.5 a letter that is not ASCII. Needs sentencepiece.

    Returns
    -------
    list of Finding
        In file order, each with code, severity, record, turn and message; empty if nothing is wrong. Those of severity
        ``"other"`` come last: they stop other loaders of the same file and do no harm to LLaVA.

    Raises
    ------
    InputError
        If the file, the folder or the tokenizer cannot be read at all.
    ConfigError
        If images are to be decoded and no folder is given.
    MissingExtra
        If Pillow or sentencepiece is needed and not installed.
    """
    from recipe.check.trainer.llava import check  # noqa: PLC0415  as above

    return check(path, images=images, decode=decode, tokenizer=tokenizer)
