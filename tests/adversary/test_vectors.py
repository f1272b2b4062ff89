"""Vectors reach the samples that they were made of, by keys, by ids or in an order that is named, or are refused."""

from __future__ import annotations

import warnings

import numpy as np
import polars as pl
import pytest

from recipe import demo_pool, select_mix
from recipe.errors import AlignmentError, ConfigError, InputError, Unrelated
from recipe.stages.embed import cached, hashing

QUICK = {"size": 40, "select": "kcenter", "engine": "serial", "score": []}


@pytest.fixture(scope="module")
def pool():
    return demo_pool(images=12)


@pytest.fixture(scope="module")
def vectors(pool):
    """Vectors in the order of the pool."""
    return hashing.embed(pool, d=32)


@pytest.fixture(scope="module")
def back(pool):
    """Rows of the pool in the order of its sources."""
    return np.argsort(pool.rows["order"].to_numpy())


@pytest.fixture
def strict():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


@pytest.mark.usefixtures("strict")
def test_every_door_leads_to_the_same_vectors(pool, vectors, back):
    """Keys, the order of the pool and that of the sources give each sample its own vector."""
    mixed = np.random.default_rng(0).permutation(len(pool))
    keys = pool.rows["key"].gather(mixed)
    doors = [
        pool.with_vectors(vectors, order="pool"),
        pool.with_vectors(vectors[back], order="sources"),
        pool.with_vectors(vectors[mixed], keys=keys),
        pool.with_vectors(np.vstack([vectors[:1], vectors[mixed]]), keys=["other", *keys]),
    ]
    for one in doors:
        assert np.array_equal(one.vectors, vectors)


def test_ids_name_vectors_where_each_is_of_one_sample(pool, vectors):
    """Ids work like keys; one that several samples have is refused by name."""
    unique = pool.with_labels(pl.DataFrame({"id": [f"sample {row}" for row in range(len(pool))]}))
    mixed = np.random.default_rng(0).permutation(len(pool))
    ids = unique.rows["id"].gather(mixed)
    assert np.array_equal(unique.with_vectors(vectors[mixed], ids=ids).vectors, vectors)
    twice = unique.with_labels(pl.DataFrame({"id": ["sample 1", *unique.rows["id"][1:]]}))
    with pytest.raises(AlignmentError, match="got id='sample 1' of several"):
        twice.with_vectors(vectors, ids=twice.rows["id"])


def test_what_does_not_say_whose_the_vectors_are_is_refused(pool, vectors):
    """No order at all, two doors at once, an unknown order, and a sample without a vector are errors."""
    keys = pool.rows["key"]
    for given, message in (
        ({}, "say which vector is whose by keys=..., ids=..., order="),
        ({"order": "pool", "keys": keys}, "expected one of keys, ids and order, got keys and order"),
        ({"order": "files"}, "got order='files'"),
        ({"keys": ["x", *keys[1:]]}, f"1 have none, as key='{keys[0]}'"),
        ({"keys": keys[1:]}, "expected vectors of shape"),
    ):
        with pytest.raises(AlignmentError, match=message):
            pool.with_vectors(vectors, **given)


def test_the_wrong_order_is_refused_and_the_right_one_named(pool, vectors, back):
    """Vectors that fit the texts only in the other order are an error, in memory and in a file."""
    with pytest.raises(AlignmentError, match=r"in the order of the pool, but .* give order='sources'"):
        pool.with_vectors(vectors[back], order="pool")
    with pytest.raises(AlignmentError, match=r"in the order of the sources, but .* give order='pool'"):
        pool.with_vectors(vectors, order="sources")
    assert pool.with_vectors(vectors, order="sources", check=False).vectors is not None


def test_vectors_of_other_samples_are_a_warning(pool, vectors):
    """Shuffled and random vectors share nothing with the texts, which is said; the check can be switched off."""
    rng = np.random.default_rng(1)
    for strange in (vectors[rng.permutation(len(pool))], rng.normal(size=(len(pool), 8)).astype(np.float32)):
        with pytest.warns(Unrelated, match="share no more words than samples at random"):
            pool.with_vectors(strange, order="pool")
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            pool.with_vectors(strange, order="pool", check=False)


