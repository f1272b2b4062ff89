"""Every error that `recipe` raises on purpose.

::

    RecipeError
    ├── InputError      a file or a folder cannot be read
    ├── ConfigError     a knob of the recipe is unknown, out of its range, or clashes with another
    ├── SupplyError     the pool cannot give what the recipe asks for
    │   └── NothingEligible  no sample that was read may be selected
    ├── AlignmentError  an array does not fit the pool it is attached to
    ├── FunctionError   a function of your own raised an exception, or returned what it may not
    ├── WorkerError     a worker died again and again, or cannot be sent its work
    └── MissingExtra    an optional dependency is not installed

    RecipeWarning
    ├── PoorFit         a fitted embedder represents its pool poorly
    ├── ShortQuestions  questions of a benchmark are too short to be searched for
    ├── Unrelated       vectors say nothing about the texts of their samples
    ├── PassedOver      a folder that is read holds mixes that `recipe` wrote, or lists of files
    ├── SharedNames     files that state sizes of pictures name them alike
    ├── DamagedCache    an artefact of the cache is damaged, and is made again
    ├── BoxesLeft       boxes cannot be converted to the frame that a trainer wants
    ├── NotCached       a function of your own cannot be told from another, so that nothing is cached
    └── FormerName      a name was replaced by another

A message says what was expected, what came, where, and what to do, in one line.
"""

from __future__ import annotations

from difflib import get_close_matches
from shlex import quote
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Iterable

DISTRIBUTION = "vlm-recipe"  # its name on PyPI, where `recipe` belongs to another project

TAKE = 'take the most that keeps the share of yes (--at-most, or shortfall="allow")'  # out of most supply errors


class RecipeError(Exception):
    """Root of all errors that `recipe` raises on purpose."""


class InputError(RecipeError):
    """A file or a folder cannot be read."""


class ConfigError(RecipeError):
    """A knob of the recipe is unknown, out of its range, or clashes with another."""


class SupplyError(RecipeError):
    """The pool cannot give what the recipe asks for."""


class NothingEligible(SupplyError):  # noqa: N818  the name says what is wrong better than a suffix would
    """No sample that was read may be selected; `pool` has all of them, each with its problem."""

    pool: Any = None


class AlignmentError(RecipeError):
    """An array does not fit the pool it is attached to."""


class FunctionError(RecipeError):
    """A function of your own raised an exception, or returned what it may not."""


class WorkerError(RecipeError):
    """A process or a cluster's worker died again and again, or cannot be sent its work."""


class MissingExtra(RecipeError):  # noqa: N818  the name says what to do better than a suffix would
    """An optional dependency is not installed."""

    @classmethod
    def of(cls, extra: str, need: str) -> Self:
        """Return the error for a missing extra of this package, with the command that installs it.

        Parameters
        ----------
        extra
            An optional dependency of pyproject.toml, as ``"ray"``.
        need
            Which feature needs which library.

        Examples
        --------
        >>> print(MissingExtra.of("ray", "engine='ray' needs Ray"))
        engine='ray' needs Ray: pip install 'vlm-recipe[ray]'
        """
        return cls.elsewhere(f"{DISTRIBUTION}[{extra}]", need)

    @classmethod
    def elsewhere(cls, package: str, need: str) -> Self:
        """Return the error for a missing package that no extra of this one installs, with the command that does.

        Examples
        --------
        >>> print(MissingExtra.elsewhere("umap-learn", "the map needs umap-learn"))
        the map needs umap-learn: pip install umap-learn
        """
        return cls(f"{need}: pip install {quote(package)}")


class RecipeWarning(UserWarning):
    """Root of all warnings that `recipe` gives."""


class PoorFit(RecipeWarning):
    """A fitted embedder represents its pool poorly."""


class ShortQuestions(RecipeWarning):
    """Questions of a benchmark are too short to be searched for."""


class Unrelated(RecipeWarning):
    """Vectors say nothing about the texts of their samples, which may be those of others."""


class PassedOver(RecipeWarning):
    """A folder that is read holds mixes that `recipe` wrote, or lists of files, which are no sources."""


class SharedNames(RecipeWarning):
    """Files of different roots name pictures alike, which count as the same."""


class DamagedCache(RecipeWarning):
    """An artefact of the cache is damaged, and is made again."""


class BoxesLeft(RecipeWarning):
    """Boxes cannot be converted to the frame that a trainer wants, and stay as they were."""


class NotCached(RecipeWarning):
    """A function of your own cannot be told from another, so that nothing is cached."""


class FormerName(RecipeWarning, DeprecationWarning):
    """A name was replaced by another."""


def nearest(word: str, known: Iterable[str]) -> str:
    """Return a hint for a name that is not known: the nearest known one, or all of them.

    Parameters
    ----------
    word
        What the user wrote.
    known
        The names that are known.

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
