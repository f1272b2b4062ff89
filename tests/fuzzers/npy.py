"""Vectors and scores of users with damaged, lying or odd files: what comes out is finite and aligned, or one line."""

from __future__ import annotations

import io
import struct
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from recipe import demo_pool
from recipe.errors import RecipeError
from recipe.stages.embed.cached import embed
from recipe.stages.embed.distilled import fit
from recipe.stages.score.column import score

if TYPE_CHECKING:
    import random
    from pathlib import Path

SHAPES = ("({n},)", "({n}, 0)", "(-1, 4)", "({n}, 4, 1)", "()", "({n}, 10**9)", "({n}, 4L)", "(99999999999, 4)", "None")
KINDS = ("<f4", "<f2", "<f8", ">f4", "<i8", "|O", "|b1", "<U9", "<c8", "<M8[s]", "<f16", "x", "[('a', '<f4')]", "|V8")
VALUES = (float("nan"), float("inf"), -float("inf"), 0.0, 1e300, -1e300, 1e-320, 7.0)


def prepare(folder: Path) -> Any:
    """Make a small pool; no file is needed."""
    assert folder.is_dir()
    return demo_pool(images=12)


def attempt(rng: random.Random, state: Any, folder: Path) -> None:
    """Write one odd file, and read it as vectors, as a teacher's vectors and as scores."""
    made = rng.choice([_npy, _npy, _parquet, _table])
    file = folder / f"odd{made(rng, state, folder / 'odd')}"
    reader = rng.choice([_embedded, _fitted]) if file.suffix in {".npy", ".parquet"} else _scored
    if file.suffix == ".parquet" and rng.random() < 0.5:
        reader = _scored
    try:
        reader(rng, state, file)
    except RecipeError as error:
        assert "\n" not in str(error), f"more than one line: {error!r}"  # noqa: PT017  nothing may be raised at all
        raise


def _embedded(rng: random.Random, pool: Any, file: Path) -> None:
    """Read vectors, which are finite unit rows if they come."""
    vectors = embed(pool, path=file, column=rng.choice(["vector", "vector", "key", "no"]))
    assert len(vectors) == len(pool)
    assert np.isfinite(vectors).all()


def _fitted(rng: random.Random, pool: Any, file: Path) -> None:
    """Fit a student to vectors, which is finite if it comes."""
    learned = fit(pool, path=file, column="vector", sample=rng.choice([16, 64]))
    assert all(np.isfinite(learned[name]).all() for name in ("table", "bias"))


def _scored(rng: random.Random, pool: Any, file: Path) -> None:
    """Read scores, which are finite if they come."""
    found = score(pool, file=file, column=rng.choice(["vector", "key"]), missing=rng.choice([None, 0.0]))
    assert found.shape == (len(pool),)
    assert np.isfinite(found).all()


def _values(rng: random.Random, pool: Any) -> np.ndarray:
    """Make vectors with some odd values."""
    width = rng.choice([1, 4, 4])
    vectors = np.random.default_rng(rng.getrandbits(32)).normal(size=(len(pool), width))
    for _ in range(rng.choice([0, 1, 3])):
        vectors[rng.randrange(len(pool)), rng.randrange(width)] = rng.choice(VALUES)
    if rng.random() < 0.2:
        vectors[:] = rng.choice(VALUES)
    return vectors


def _npy(rng: random.Random, pool: Any, stem: Path) -> str:
    """Write a .npy file: sound, of another kind, with a header that lies, or damaged."""
    with np.errstate(all="ignore"):
        vectors = _values(rng, pool).astype(rng.choice(["<f4", "<f2", "<f8", ">f4", "<i4"]))
    held = io.BytesIO()
    np.save(held, np.asfortranarray(vectors) if rng.random() < 0.3 else vectors)
    data = bytearray(held.getvalue())
    if rng.random() < 0.6:
        shape = rng.choice([*SHAPES, "({n}, 4)"]).format(n=len(pool))
        kind = rng.choice([*KINDS, "<f4"])
        header = (
            f"{{'descr': {kind if kind.startswith('[') else repr(kind)}, 'fortran_order': False, 'shape': {shape}}}"
        )
        header = rng.choice([header, header, header[:-3], "(" * 5000, header + " " * 20000, "", "[" + header + "]"])
        version = rng.choice([(1, 0), (1, 0), (2, 0), (3, 0), (9, 0)])
        length = rng.choice([len(header), len(header), 2**16 - 1, 3])
        packed = struct.pack("<H" if version[0] == 1 else "<I", min(length, 65535))
        data = bytearray(b"\x93NUMPY" + bytes(version) + packed + header.encode() + vectors.tobytes())
    stem.with_name("odd.npy").write_bytes(_damaged(rng, data))
    return ".npy"


def _parquet(rng: random.Random, pool: Any, stem: Path) -> str:
    """Write a Parquet file of vectors: sound, of another type, with repeated or lacking keys, or damaged."""
    keys = pool.rows["key"].to_list()
    rng.shuffle(keys)
    keys = rng.choice([keys, keys, keys[:-1], [*keys[1:], keys[1]], [None] * len(keys), list(range(len(keys)))])
    lists = [list(row) for row in _values(rng, pool)[: len(keys)]]
    odd = rng.choice(["as", "as", "ragged", "null", "text", "struct", "number", "nested", "huge", "empty"])
    column: Any = {
        "as": lists,
        "ragged": [row[: rng.randrange(5)] for row in lists],
        "null": [None] * len(lists),
        "text": ["a"] * len(lists),
        "struct": [{"a": 1.0}] * len(lists),
        "number": [rng.choice(VALUES) for _ in lists],
        "nested": [[row] for row in lists],
        "huge": [2**63 - 1] * len(lists),
        "empty": [[]] * len(lists),
    }[odd]
    file = stem.with_name("odd.parquet")
    pl.DataFrame({"key": keys, "vector": column}, strict=False).write_parquet(file)
    file.write_bytes(_damaged(rng, bytearray(file.read_bytes())))
    return ".parquet"


def _table(rng: random.Random, pool: Any, stem: Path) -> str:
    """Write a table of scores with odd numbers, quotes and lines."""
    odd = ["0.5", "1e400", "nan", "", '"', "-1", "9" * 400, "0x10", "a,b", "1_000", "\0", "null", "[1]", '{"a": 1}']
    ending = rng.choice([".csv", ".jsonl"])
    lines = [] if ending == ".jsonl" else ["key,vector"]
    for key in pool.rows["key"]:
        value = rng.choice(odd) if rng.random() < 0.05 else "0.25"
        lines.append(f'{{"key": "{key}", "vector": {value}}}' if ending == ".jsonl" else f"{key},{value}")
    stem.with_name(f"odd{ending}").write_bytes(_damaged(rng, bytearray("\n".join(lines).encode())))
    return ending


def _damaged(rng: random.Random, data: bytearray) -> bytes:
    """Change, cut or lengthen the bytes of a file, or leave them."""
    way = rng.randrange(8)
    if way == 0 and data:
        del data[rng.randrange(len(data)) :]
    elif way == 1:
        for _ in range(rng.randrange(1, 9)):
            data[rng.randrange(len(data))] = rng.randrange(256)
    elif way == 2:
        data += bytes(rng.randrange(100))
    return bytes(data)
