"""What a writer says of itself: what its records can hold, which endings its file may have, what lies beside it.

A file of ``recipe/stages/write`` says so in constants, a writer of your own in attributes of its function, and nobody
needs to import the room to ask. `HOLDS` is made of these words, beside text and one picture,
which every writer can hold:

==========  ======================================================================
images      several pictures
video       a video alone
videos      several videos, or a video beside pictures
audio       sounds
system      a system prompt
bytes       the bytes of pictures
absolute    pictures by absolute paths
==========  ======================================================================
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from recipe.config.registry import home, names
from recipe.errors import ConfigError
from recipe.io.families import FORMATS, SIDE_FILES

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from recipe.config.step import Step

_ENDING = re.compile(r"[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*")
WORDS = frozenset({"images", "video", "videos", "audio", "system", "bytes", "absolute"})


def as_user_said(name: str) -> str:
    """Return the name of a file in the room for a name as users say it.

    Examples
    --------
    >>> as_user_said("llava-next"), as_user_said("my-writers:keys")
    ('llava_next', 'my-writers:keys')
    """
    known = name.replace("-", "_")
    return known if known in names("write") else name


def stated(step: Step | None, what: str, default: Any) -> Any:
    """Return a constant of a writer's file, or an attribute of your own function."""
    if step is None:
        return default
    return getattr(home("write", step.name), what, default)


def holds(step: Step | None) -> frozenset[str]:
    """Return what the records of a writer can hold, beside text and one picture.

    Parameters
    ----------
    step
        The recipe's `write.format`; None for LLaVA v1.5.

    Returns
    -------
    frozenset of str
        Of `WORDS`.

    Raises
    ------
    ConfigError
        If there is no such writer, or it says another word.

    Examples
    --------
    >>> from recipe.config.step import Step
    >>> holds(None), sorted(holds(Step("qwen_vl", {})))
    (frozenset(), ['absolute', 'images', 'video', 'videos'])
    """
    found = frozenset(stated(step, "HOLDS", ()))
    if odd := found - WORDS:
        raise ConfigError(f"write: expected HOLDS of {', '.join(sorted(WORDS))}, got {min(map(str, odd)):.40}")
    return found


def lacking(known: Iterable[str], *, images: int, videos: int, audios: int, system: bool) -> str | None:
    """Return the first word that a writer would need for a sample and has not; None if it can hold the sample.

    Parameters
    ----------
    known
        What the writer holds.
    images, videos, audios
        How many the sample has.
    system
        Whether it has a system prompt.

    Examples
    --------
    >>> lacking((), images=2, videos=0, audios=0, system=False), lacking((), images=1, videos=0, audios=0, system=False)
    ('images', None)
    """
    needed = {
        "images": images > 1,
        "video": videos > 0,
        "videos": videos > 1 or (videos > 0 and images > 0),
        "audio": audios > 0,
        "system": system,
    }
    return next((word for word, is_needed in needed.items() if is_needed and word not in known), None)


def beside(step: Step | None) -> tuple[str, ...]:
    """Return the endings of the files that a writer puts beside its mix, as ``("yaml",)`` for ``mix.yaml``.

    Raises
    ------
    ConfigError
        If it states something else, or the name of a file that every mix has.

    Examples
    --------
    >>> from recipe.config.step import Step
    >>> beside(Step("internvl", {})), beside(None)
    (('meta.json',), ())
    """
    given = tuple(stated(step, "BESIDE", ()))
    for name in given:
        if not isinstance(name, str) or not _ENDING.fullmatch(name) or name in (*SIDE_FILES, "manifest.json"):
            raise ConfigError(f"write: expected BESIDE of endings as 'yaml', which no mix has, got {name!r:.60}")
    return given


def check_ending(path: Path, step: Step | None) -> None:
    """Raise if the file of a writer may not have this ending.

    Examples
    --------
    >>> from pathlib import Path
    >>> from recipe.config.step import Step
    >>> check_ending(Path("mix.json"), Step("trl", {}))
    Traceback (most recent call last):
    recipe.errors.ConfigError: expected a mix ending in .parquet for trl, got mix.json; name it mix.parquet
    """
    if step is None and path.suffix not in FORMATS:
        raise ConfigError(f"expected a mix ending in {' or '.join(FORMATS)}, got {path}")
    endings = stated(step, "ENDINGS", ())
    if endings and path.suffix not in endings:
        label = "trainer" if step is None else step.label.replace("_", "-")
        what = f"expected a mix ending in {' or '.join(endings)} for {label}, got {path}"
        raise ConfigError(f"{what}; name it {path.with_suffix(endings[0]).name}")


def ending_of(step: Step | None) -> str:
    """Return the ending that the mix of a writer has unless it is named.

    Examples
    --------
    >>> from recipe.config.step import Step
    >>> ending_of(None), ending_of(Step("swift", {}))
    ('.json', '.jsonl')
    """
    return next(iter(stated(step, "ENDINGS", ())), ".json")
