"""What stands among the sources: paths, or samples in memory."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from typing import TYPE_CHECKING, Any, NamedTuple

from recipe.config.knobs import shown
from recipe.config.local import told
from recipe.data.pool import Pool
from recipe.errors import ConfigError, FunctionError, RecipeError, nearest
from recipe.stages.read._entry import is_broken
from recipe.stages.read._sources import KEYS
from recipe.stages.read._sources.tables import kind_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from recipe.stages.read._detect import Format
    from recipe.stages.read._sources import Source

    Samples = Iterable[Mapping[str, Any]] | Any  # records, or a table or dataset of a library that is not imported
    Sources = Pool | Source | Samples | Sequence[Source | Samples]

MEMORY = "memory"  # the source of samples that are given without a name
HELD_KEYS = ("data", "name", "format")
WANTED = "expected paths, records, a table or a dataset"


def raised(name: str, error: BaseException, last: int) -> FunctionError:
    """Return the error for data that raise another while they are taken, after the record of a number, or -1."""
    where = "before the first record" if last < 0 else f"after record {last}"
    return FunctionError(f"{name}: the data raised {told(error)}, {where}; correct them")


class Held(NamedTuple):
    """Samples in memory."""

    data: Any
    """Records, a table or a dataset, which are taken once."""
    name: str = MEMORY
    """The value of `source` for them."""
    format: Format | None = None
    """The reader of their records; None to recognise it."""


class Inputs(NamedTuple):
    """Sources of all kinds, each in the order given."""

    paths: tuple[Source, ...] | None = None  # None: nothing is given but perhaps a pool, and the recipe's own count
    held: tuple[Held, ...] = ()
    pool: Pool | None = None


def sort_out(sources: Any) -> Inputs:
    """Tell paths from samples in memory; nothing is read, but the first item of an iterator is looked at.

    Parameters
    ----------
    sources
        A path or a mapping with `path`; samples: a table of polars, pandas or pyarrow, a `datasets.Dataset`, or records
        in a list or any iterable; samples with a name, as ``{"data": samples, "name": "train"}``; or a list of these.
        Or a pool that was read before, or None.

    Returns
    -------
    Inputs
        An iterator is in it whole, to be taken once.

    Raises
    ------
    ConfigError
        If something is none of these.

    Examples
    --------
    >>> sort_out(["a.json", {"data": [], "name": "mine"}])
    Inputs(paths=('a.json',), held=(Held(data=[], name='mine', format=None),), pool=None)
    >>> sort_out([{"conversations": []}]).held[0].name
    'memory'
    """
    if sources is None or isinstance(sources, Pool):
        return Inputs(pool=sources)
    paths: list[Source] = []
    held: list[Held] = []
    for one in _items(sources):
        if isinstance(one, (str, os.PathLike)) or (isinstance(one, Mapping) and "data" not in one and not kind_of(one)):
            paths.append(one)
        else:
            held.append(_held(one))
    return Inputs(tuple(paths), tuple(held))


def _items(sources: Any) -> list[Any]:
    """Return the sources one by one; records together are one of them."""
    if isinstance(sources, (str, bytes, os.PathLike, Mapping)) or kind_of(sources):
        return [sources]
    if not isinstance(sources, Iterable):
        return [sources]
    if isinstance(sources, list | tuple):
        return _of_list(sources)
    try:
        first = next(items := iter(sources), None)
    except (RecipeError, KeyboardInterrupt):
        raise
    except BaseException as error:
        raise raised(MEMORY, error, -1) from error
    if first is None or _is_record(first):
        return [sources if items is not sources else _whole(first, items)]
    return [first, *items]


def _of_list(items: list[Any] | tuple[Any, ...]) -> list[Any]:
    """Return a list of sources, or the list in a list if it is one of records."""
    if not any(map(_is_record, items)):
        return list(items)
    for number, one in enumerate(items):
        if isinstance(one, (str, os.PathLike)) or _is_source(one) or (type(one) is not dict and kind_of(one)):
            what = f"expected records only, or sources only, got records and {shown(one)} (number {number})"
            raise ConfigError(f"{what}; put the records into a list of their own")
    return [items]


def _whole(first: Any, rest: Iterator[Any]) -> Iterator[Any]:
    """Return an iterator as it was before its first item was looked at."""
    return rest if first is None else chain([first], rest)


def _is_record(one: Any) -> bool:
    """Return whether something is a record rather than a source."""
    return isinstance(one, Mapping) and not _is_source(one) and (type(one) is dict or not kind_of(one))


def _is_source(one: Any) -> bool:
    """Return whether a mapping names a path or data: with one unknown key at most, and no list but the data."""
    if not isinstance(one, Mapping) or ("path" not in one and "data" not in one):
        return False
    known = HELD_KEYS if "data" in one else KEYS
    unknown = [key for key in one if key not in known]
    return len(unknown) <= 1 and not any(isinstance(one[key], list | Mapping) for key in unknown)


def _held(one: Any) -> Held:
    """Return samples in memory with their name, or raise if they are none."""
    if not isinstance(one, Mapping) or kind_of(one):
        return Held(_data(one))
    for key in one:
        if key not in HELD_KEYS:
            raise ConfigError(f"source with data: unknown key {key!r:.60}, {nearest(str(key), HELD_KEYS)}")
    name = one.get("name") or MEMORY
    if not isinstance(name, str) or is_broken(name):
        raise ConfigError(f"source with data: expected a text as name, got name={shown(name)}")
    return Held(_data(one["data"]), name, one.get("format"))


def _data(data: Any) -> Any:
    """Return samples, or raise with what was given in their place."""
    if isinstance(data, Pool):
        raise ConfigError("expected a pool alone, got one among other sources; give its records, or the pool alone")
    if kind_of(data):
        return data
    counted = hasattr(data, "__len__") and hasattr(data, "__getitem__")
    if isinstance(data, (str, bytes, bytearray, os.PathLike, Mapping)) or not (isinstance(data, Iterable) or counted):
        hint = "put one record into a list" if isinstance(data, Mapping) else "name what to read"
        raise ConfigError(f"{WANTED}, got {shown(data)}; {hint}")
    return data
