"""Small pools and quotas made of columns, and hypothesis strategies for them."""

import numpy as np
import polars as pl
from hypothesis import strategies as st

from recipe.pool import SCHEMA, Pool
from recipe.quotas import Quotas


def pool_of(n, *, vectors=None, **columns):
    """Build a pool of n samples from columns; what is not given is filled in, and more columns than `SCHEMA` may be."""
    plain = {
        "row": range(n),
        "key": [f"{i:06d}" for i in range(n)],
        "id": [str(i) for i in range(n)],
        "source": ["pool.json"] * n,
        "record": range(n),
        "order": range(n),
        "turns": [[]] * n,
        "n_words": [1] * n,
        "n_tokens": [1] * n,
    }
    given = {name: plain.get(name, [None] * n) for name in SCHEMA} | columns
    rows = pl.DataFrame([pl.Series(name, list(values), dtype=SCHEMA.get(name)) for name, values in given.items()])
    return Pool(rows, vectors)


def quotas_of(cell, quota, *, stratum=None, image=None, per_image=None):
    """Build quotas from lists; by default all cells are of one stratum, and every row has an image of its own."""
    return Quotas(
        np.array(cell, np.int32),
        np.array(quota, np.int64),
        np.zeros(len(quota), np.int32) if stratum is None else np.array(stratum, np.int32),
        np.zeros(len(quota), np.bool_),
        np.arange(len(cell), dtype=np.int32) if image is None else np.array(image, np.int32),
        per_image,
        pl.DataFrame(),
    )


def unit_rows(seed, n, d, *, clusters=None, spread=0.3):
    """Draw n unit vectors, uniform or around the middles of clusters, and their clusters."""
    rng = np.random.default_rng(seed)
    cluster = np.zeros(n, np.int32) if clusters is None else rng.integers(clusters, size=n, dtype=np.int32)
    middles = np.zeros((1, d)) if clusters is None else rng.normal(size=(clusters, d))
    points = middles[cluster] + rng.normal(size=(n, d)) * (1 if clusters is None else spread)
    return (points / np.linalg.norm(points, axis=1, keepdims=True)).astype(np.float32), cluster


@st.composite
def labelled_pools(draw, *, answers, most=40):
    """Draw a pool with the labels that margins name; `answers` draws the yes and no answers of one sample."""
    sample = st.fixed_dictionaries(
        {
            "source": st.sampled_from(["a.json", "b.json"]),
            "image": st.sampled_from([None, "1.jpg", "2.jpg", "3.jpg", "4.jpg", "5.jpg"]),
            "problem": st.sampled_from([None, None, None, "empty"]),
            "task": st.sampled_from(["caption", "ocr", "yes_no", "conversation"]),
            "cluster": st.integers(0, 5),
            "answers": answers,
        }
    )
    samples = draw(st.lists(sample, min_size=1, max_size=most))
    columns = {name: [sample[name] for sample in samples] for name in samples[0]}
    counts = columns.pop("answers")
    return pool_of(len(samples), n_yes=[yes for yes, _ in counts], n_no=[no for _, no in counts], **columns)


ONE_ANSWER = st.sampled_from([(0, 0), (1, 0), (0, 1)])
MANY_ANSWERS = st.tuples(st.integers(0, 4), st.integers(0, 4))