@pytest.mark.usefixtures("strict")
def test_files_say_whose_their_vectors_are(pool, vectors, back, tmp_path):
    """A matrix in the order of the sources, of the pool, or with a list of keys, and a table by key or id are alike."""
    named = pool.with_labels(pl.DataFrame({"id": [f"sample {row}" for row in range(len(pool))]}))
    np.save(tmp_path / "sources.npy", vectors[back])
    np.save(tmp_path / "pool.npy", vectors)
    np.save(tmp_path / "mixed.npy", vectors[::-1])
    for column in ("key", "id"):
        names = named.rows[column].reverse()
        (tmp_path / f"{column}.txt").write_text("\n".join(names), "utf-8")
        table = pl.DataFrame({column: names, "vector": vectors[::-1].tolist()})
        table.write_parquet(tmp_path / f"{column}.parquet")
    ways = [
        {"path": "sources.npy"},
        {"path": "pool.npy", "order": "pool"},
        {"path": "mixed.npy", "keys": tmp_path / "key.txt"},
        {"path": "mixed.npy", "ids": tmp_path / "id.txt"},
        {"path": "key.parquet"},
        {"path": "id.parquet"},
    ]
    for way in ways:
        found = cached.embed(named, **way | {"path": tmp_path / way["path"]})
        assert np.abs(found - vectors).max() < 1e-6, way
    with pytest.raises(AlignmentError, match="give order='pool'"):
        cached.embed(named, path=tmp_path / "pool.npy")
    with pytest.raises(InputError, match="cannot read"):
        cached.embed(named, path=tmp_path / "pool.npy", ids=tmp_path / "none.txt")


def test_a_mix_is_the_same_through_every_door(pool, vectors, back):
    """The same vectors give the same picks, however they were handed over."""
    one, other = pool.with_vectors(vectors, order="pool"), pool.with_vectors(vectors[back], order="sources")
    assert select_mix(one, **QUICK).keys == select_mix(other, **QUICK).keys


def test_two_vectors_of_one_key_are_refused_where_they_differ(pool, vectors, tmp_path):
    """Which of them counts would depend on their order; vectors that are equal but for rounding may repeat."""
    keys, where = [*pool.rows["key"], pool.rows["key"][3]], tmp_path / "keys.txt"
    where.write_text("\n".join(keys))

    def doors(last):
        """Return every way to hand the vectors over with one more of the fourth key."""
        given = np.vstack([vectors, last[None]])
        np.save(tmp_path / "v.npy", given)
        pl.DataFrame({"key": keys, "vector": given.tolist()}).write_parquet(tmp_path / "v.parquet")
        yield lambda: pool.with_vectors(given, keys=keys).vectors
        yield lambda: pool.with_vectors(given[::-1], keys=keys[::-1]).vectors
        yield lambda: cached.embed(pool, path=tmp_path / "v.npy", keys=where)
        yield lambda: cached.embed(pool, path=tmp_path / "v.parquet")

    for door in doors(vectors[3] + np.float32(1e-6)):
        assert np.abs(door() - vectors).max() < 1e-5
    for door in doors(np.roll(vectors[3], 1)):
        with pytest.raises(AlignmentError, match=f"one vector for '{keys[3]}', got two that differ"):
            door()


def test_the_rows_of_a_table_without_a_vector_are_ignored(pool, vectors, tmp_path):
    """A key that has no vector in one row has the vector of its other row, whichever is first."""
    keys, given = [pool.rows["key"][3], *pool.rows["key"]], [None, *vectors.tolist()]
    for step in (1, -1):
        pl.DataFrame({"key": keys[::step], "vector": given[::step]}).write_parquet(tmp_path / "v.parquet")
        assert np.abs(cached.embed(pool, path=tmp_path / "v.parquet") - vectors).max() < 1e-6


def test_a_file_of_vectors_has_one_door(pool, vectors, tmp_path):
    """Of keys, ids and order only one is taken, also where the order is the usual one."""
    np.save(tmp_path / "v.npy", vectors)
    (tmp_path / "keys.txt").write_text("\n".join(pool.rows["key"]))
    for order in ("pool", "sources"):
        with pytest.raises(ConfigError, match="expected one of keys, ids and order, got keys and order"):
            cached.embed(pool, path=tmp_path / "v.npy", keys=tmp_path / "keys.txt", order=order)


@pytest.mark.parametrize(("end", "ending"), [("\n", "\n"), ("\r\n", "\r\n"), ("\n", "\n\n"), ("\r\n", "\r\n\r\n")])
def test_a_list_of_keys_may_end_with_an_empty_line(end, ending, pool, vectors, tmp_path):
    """Line ends of any system are read, and an empty last line is no key; another empty line is one too many."""
    np.save(tmp_path / "v.npy", vectors)
    keys = tmp_path / "keys.txt"
    keys.write_bytes((end.join(pool.rows["key"]) + ending).encode())
    assert np.abs(cached.embed(pool, path=tmp_path / "v.npy", keys=keys) - vectors).max() < 1e-6
    keys.write_bytes((end + end.join(pool.rows["key"])).encode())
    with pytest.raises(AlignmentError, match="expected vectors of shape"):
        cached.embed(pool, path=tmp_path / "v.npy", keys=keys)
