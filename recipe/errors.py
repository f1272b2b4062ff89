"""Every error that `recipe` raises on purpose.

::

    RecipeError
    ├── InputError      a file or a folder cannot be read as asked
    ├── ConfigError     a knob of the recipe is unknown, out of its range, or clashes with another
    ├── SupplyError     the pool cannot give what the recipe asks for
    ├── AlignmentError  an array does not fit the pool it is attached to
    ├── WorkerError     a process or a cluster's worker died again and again
    └── MissingExtra    an optional dependency is not installed

    RecipeWarning
    ├── PoorFit         what was learned of a pool says little of it
    └── ShortQuestions  questions of a benchmark are too short to be looked for

A message says what was expected, what came, where, and what to do, in one line.
"""

from __future__ import annotations

from difflib import get_close_matches
from shlex import quote
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Iterable

DISTRIBUTION = "vlm-recipe"  # what is installed; on PyPI the bare name belongs to another project


class RecipeError(Exception):
    """Root of all errors that `recipe` raises on purpose."""


class InputError(RecipeError):
    """A file or a folder cannot be read as asked."""


class ConfigError(RecipeError):
    """A knob of the recipe is unknown, out of its range, or clashes with another."""


class SupplyError(RecipeError):
    """The pool cannot give what the recipe asks for."""


class AlignmentError(RecipeError):
    """An array does not fit the pool it is attached to."""


class WorkerError(RecipeError):
    """A process or a cluster's worker died again and again."""


class MissingExtra(RecipeError):  # noqa: N818  the name says what to do better than a suffix would
    """An optional dependency is not installed."""

    @classmethod
    def of(cls, extra: str, need: str) -> Self:
        """Say what needs one of our extras, and the line that installs it.

        Parameters
        ----------
        extra
            An optional dependency of pyproject.toml, as ``"ray"``.
        need
            What needs which library.

        Examples
        --------
        >>> print(MissingExtra.of("ray", "engine='ray' needs Ray"))
        engine='ray' needs Ray: pip install 'vlm-recipe[ray]'
        """
        return cls.elsewhere(f"{DISTRIBUTION}[{extra}]", need)

    @classmethod
    def elsewhere(cls, package: str, need: str) -> Self:
        """Say what needs a package that none of our extras brings, and the line that installs it.

        Examples
        --------
        >>> print(MissingExtra.elsewhere("umap-learn", "the map needs umap-learn"))
        the map needs umap-learn: pip install umap-learn
        """
        return cls(f"{need}: pip install {quote(package)}")


class RecipeWarning(UserWarning):
    """Root of all warnings that `recipe` gives."""


class PoorFit(RecipeWarning):
    """What was learned of a pool says little of it."""


class ShortQuestions(RecipeWarning):
    """Questions of a benchmark are too short to be looked for."""


def nearest(word: str, known: Iterable[str]) -> str:
    """Return the half sentence that helps after a typo.

    Parameters
    ----------
    word
        What the user wrote.
    known
        What would have been understood.

    Returns
    -------
    str
        ``"did you mean 'novelty'?"`` where one name is near, else the list of all names.

    Examples
    --------
    >>> nearest("noveltly", ["novelty", "density"])
    "did you mean 'novelty'?"
    >>> nearest("zzz", ["novelty", "density"])
    'known: density, novelty'
    """
    names = sorted(known)
    close = get_close_matches(word, names, n=1, cutoff=0.6)
    return f"did you mean '{close[0]}'?" if close else f"known: {', '.join(names)}"
