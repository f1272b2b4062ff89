"""Laws of size: a pool on disk, in pieces and parts, is the pool in memory, and a cache changes nothing but time."""

import filecmp
import json
import os
import tempfile
from functools import partial
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from builders import thinned
from hypothesis import given, settings
from hypothesis import strategies as st

from recipe import Pool, read_pool, score_pool, select_mix
from recipe.data.vectors import unit_rows
from recipe.demo import write_demo
from recipe.errors import InputError, RecipeError
from recipe.io.cache import open_store
from recipe.io.cache_contents import clear_cache, list_cache
from recipe.io.store import MARK, Store
from recipe.stages import dedup, embed, read, tag
from recipe.stages.read import _shards
from recipe.stages.read._json.cut import cut

DATA = Path(os.environ.get("RECIPE_DATA", Path(__file__).parents[3] / "shared" / "data"))
QUIRKS = sorted(path for path in DATA.glob("quirks/*") if path.is_file())
SIZES = {"size": 300, "seed": 5}


@pytest.fixture
def small_shards(monkeypatch):
    """Cut files into pieces of some records and pools into shards of some rows, so that a small pool has many."""
    monkeypatch.setattr(read, "IN_MEMORY", -1)
    monkeypatch.setattr(_shards, "PIECE", 3000)
    monkeypatch.setattr(_shards, "SHARD", 100)
    monkeypatch.setattr(dedup, "SHARD", 100)


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """Write a pool of 30 images, and the mix that is picked from it in memory."""
    folder = tmp_path_factory.mktemp("demo")
    (folder / "pool").mkdir()
    write_demo(folder / "pool", images=30)
    select_mix(folder / "pool", **SIZES).write(folder / "mix.json")
    return folder


def never(*_, **__):
    """Raise: this must not be called again."""
    raise AssertionError("done again")


def same_files(one, other):
    """Return whether all files of a written mix are the same, byte for byte."""
    names = sorted(path.name for path in one.glob("mix.*"))
    assert len(names) == 5
    return names == sorted(path.name for path in other.glob("mix.*")) and all(
        filecmp.cmp(one / name, other / name, shallow=False) for name in names
    )


# cutting


