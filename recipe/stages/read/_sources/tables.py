"""Records of data in memory, one after the other: of tables of polars, pandas and pyarrow, datasets, and iterables.

No library is imported for this: what is given has already been made by one, which the name of its type tells.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from recipe.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator

PORTION = 8_000_000  # bytes of a table that are Python objects at a time, about
MOST = 4096  # rows of it

_KINDS = {
    ("polars", "DataFrame"): "polars",
    ("polars", "LazyFrame"): "lazy",
    ("pandas", "DataFrame"): "pandas",
    ("pyarrow", "Table"): "arrow",
    ("pyarrow", "RecordBatch"): "arrow",
    ("pyarrow", "RecordBatchReader"): "batches",
    ("datasets", "Dataset"): "dataset",
    ("datasets", "IterableDataset"): "dataset",
    ("datasets", "DatasetDict"): "splits",
    ("datasets", "IterableDatasetDict"): "splits",
}


def kind_of(data: object) -> str | None:
    """Return which kind of table or dataset something is, by its type and those that it is made from; None for none.

    Examples
    --------
    >>> import polars as pl
    >>> kind_of(pl.DataFrame()), kind_of([])
    ('polars', None)
    """
    names = ((cls.__module__.partition(".")[0], cls.__name__) for cls in type(data).__mro__)
    return next((_KINDS[name] for name in names if name in _KINDS), None)


def records_of(data: Any) -> Iterator[Any]:
    """Yield the records of data in memory, in order, some rows of a table at a time.

    Parameters
    ----------
    data
        A table, a dataset, or an iterable. A dataset's pictures are taken as their bytes, which are not decoded; one
        of a table or a dataset that has no bytes is its path, as in Parquet.

    Yields
    ------
    object
        A dict for each row of a table; what an iterable yields.

    Raises
    ------
    ConfigError
        If it is a `DatasetDict`, of which one split is wanted.

    Examples
    --------
    >>> import polars as pl
    >>> list(records_of(pl.DataFrame({"id": ["a", "b"], "image": [None, "b.jpg"]})))
    [{'id': 'a', 'image': None}, {'id': 'b', 'image': 'b.jpg'}]
    """
    kind = kind_of(data)
    if kind == "splits":
        names = ", ".join(map(repr, list(data)[:8]))
        raise ConfigError(
            f"expected one split of a DatasetDict, got {names}; name it, as data[{next(iter(data), '')!r}]"
        )
    if kind is None:  # a dataset of PyTorch has only numbers
        return iter(data) if isinstance(data, Iterable) else (data[at] for at in range(len(data)))
    return ({key: _named(value) for key, value in row.items()} for row in _ROWS[kind](data))


def _named(value: Any) -> Any:
    """Return a picture of Hugging Face without bytes as its path, and any other value as it is."""
    if type(value) is list:
        return [_named(one) if type(one) is dict else one for one in value]
    if type(value) is dict and value.keys() == {"bytes", "path"} and value["bytes"] is None:
        return value["path"]
    return value


def _of_polars(data: Any) -> Iterator[dict[str, Any]]:
    """Yield the rows of a table of polars."""
    step = _step(data.estimated_size(), data.height)
    for part in data.iter_slices(step):
        yield from part.iter_rows(named=True)


def _of_lazy(data: Any) -> Iterator[dict[str, Any]]:
    """Yield the rows of a query of polars, batch by batch."""
    for batch in data.collect_batches(maintain_order=True):
        yield from _of_polars(batch)


def _of_pandas(data: Any) -> Iterator[dict[str, Any]]:
    """Yield the rows of a table of pandas, with None for what it holds as missing."""
    names = list(data.columns)
    for start in range(0, len(data), MOST):
        part = data.iloc[start : start + MOST]
        columns = [[None if _is_missing(value) else value for value in part[name].tolist()] for name in names]
        for values in zip(*columns, strict=True):
            yield dict(zip(names, values, strict=True))


def _is_missing(value: Any) -> bool:
    """Return whether pandas takes a value for missing: not a number, not a time, or its own NA."""
    return type(value).__name__ in ("NAType", "NaTType") or (isinstance(value, float) and value != value)  # noqa: PLR0124  NaN is not itself


def _of_arrow(data: Any) -> Iterator[dict[str, Any]]:
    """Yield the rows of a table of pyarrow."""
    step = _step(data.nbytes, data.num_rows)
    for start in range(0, data.num_rows, step):
        yield from data.slice(start, step).to_pylist()


def _of_batches(data: Any) -> Iterator[dict[str, Any]]:
    """Yield the rows of batches of pyarrow."""
    for batch in data:
        yield from _of_arrow(batch)


def _of_dataset(data: Any) -> Iterator[dict[str, Any]]:
    """Yield the rows of a dataset of Hugging Face, with pictures as they are stored."""
    table = getattr(data, "data", None)  # a dataset that is streamed has none
    step = 16 if table is None else _step(table.nbytes, table.num_rows)
    for part in data.with_format("arrow").iter(batch_size=step):
        yield from _of_arrow(part)


def _step(size: int, rows: int) -> int:
    """Return how many rows are taken at a time, from 1."""
    return max(1, min(MOST, PORTION * rows // max(1, size)))


_ROWS = {
    "polars": _of_polars,
    "lazy": _of_lazy,
    "pandas": _of_pandas,
    "arrow": _of_arrow,
    "batches": _of_batches,
    "dataset": _of_dataset,
}
