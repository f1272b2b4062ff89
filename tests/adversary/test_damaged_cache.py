"""A damaged cache is never believed, a source that changes is never read, and a function is never taken for another."""

from __future__ import annotations

import json
import os
import random
import sys
from functools import partial
from itertools import cycle

import fsspec
import numpy as np
import pytest
from adversary import damage

from recipe import rebuild_mix, select_mix
from recipe.config.code import identity
from recipe.demo import write_demo
from recipe.errors import DamagedCache, InputError
from recipe.io.cache import open_store
from recipe.io.store import MARK
from recipe.stages import dedup, read
from recipe.stages.read import _records, _shards

ALIKE = [damage.emptied, damage.cut, damage.flipped, damage.flipped_last, damage.replaced, damage.swapped]
HARMS = [*ALIKE, damage.deleted, damage.link_to_nothing, damage.pipe]  # every pair of harm and file: damage.py
PARTS = 3


@pytest.fixture(scope="module")
def cached(tmp_path_factory):
    """Return a small pool on disk whose cache holds every kind of artefact, and the bytes of its mix."""
    with pytest.MonkeyPatch.context() as patch:
        for owner, name in ((read, "IN_MEMORY"), (_shards, "PIECE"), (_shards, "SHARD"), (dedup, "SHARD")):
            patch.setattr(owner, name, getattr(owner, name))
        damage.small_shards()
        made = damage.Cached(tmp_path_factory.mktemp("damaged"))
        made.expected = made.run()
        yield made


@pytest.mark.parametrize("part", range(PARTS))
def test_a_damaged_cache_gives_the_same_mix(cached, part, recwarn):
    """Whatever happens to a third of the files of a cache, each in its way, the mix is the same and the cache whole."""
    rng, files = random.Random(PARTS), cached.files()
    rng.shuffle(files)
    for name, harm in zip(files[part::PARTS], cycle(HARMS[part:] + HARMS[:part])):
        if (cached.cache / name).is_file():  # not moved by another harm
            harm(cached.cache / name, rng)
    assert cached.run() == cached.expected
    warned = [str(one.message) for one in recwarn if one.category is DamagedCache]
    assert warned
    assert all("\n" not in line and "it is removed and made again" in line for line in warned)
    assert cached.files() == sorted(files)


def test_a_mended_cache_is_believed(cached, recwarn):
    """Nothing is made again when all is sound."""
    assert cached.run() == cached.expected
    assert not [one for one in recwarn if one.category is DamagedCache]


def test_a_folder_in_place_of_an_artefact_is_one_line(cached):
    """A folder where an artefact should be is not removed, and the error names it."""
    path = next(cached.cache.glob("embed-*/matrix.npy"))
    content = path.read_bytes()
    damage.folder(path, None)
    with pytest.raises(InputError, match=r"matrix\.npy: expected a file of the cache, got what cannot be removed"):
        cached.run()
    path.rmdir()
    path.write_bytes(content)
    assert cached.run() == cached.expected