RECORDS = st.recursive(
    st.none() | st.integers() | st.text('ab"\\,[]{}\u00e9\n', max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text('a",]', max_size=3), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(RECORDS, max_size=30), st.integers(1, 40), st.sampled_from([None, 1]), st.sampled_from(["", " ", "\n\n"])
)
def test_shards_of_an_array_hold_its_elements(tmp_path_factory, records, piece, indent, around):
    """However an array is cut, the elements of all pieces are its elements, in their order."""
    file = tmp_path_factory.mktemp("cut") / "a.json"
    file.write_text(around + json.dumps(records, indent=indent) + around, encoding="utf-8")
    spans = cut(file, piece=piece)
    if spans is not None:
        data = file.read_bytes()
        assert [json.loads(b"[" + data[start:end] + b"]") for start, end in spans if data[start:end].strip()] != []
        assert [one for start, end in spans for one in json.loads(b"[" + data[start:end] + b"]")] == records


@settings(max_examples=100, deadline=None)
@given(st.lists(st.dictionaries(st.text(max_size=3), RECORDS), min_size=1, max_size=30), st.integers(1, 60))
def test_shards_of_lines_hold_them(tmp_path_factory, records, piece):
    """However JSON Lines are cut, the lines of all pieces are its lines, in their order."""
    file = tmp_path_factory.mktemp("cut") / "a.jsonl"
    file.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    spans = cut(file, piece=piece)
    if spans is not None:
        data = file.read_bytes()
        assert [json.loads(line) for start, end in spans for line in data[start:end].splitlines()] == records


@pytest.mark.parametrize("text", ["[1,2][3,4]", "[1,2] x", "[1,2", "5, 6, 7", '"[1,2,3]"'])
def test_what_is_no_single_array_is_not_cut(tmp_path, text):
    """Two arrays, an array with something behind it, a broken one, and what is none: they are read as a whole."""
    (tmp_path / "a.json").write_text(text)
    assert cut(tmp_path / "a.json", piece=1) is None


@pytest.mark.skipif(not QUIRKS, reason="the real data are not here; set RECIPE_DATA to their folder")
@pytest.mark.parametrize("lenient", [False, True])
@pytest.mark.parametrize("file", QUIRKS, ids=lambda file: file.name)
def test_trouble_is_the_same_in_shards(file, lenient, monkeypatch):
    """Any file of real trouble gives the same table, or the same error, whether it is cut or read as a whole."""

    def outcome():
        try:
            return read_pool(file, lenient=lenient).rows
        except RecipeError as error:
            return f"{type(error).__name__}: {error}"

    whole = outcome()
    monkeypatch.setattr(read, "IN_MEMORY", -1)
    monkeypatch.setattr(_shards, "PIECE", 300)
    in_shards = outcome()
    assert in_shards == whole if isinstance(whole, str) else whole.equals(in_shards)


# parts


def test_a_pool_on_disk_is_the_pool_in_memory(demo, small_shards):  # noqa: ARG001  it patches
    """The table of a pool that was read by pieces into parts equals that of the pool in memory."""
    on_disk = read_pool(demo / "pool")
    assert on_disk.checkpoint.shards is not None
    assert len(on_disk.checkpoint.shards.names) > 5
    in_memory = Pool(on_disk.rows)
    assert in_memory.rows["key"].is_sorted()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(read, "IN_MEMORY", 10**9)
        assert read_pool(demo / "pool").rows.equals(on_disk.rows)


@pytest.mark.parametrize(
    ("engine", "workers"), [("serial", None), ("processes", 1), ("processes", 2), ("processes", 4), ("ray", 2)]
)
def test_every_engine_writes_the_same_bytes(demo, small_shards, tmp_path, engine, workers):  # noqa: ARG001  it patches
    """Serial, on 1, 2 and 4 processes, and on Ray: all files of the mix are those that were picked in memory."""
    if engine == "ray":
        pytest.importorskip("ray")
    mix = select_mix(demo / "pool", cache=tmp_path / "cache", engine=engine, workers=workers, **SIZES)
    mix.write(tmp_path / "mix.json")
    assert same_files(demo, tmp_path)


def test_a_warm_cache_writes_the_same_bytes(demo, small_shards, tmp_path, monkeypatch):  # noqa: ARG001  it patches
    """A second run with the same cache reads, tags and embeds nothing, and writes the same bytes."""
    select_mix(demo / "pool", cache=tmp_path / "cache", engine="serial", **SIZES)
    for module, name in ((_shards, "read_piece"), (tag, "label"), (dedup, "_near"), (embed, "_encode")):
        monkeypatch.setattr(module, name, never)
    mix = select_mix(demo / "pool", cache=tmp_path / "cache", engine="serial", **SIZES)
    mix.write(tmp_path / "mix.json")
    assert same_files(demo, tmp_path)


def test_another_size_or_margin_embeds_nothing_again(demo, small_shards, tmp_path, monkeypatch):  # noqa: ARG001  as above
    """With a warm cache, another size and other margins come from the vectors that are there."""
    select_mix(demo / "pool", cache=tmp_path / "cache", engine="serial", **SIZES)
    monkeypatch.setattr(embed, "_encode", never)
    mix = select_mix(demo / "pool", cache=tmp_path / "cache", size=100, seed=5, balance={"yes_share": None})
    assert len(mix) == 100


def test_what_matters_makes_another_artefact(demo, small_shards, tmp_path):  # noqa: ARG001  it patches
    """Other bytes in a source, another seed or another knob of a stage are never answered from the cache."""
    cache = partial(score_pool, demo / "pool", cache=tmp_path / "cache", engine="serial", size=10)
    first = cache()
    assert not (first.vectors == cache(seed=1).vectors).all()
    other = cache(embed={"hashing": {"d": 16}})
    assert other.vectors.shape[1] == 16
    assert cache(dedup={"near": None}).rows["problem"].null_count() > first.rows["problem"].null_count()


@pytest.mark.parametrize("many", [1, 4])
def test_a_cache_behind_a_url_writes_the_same_bytes(demo, small_shards, tmp_path, many):  # noqa: ARG001  it patches
    """A store that is named by a URL gives the same mix."""
    where = f"file://{tmp_path}/cache{many}"
    select_mix(demo / "pool", cache=where, engine="processes", workers=many, **SIZES).write(tmp_path / "mix.json")
    assert same_files(demo, tmp_path)
    assert (tmp_path / f"cache{many}" / MARK).exists()


def test_a_cache_on_another_machine_gives_the_same_bytes(demo, small_shards, tmp_path, monkeypatch):  # noqa: ARG001  it patches
    """A store whose artefacts are read as copies gives the same mix, is listed like a folder, and is cleared."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))  # where copies are kept
    for again in range(2):
        mix = select_mix(demo / "pool", cache=f"memory://{tmp_path}/cache", engine="serial", **SIZES)
        mix.write(tmp_path / f"mix{again}.json")
        assert (tmp_path / f"mix{again}.json").read_bytes() == (demo / "mix.json").read_bytes()
    far = list_cache(f"memory://{tmp_path}/cache")
    select_mix(demo / "pool", cache=tmp_path / "cache", engine="serial", **SIZES)
    near = list_cache(tmp_path / "cache")
    assert [(kept.folder, kept.files) for kept in far] == [(kept.folder, kept.files) for kept in near]
    assert all(kept.used > 1e9 for kept in far + near)
    assert clear_cache(f"memory://{tmp_path}/cache") == sum(kept.size for kept in far)
    assert list_cache(f"memory://{tmp_path}/cache") == []
    assert not list(tmp_path.glob("recipe-*"))


def test_a_given_pool_is_taken_as_it_is(demo, small_shards):  # noqa: ARG001  it patches
    """What was attached to a pool after it was read counts, though its files know nothing of it."""
    pool = read_pool(demo / "pool")
    one, other = (unit_rows(np.random.default_rng(seed).random((len(pool), 8), np.float32)) for seed in (0, 1))
    ours, turned = (
        select_mix(pool.with_vectors(vectors, order="pool", check=False), **SIZES) for vectors in (one, other)
    )
    assert (ours.pool.vectors == one).all()
    assert ours.keys != turned.keys == select_mix(Pool(pool.rows, other), **SIZES).keys
    half = pool.refuse(pl.Series(["mine" if row % 2 else None for row in range(len(pool))]))
    assert not (select_mix(half, **SIZES).picks.rows % 2).any()


@pytest.mark.parametrize("across", [False, True])
def test_no_refused_sample_is_kept_in_place_of_a_sound_one(across):
    """A sample whose near duplicate was rejected for another problem stays, within an image and across images."""
    pool = read_pool_of_twins()
    mix = select_mix(pool, size=1, dedup={"near": 0.8, "across_images": across}, select="random")
    assert mix.counts == {"read": 2, "picked": 1, "not picked": 0, "rejected mine": 1}


def read_pool_of_twins():
    """Make two samples of nearly the same words, the earlier one refused."""
    from builders import make_pool

    said = ["one two three four five six seven eight nine ten", "one two three four five six seven eight nine eleven"]
    pool = make_pool([[("human", "What is said here?"), ("gpt", text)] for text in said])
    return pool.refuse(pl.Series(["mine", None]))


# the cache


def test_a_cache_lists_and_clears_what_it_holds(demo, small_shards, tmp_path):  # noqa: ARG001  it patches
    """Every stage is listed with its bytes, and clearing leaves nothing."""
    select_mix(demo / "pool", cache=tmp_path / "cache", **SIZES)
    stages = {kept.stage for kept in list_cache(tmp_path / "cache")}
    assert {"read", "tag", "near", "embed", "cluster"} <= stages
    held = sum(kept.size for kept in list_cache(tmp_path / "cache"))
    assert clear_cache(tmp_path / "cache") == held > 0
    assert list_cache(tmp_path / "cache") == []


@pytest.mark.parametrize("mark", ['{"format": 0}', "[]", "no json"])
def test_a_cache_of_another_format_is_refused(tmp_path, mark):
    """An older or newer cache is neither read nor cleared, and the message says what to do."""
    (tmp_path / MARK).write_text(mark)
    for use in (open_store, list_cache, clear_cache):
        message = r"(expected a cache of format 2|cannot read the cache).*remove it, or name another folder"
        with pytest.raises(InputError, match=message):
            use(tmp_path)
    assert (tmp_path / MARK).read_text() == mark


def test_a_folder_of_other_files_is_no_cache(tmp_path):
    """A folder that holds something else is left alone."""
    (tmp_path / "thesis.tex").write_text("chapter 1")
    with pytest.raises(InputError, match="expected a cache of recipe or nothing, got other files"):
        open_store(tmp_path)


def test_a_store_of_its_own_goes_with_its_pool(demo, small_shards):  # noqa: ARG001  it patches
    """Without a cache the text lies in a folder that is removed when the pool is."""
    pool = read_pool(demo / "pool")
    folder = Path(pool.checkpoint.shards.store.root)
    assert folder.is_dir()
    del pool
    assert not folder.exists()


def test_a_failed_write_leaves_no_artefact(tmp_path):
    """An artefact whose writing fails is not there, and neither is half of it."""
    store = Store(str(tmp_path))
    broken = pytest.raises(ZeroDivisionError)
    with broken, store.writing("a/b.npy") as file:
        file.write(bytes(1 // 0))
    assert not store.has("a/b.npy")
    assert list((tmp_path / "a").iterdir()) == []


def test_real_samples_give_the_same_bytes_everywhere(real_data, tmp_path, monkeypatch):
    """Serial in one order of the sources and on processes in the other: one mix of real samples."""
    monkeypatch.setattr(read, "IN_MEMORY", -1)
    monkeypatch.setattr(_shards, "PIECE", 300_000)
    monkeypatch.setattr(_shards, "SHARD", 1500)
    monkeypatch.setattr(dedup, "SHARD", 1500)
    sources = [thinned(real_data / name, tmp_path / name, 10) for name in ("svit", "vision_flan")]
    for engine in ("serial", "processes"):
        (tmp_path / engine).mkdir()
        mix = select_mix(sources, cache=tmp_path / "cache" / engine, engine=engine, workers=2, size=1000)
        mix.write(tmp_path / engine / "mix.json")
        sources.reverse()
    assert same_files(tmp_path / "serial", tmp_path / "processes")
