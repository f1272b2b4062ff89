"""Pictures that several files name alike, though each file has a folder of its own for them."""

from __future__ import annotations

import warnings

import polars as pl

from recipe.errors import SharedNames


def warn_of_shared_names(rows: pl.DataFrame) -> None:
    """Warn if files that state the sizes of their pictures, as InternVL's do, name pictures alike.

    Such files are usually listed with a folder each, below which their pictures lie.

    Parameters
    ----------
    rows
        Of a pool.

    Warns
    -----
    SharedNames
        If two files name a picture alike, and no list gives them a folder.
    """
    if rows["media"].null_count() == len(rows):
        return
    first = pl.col("media").list.first().struct
    sized = rows.lazy().filter(first.field("width").is_not_null() & first.field("root").is_null())
    named = sized.filter(first.field("hash").is_null() & pl.col("image").is_not_null()).select("image", "source")
    shared = named.group_by("image").agg(pl.col("source").n_unique().alias("n"), pl.col("source").min().alias("first"))
    found = shared.filter(pl.col("n") > 1).sort("image").collect()
    if len(found):
        what = f"{len(found):,} pictures are named alike by several files, as {found['image'][0]!r:.80}"
        fix = "they count as the same: name the list of files that gives each its folder (meta.json) if they are not"
        warnings.warn(f"{what}; {fix}", SharedNames, stacklevel=3)