def test_a_damaged_piece_is_read_again(cached, monkeypatch):
    """What a killed run has read but not merged is checked before it is merged."""
    for path in cached.cache.glob("read-*/[ds]*"):
        path.unlink()
    with monkeypatch.context() as patch:
        patch.setattr(_shards, "_merge", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            cached.run()
    pieces = sorted(cached.cache.glob("read-*/piece-*.arrow"))
    assert len(pieces) > 1
    damage.flipped(pieces[0], random.Random(0), -20)
    pieces[1].write_bytes(pieces[1].read_bytes()[:-100])
    with pytest.warns(DamagedCache, match="piece-0000"):
        assert cached.run() == cached.expected


def test_an_older_cache_is_passed_over(cached):
    """The mark of a cache without checksums is replaced, and nothing of it is read."""
    (cached.cache / f"{MARK}.sum").unlink()
    (cached.cache / MARK).write_text('{"format": 1}')
    assert cached.run() == cached.expected
    open_store(cached.cache)


@pytest.fixture
def far(tmp_path, monkeypatch):
    """Return a far store with one artefact, whose copies on this machine lie in a folder of this test."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    store = open_store(f"memory://{tmp_path.name}")
    with store.writing("stage-0123456789abcdef/part.bin") as file:
        file.write(bytes(1000))
    return store


def test_a_cut_copy_of_a_far_artefact_is_fetched_again(far):
    """A copy on this machine is checked before it is used."""
    copy = far.get("stage-0123456789abcdef/part.bin")
    copy.write_bytes(bytes(999))
    assert far.get("stage-0123456789abcdef/part.bin").read_bytes() == bytes(1000)


def test_a_far_artefact_that_is_damaged_or_out_of_reach(far, monkeypatch):
    """A damaged far artefact counts as absent; one that cannot be fetched is one line."""
    name = "stage-0123456789abcdef/part.bin"
    far.forget()
    with monkeypatch.context() as patch:
        patch.setattr(type(far.files), "cat_file", lambda *_, **__: (_ for _ in ()).throw(ValueError("two\nlines")))
        with pytest.raises(InputError, match=r"cannot be read \(ValueError: two lines\)"):
            far.get(name)
    fsspec.filesystem("memory").pipe_file(far.path(name), bytes(999) + b"x")
    with pytest.warns(DamagedCache, match="not those that were written"):
        assert not far.has(name)
    assert not far.files.exists(far.path(name))


def edit(path):
    """Change a word of a file, but neither its size nor its time."""
    times = path.stat()
    path.write_bytes(path.read_bytes().replace(b"the", b"teh"))
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))


@pytest.fixture
def edited(cached, monkeypatch):
    """Return a source that is edited when it has been hashed and before it is read, and restored afterwards."""
    path = cached.folder / "pool" / "llava_mix.json"
    content, load, span = path.read_bytes(), _records.read_entries, _records.read_span

    def hasty(function):
        def edits(*given, **knobs):
            if path.read_bytes() == content:
                edit(path)
            return function(*given, **knobs)

        return edits

    monkeypatch.setattr(_records, "read_entries", hasty(load))
    monkeypatch.setattr(_records, "read_span", hasty(span))
    yield path
    path.write_bytes(content)


@pytest.mark.parametrize("on_disk", [True, False])
def test_a_source_that_is_edited_while_it_is_read_ends_the_run(edited, on_disk, tmp_path, monkeypatch):
    """The edited source is named, and nothing of it is served to a later run, whatever its size and time say."""
    if not on_disk:
        monkeypatch.setattr(read, "IN_MEMORY", 10**9)
    content = edited.read_bytes()
    with pytest.raises(InputError, match=r"llava_mix\.json: it changed while it was read") as caught:
        select_mix(str(edited), size=10, engine="serial", cache=tmp_path / "cache" if on_disk else None)
    assert "\n" not in str(caught.value)
    edited.write_bytes(content)
    monkeypatch.undo()
    mix = select_mix(str(edited), size=10, engine="serial", cache=tmp_path / "cache" if on_disk else None)
    assert mix.keys == select_mix(str(edited), size=10, engine="serial").keys


def test_the_manifest_names_what_was_read(cached, tmp_path):
    """A source that is edited after it was read keeps its hash, and its records cannot be written as given."""
    path = tmp_path / "llava_mix.json"
    path.write_bytes((cached.folder / "pool" / "llava_mix.json").read_bytes())
    mixes = [select_mix(str(path), size=10, engine="serial", write={"records": how}) for how in ("made", "given")]
    before = mixes[0].write(tmp_path / "before.json")
    edit(path)
    mixes[0].write(tmp_path / "after.json")
    sources = [json.loads((tmp_path / f"{at}.manifest.json").read_text())["sources"] for at in ("before", "after")]
    assert sources[0] == sources[1]
    assert before
    with pytest.raises(InputError, match="it changed while it was read"):
        mixes[1].write(tmp_path / "given.json")
    assert not (tmp_path / "given.json").exists()


def test_a_rebuilt_mix_with_other_bytes_is_not_written(cached, tmp_path):
    """Bytes that are not those of the manifest are refused, and an older file stays."""
    select_mix(str(cached.folder / "pool"), size=10, engine="serial").write(tmp_path / "mix.json")
    file = tmp_path / "mix.manifest.json"
    content = json.loads(file.read_text())
    content["mix"]["sha256"] = "0" * 64
    file.write_text(json.dumps(content))
    (tmp_path / "again.json").write_text("mine")
    with pytest.raises(InputError, match=r"expected to write SHA-256 0000.*nothing is written"):
        rebuild_mix(file, tmp_path / "again.json")
    assert (tmp_path / "again.json").read_text() == "mine"
    assert not list(tmp_path.glob(".rebuild-*"))


class Constant:
    """A score with a state."""

    def __init__(self, value):
        self.value = value

    def __call__(self, pool, *, step=1):
        """Score by it."""
        return np.full(len(pool), self.value * step, np.float32)


constant = Constant(1)


def closed(value):
    """Return a score that closes over a value."""

    def score(pool):
        return np.full(len(pool), value, np.float32)

    return score


def plain(pool, *, seed=0):
    """Score by the seed."""
    return np.full(len(pool), seed, np.float32)


def test_functions_that_are_not_the_same_have_other_identities(monkeypatch):
    """Only what its source tells whole is found again; state, closures and lambdas are not."""
    here = sys.modules[__name__]
    for same in (plain, constant, partial(plain, seed=1), f"{__name__}:plain"):
        assert identity(same) == identity(same)
    assert identity(partial(plain, seed=1)) == identity(partial(plain, seed=1))
    assert identity(partial(plain, seed=1)) != identity(partial(plain, seed=2))
    for lone in (Constant(1), closed(1), lambda pool: pool, Constant(1).__call__, partial(plain, seed=constant)):
        assert identity(lone) != identity(lone)
    monkeypatch.setattr(here, "plain", closed(3))
    assert identity(here.plain) != identity(here.plain)


def test_a_costly_score_of_its_own_gets_the_seed_of_the_recipe(cached, tmp_path, monkeypatch):
    """Another seed, and another object of one class, have their own scores in one cache."""
    monkeypatch.setattr(sys.modules[__name__], "COSTLY", True, raising=False)
    found = []
    for function, seed in ((plain, 3), (plain, 4), (Constant(5), 3), (Constant(6), 3)):
        mix = select_mix(
            str(cached.folder / "pool"),
            size=5,
            seed=seed,
            score=[function],
            cache=tmp_path / "cache",
            engine="serial",
            select="random",
        )
        name = mix.recipe.score[0].label
        found.append(float(mix.pool.rows[name][0]))
    assert found == [3, 4, 5, 6]


def test_a_pipe_in_the_place_of_the_mark_is_not_waited_for(tmp_path):
    """The mark of a cache is read before anything else; a pipe without a writer there, and no checksum, is removed."""
    pool = write_demo(tmp_path / "pool", images=2)
    mix = select_mix(pool, size=5, cache=tmp_path / "cache")
    for name in (MARK, f"{MARK}.sum"):
        (tmp_path / "cache" / name).unlink()
    os.mkfifo(tmp_path / "cache" / MARK)
    assert select_mix(pool, size=5, cache=tmp_path / "cache").keys == mix.keys
    assert (tmp_path / "cache" / MARK).is_file()


def test_a_far_cache_that_cannot_be_reached_keeps_its_mark(tmp_path, monkeypatch):
    """A connection that is lost while the mark is read is an error in one line, and no reason to remove anything."""
    url = f"memory://{tmp_path}/cache"
    open_store(url).put_json(MARK, {"format": 2})
    files = fsspec.filesystem("memory")

    def lost(path):
        raise ConnectionError(f"{path}: reset by peer")

    monkeypatch.setattr(type(files), "cat_file", lambda self, path, **_: lost(path))  # noqa: ARG005  as it is called
    with pytest.raises(InputError, match="reset by peer"):
        open_store(url)
    assert files.exists(f"{tmp_path}/cache/{MARK}")
