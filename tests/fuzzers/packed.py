"""Values -> the bytes of a file of any container, however odd the values are."""

from __future__ import annotations

import base64
import csv
import io
import json
import tarfile
from collections import Counter

import pyarrow as pa
import pyarrow.parquet as pq
import yaml

_REFUSED = (pa.ArrowException, TypeError, ValueError, OverflowError, RecursionError)
_TEXTS = (pa.large_string(), pa.binary(), pa.dictionary(pa.int32(), pa.string()), pa.string_view())


def bytes_of(container, tree, rng):
    """Return the bytes of a file that holds some values."""
    try:
        return _WRITERS[container](tree, rng)
    except _REFUSED:  # too odd for this container
        return _dumps(tree, rng)


def plain(value):
    """Return bytes as JSON holds them."""
    return base64.b64encode(value).decode()


def _dumps(value, rng, **layout):
    """Write JSON, in ASCII or not."""
    text = json.dumps(value, ensure_ascii=rng.random() < 0.7, default=plain, **layout)
    return text.encode("utf-8", "surrogatepass")


def _json(tree, rng):
    """Write JSON: one value, of one line or of many, or around an array or keyed by numbers."""
    if isinstance(tree, list) and rng.random() < 0.15:
        tree = rng.choice(({"data": tree}, {str(number): one for number, one in enumerate(tree)}))
    return _dumps(tree, rng, indent=rng.choice((None, None, 1)))


def _jsonl(tree, rng):
    """Write a value a line."""
    return b"".join(_dumps(one, rng) + rng.choice((b"\n", b"\n", b"\r\n")) for one in _records(tree))


def _yaml(tree, rng):
    """Write YAML; where a value has none, JSON, which is YAML too."""
    try:
        return yaml.safe_dump(tree, allow_unicode=rng.random() < 0.5).encode("utf-8", "surrogatepass")
    except (yaml.YAMLError, RecursionError):
        return _dumps(tree, rng)


def _records(tree):
    """Return a list."""
    return tree if isinstance(tree, list) else [tree]


def _table(tree, rng):
    """Return a table of Arrow with a column a key, each of a type that most of its values have."""
    rows = [one if isinstance(one, dict) else {"value": one} for one in _records(tree)]
    names = list(dict.fromkeys(key for row in rows for key in row))
    columns = [_column([row.get(name) for row in rows], rng) for name in names]
    names = [name.encode("utf-8", "replace").decode() for name in names]
    return pa.Table.from_arrays(columns, names) if names else pa.table({"id": ["1"] * len(rows)})


def _column(values, rng):
    """Return a column, in which a value of another type than most is missing or a text."""
    try:
        column = pa.array(values)
    except _REFUSED:
        column = _of_most(values, rng)
    if pa.types.is_string(column.type) and rng.random() < 0.3:
        return column.cast(rng.choice(_TEXTS))
    return column


def _of_most(values, rng):
    """Return a column of the type of most values, or of texts that need not be UTF-8."""
    kinds = Counter(kind for one in values if (kind := _kind(one)) is not None)
    if kinds and rng.random() < 0.7:
        kind = kinds.most_common(1)[0][0]
        return pa.array([one if _fits(one, kind) else None for one in values], kind)
    texts = [one if isinstance(one, str) else json.dumps(one, default=plain) for one in values]
    return pa.array([one.encode("utf-8", "surrogatepass") for one in texts]).view(pa.string())


def _kind(value):
    """Return the type that Arrow gives a value; None if it has none."""
    try:
        return pa.array([value]).type if value is not None else None
    except _REFUSED:
        return None


def _fits(value, kind):
    """Return whether a value is of a type."""
    try:
        pa.array([value], kind)
    except _REFUSED:
        return False
    return True


def _parquet(tree, rng):
    """Write Parquet, in one row group or in several."""
    table, file = _table(tree, rng), io.BytesIO()
    kept = [i for i, field in enumerate(table.schema) if _is_storable(field.type)]
    table = table.select(kept)
    packing = rng.choice(("snappy", "none", "zstd", "gzip"))
    pq.write_table(table, file, row_group_size=rng.choice((1, 2, 1000)), compression=packing)
    return file.getvalue()


def _is_storable(kind):
    """Return whether Parquet has a type: it has no struct without fields."""
    if pa.types.is_struct(kind) and not kind.num_fields:
        return False
    inner = [kind.field(i).type for i in range(kind.num_fields)] if not pa.types.is_dictionary(kind) else []
    return not pa.types.is_string_view(kind) and all(map(_is_storable, inner))


def _arrow(tree, rng):
    """Write Arrow, as a file or as a stream, in one batch or in several."""
    table, file = _table(tree, rng), io.BytesIO()
    make = rng.choice((pa.ipc.new_file, pa.ipc.new_stream))
    packing = pa.ipc.IpcWriteOptions(compression=rng.choice((None, None, "zstd", "lz4")))
    with make(file, table.schema, options=packing) as writer:
        writer.write_table(table, max_chunksize=rng.choice((1, 2, 1000)))
    return file.getvalue()


def _tar(tree, rng):
    """Write a shard: of each record a file a key, but its name."""
    file = io.BytesIO()
    layout = rng.choice((tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT))
    with tarfile.open(fileobj=file, mode="w", format=layout, errors="surrogatepass") as tar:
        for number, one in enumerate(_records(tree)):
            record = one if isinstance(one, dict) else {"json": one}
            key = record.get("__key__", number)
            for ending, value in record.items():
                if ending != "__key__":
                    _add(tar, f"{key}.{ending}".replace("\0", "")[:90] or "x", value, rng)
    return file.getvalue()


def _add(tar, name, value, rng):
    """Add a file; seldom a link, a folder or a file with another size."""
    text = value.encode("utf-8", "surrogatepass") if isinstance(value, str) else value
    content = text if isinstance(text, bytes) else _dumps(value, rng)
    header = tarfile.TarInfo(name)
    header.size = len(content)
    if rng.random() < 0.03:
        header.type = rng.choice((tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE, tarfile.CHRTYPE, b"Z"))
        header.linkname, header.size, content = rng.choice(("../../etc/passwd", name, "")), 0, b""
    try:
        tar.addfile(header, io.BytesIO(content))
    except ValueError:  # a name that this layout cannot hold
        header.name = "odd.json"
        tar.addfile(header, io.BytesIO(content))


def _values(tree, rng):
    """Write a table of texts with a column a key."""
    rows = [one if isinstance(one, dict) else {"value": one} for one in _records(tree)]
    names = list(dict.fromkeys(key for row in rows for key in row)) or ["index"]
    file = io.StringIO()
    writer = csv.writer(file, delimiter="\t" if rng.random() < 0.8 else ",", escapechar="\\")
    writer.writerow(names)
    for row in rows:
        texts = [one if isinstance(one, str) else json.dumps(one, default=plain) for one in map(row.get, names)]
        writer.writerow([text.replace("\0", "") for text in texts])
    return file.getvalue().encode("utf-8", "surrogatepass")


_WRITERS = {
    "json": _json,
    "jsonl": _jsonl,
    "yaml": _yaml,
    "parquet": _parquet,
    "arrow": _arrow,
    "tar": _tar,
    "table": _values,
}
