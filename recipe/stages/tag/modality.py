"""What a sample shows beside its text: nothing, a picture, several, a video, a sound, or several kinds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    from recipe.data.pool import Pool

MODALITIES = ("text", "image", "images", "video", "audio", "several")


def tag(pool: Pool) -> pl.DataFrame:
    """Count the pictures of each sample, and name what it shows.

    Parameters
    ----------
    pool
        n samples.

    Returns
    -------
    polars.DataFrame
        n rows: `n_images` (u32) and `modality` (str: one of `MODALITIES`).

    Examples
    --------
    >>> from recipe import demo_pool
    >>> tag(demo_pool(images=2))["modality"].unique().sort().to_list()
    ['image', 'text']
    """
    images = (
        pl.when(pl.col("media").is_null()).then(pl.col("image").is_not_null().cast(pl.UInt32)).otherwise(_of("image"))
    )
    rows = pool.rows.select(n_images=images, videos=_of("video").fill_null(0), sounds=_of("audio").fill_null(0))
    kinds = (pl.col("n_images") > 0).cast(pl.UInt8) + (pl.col("videos") > 0) + (pl.col("sounds") > 0)
    named = (
        pl.when(kinds > 1)
        .then(pl.lit("several"))
        .when(pl.col("videos") > 0)
        .then(pl.lit("video"))
        .when(pl.col("sounds") > 0)
        .then(pl.lit("audio"))
        .when(pl.col("n_images") > 1)
        .then(pl.lit("images"))
        .when(pl.col("n_images") == 1)
        .then(pl.lit("image"))
        .otherwise(pl.lit("text"))
    )
    return rows.select("n_images", modality=named)


def _of(kind: str) -> pl.Expr:
    """Count the media of a kind."""
    return pl.col("media").list.eval(pl.element().struct.field("kind") == kind).list.sum().cast(pl.UInt32)
