"""Functions of a user: what they return is checked, what they raise is one line, what they are lent stays as it is."""

from __future__ import annotations

import importlib
import io
import json
import os
import sys
import threading
from functools import partial
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from adversary import own

from recipe import demo_pool, read_pool, score_pool, select_mix
from recipe.config.calls import guarded
from recipe.config.code import as_named, identity, load
from recipe.config.registry import check_knobs
from recipe.data.picks import Picks
from recipe.demo import write_demo
from recipe.engine.workers import dismiss
from recipe.errors import ConfigError, FunctionError, NotCached, RecipeError
from recipe.io.cache import open_store
from recipe.stages.balance import make_quotas
from recipe.stages.read import Entry

QUICK = {"size": 20, "select": "random", "score": [], "engine": "serial"}


@pytest.fixture(scope="module")
def pool():
    return demo_pool(images=4)


@pytest.fixture(scope="module")
def labelled(pool):
    """The pool with vectors and clusters, so that only what is asked for runs again."""
    return score_pool(pool, score=[])


@pytest.fixture
def quiz(tmp_path):
    """A file of no known format."""
    file = tmp_path / "quiz.json"
    file.write_text(json.dumps([{"q": str(number)} for number in range(5)]))
    return file


def refused(run, *words):
    """The error of a call that fails with one line that has these words."""
    with pytest.raises(RecipeError) as caught:
        run()
    said = str(caught.value)
    assert all(word in said for word in words), said
    assert "\n" not in said
    assert len(said) < 700
    return caught.value


@pytest.mark.parametrize("kind", own.PICKS)
def test_picks_are_checked(kind, labelled):
    """Form, rows, quotas and gains of a selector are checked, and a selector writes into nothing."""
    given, said = own.PICKS[kind]
    before = labelled.vectors.copy()
    refused(lambda: select_mix(labelled, **{**QUICK, "select": given}), said)
    assert np.array_equal(labelled.vectors, before)


def test_picks_may_pass_no_limit(labelled):
    """Where images limit the cells, the limit itself, and that of a source, are checked."""
    limits = {"per_image": 2, "margins": {}, "yes_share": None}
    refused(lambda: select_mix(labelled, **{**QUICK, "size": 8, "select": _first, "balance": limits}), "of an image")
    task = labelled.rows["task"].filter(labelled.eligible).value_counts(sort=True)["task"][0]
    limits = {"per_image": 20, "margins": {}, "yes_share": None, "at_most": {"task": {task: 3}}}
    only = partial(_of_task, task=task)
    refused(lambda: select_mix(labelled, **{**QUICK, "select": only, "balance": limits}), "limited source", "more")


def _first(pool, quotas):  # noqa: ARG001
    """Pick the first rows."""
    return Picks(np.argsort(quotas.image, kind="stable")[quotas.cell[np.argsort(quotas.image, kind="stable")] >= 0][:8])


def _of_task(pool, quotas, *, task):
    """Pick of one task only."""
    return Picks(np.flatnonzero(pool.eligible & (pool.rows["task"] == task).to_numpy())[: quotas.size])


def test_what_fits_is_taken_as_it_is_meant(labelled):
    """A list of rows is taken, and a selector that keeps its arrays cannot change the mix later."""
    kept = []

    def right(pool, quotas):
        kept.append(own.right(pool, quotas))
        return Picks(kept[-1])

    lists = select_mix(labelled, **{**QUICK, "select": own.picking(lambda rows, *_: Picks(rows.tolist()))})
    mix = select_mix(labelled, **{**QUICK, "select": right})
    kept[0][:] = 0
    assert mix.keys == lists.keys
    assert mix.picks.rows.dtype == np.int64


def test_selectors_of_the_package_may_be_used_by_ones_own(labelled):
    """A selector of your own that calls a shipped one with what it is lent gets the same picks as that one."""
    from recipe.stages.select import facility, mmr

    for shipped in (facility, mmr):
        mine = partial(_calls, shipped.select)
        assert select_mix(labelled, **{**QUICK, "select": mine}).keys == (
            select_mix(labelled, **{**QUICK, "select": shipped.__name__.rpartition(".")[2]}).keys
        )


def _calls(select, pool, quotas, *, seed=0):
    """Call another selector."""
    return select(pool, quotas, seed=seed)


@pytest.mark.parametrize("kind", own.SCORES)
def test_scores_are_checked(kind, labelled):
    """A score is a finite float32 array with one number a sample, and nothing else."""
    given, said = own.SCORES[kind]
    given.__qualname__ = "mine"
    refused(lambda: select_mix(labelled, **{**QUICK, "score": [given]}), said)


def test_a_score_is_a_copy(labelled):
    """Two scores that return one buffer, and a view that may only be read, give the numbers of their own time."""
    buffer = np.zeros(len(labelled), np.float32)

    def first(pool):  # noqa: ARG001
        buffer[:] = 1
        return buffer

    def second(pool):
        buffer[:] = 2
        view = np.broadcast_to(np.float32(3), len(pool))
        return buffer if len(pool) else view

    def third(pool):
        return np.broadcast_to(np.float32(3), len(pool))

    rows = score_pool(labelled, score=[first, second, third]).rows
    assert rows.select("first", "second", "third").unique().rows() == [(1.0, 2.0, 3.0)]


@pytest.mark.parametrize("kind", own.VECTORS)
@pytest.mark.parametrize("whole", [True, False])
def test_vectors_are_checked(kind, whole, pool):
    """Vectors are finite floats with one row a sample, whether of a whole pool or of a shard."""
    given, said = own.VECTORS[kind]
    embedder = (lambda pool: given(len(pool))) if whole else own.Embedder(given)
    refused(lambda: score_pool(pool, score=[], embed=embedder), said)


@pytest.mark.parametrize("kind", own.EMBEDDERS)
def test_embedders_are_checked(kind, pool):
    """What an embedder learns is named arrays, and what it reports finite numbers."""
    given, said = own.EMBEDDERS[kind]
    eligible = pool.eligible.copy()
    refused(lambda: score_pool(pool, score=[], embed=given), said)
    assert np.array_equal(pool.eligible, eligible)


@pytest.mark.parametrize("whole", [True, False])
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_vectors_of_any_length_become_unit_rows(whole, dtype, pool):
    """Vectors are scaled to length one, as those of a file are, and a zero row becomes the first unit vector."""

    def long(n):
        made = np.full((n, 4), 50, dtype)
        made[0] = 0
        return made

    embedder = (lambda pool: long(len(pool))) if whole else own.Embedder(long)
    vectors = np.asarray(score_pool(pool, score=[], embed=embedder).vectors, np.float32)
    assert vectors[0].tolist() == [1, 0, 0, 0]
    assert np.array_equal(vectors[1:], np.full((len(pool) - 1, 4), 0.5))


def test_what_was_learned_cannot_be_changed(pool):
    """An `encode` that writes into what `fit` learned would depend on the order of the shards; it is refused."""

    class Writes:
        def fit(self, pool, *, seed=0):  # noqa: ARG002
            return {"a": np.zeros(3)}

        def encode(self, shard, learned, *, seed=0):  # noqa: ARG002
            learned["a"] += 1
            return np.ones((len(shard), 3), np.float32)

    refused(lambda: score_pool(pool, score=[], embed=Writes()), "Writes.encode raised ValueError", "read-only")


@pytest.mark.parametrize("kind", own.CLUSTERS)
def test_clusters_are_checked(kind, labelled):
    """Clusters are integers from 0, one a sample."""
    given, said = own.CLUSTERS[kind]
    refused(lambda: score_pool(labelled, score=[], cluster=given), said)


@pytest.mark.parametrize("kind", own.SHARES)
def test_shares_are_checked(kind, labelled):
    """A rule shares out integers within the supply, whose sum is the size."""
    given, said = own.SHARES[kind]
    refused(lambda: select_mix(labelled, **QUICK, balance={"margins": {"task": given}}), said)


def test_a_rule_may_return_a_list(labelled):
    """Integers in a list or of few bits are taken, also where gaps ask the rule again."""
    made = [lambda share, _: share, lambda share, _: share.tolist(), lambda share, _: share.astype(np.uint8)]
    mixes = [select_mix(labelled, **QUICK, balance={"margins": {"task": own.sharing(make)}}) for make in made]
    assert len({tuple(mix.keys) for mix in mixes}) == len({repr(mix.gaps()) for mix in mixes}) == 1


@pytest.mark.parametrize("kind", own.READERS)
def test_entries_are_checked(kind, quiz):
    """A reader yields entries whose fields are of the right types; an exception in it names the file that it read."""
    given, said = own.READERS[kind]
    error = refused(lambda: read_pool(quiz, format=given), said)
    assert "quiz.json" in str(error) or isinstance(error, ConfigError)


def test_nothing_is_lost_by_a_reader(quiz):
    """A record of which a reader makes nothing, and one with half of a surrogate pair, are rows with a problem."""
    none = read_pool(quiz, format=lambda record, context: [])  # noqa: ARG005
    assert none.rows["problem"].to_list() == ["not_a_record:the reader made nothing of it"] * 5
    half = read_pool(quiz, format=lambda record, _: [Entry([("human", record["q"] + "\ud800"), ("gpt", "I.")])])
    assert half.rows["problem"].to_list() == ["L12"] * 5
    assert half.rows["key"].n_unique() == 5


@pytest.mark.parametrize("sure", [None, "much", -1, 2, float("nan"), 1j])
def test_a_reader_is_as_sure_as_a_share(sure, quiz, monkeypatch):
    """A confidence that is no number from 0 to 1 is refused by the name of the reader."""
    monkeypatch.setattr("recipe.stages.read.svit.confidence", lambda _: sure)
    refused(lambda: read_pool(quiz), "read.svit.confidence: expected a number from 0 to 1, got")


@pytest.mark.parametrize("kind", own.WRITERS)
def test_writers_are_checked(kind, labelled, tmp_path):
    """A writer writes the file that it is told to, and says how many records are in it."""
    given, said = own.WRITERS[kind]
    mix = select_mix(labelled, **QUICK, write={"format": given})
    refused(lambda: mix.write(tmp_path / "mix.txt"), said)
    assert not (tmp_path / "mix.manifest.json").exists()


def test_a_table_that_is_lent_is_ones_own(labelled):
    """A function that changes the table, the eligible rows, the report or its knobs changes its own copies only."""
    knobs = {"names": ["a"]}

    def spoils(pool, *, names=()):
        pool.rows.replace_column(0, pool.rows["row"].reverse())
        pool.eligible[:] = True
        names.append("b")
        return np.zeros(len(pool), np.float32)

    def picks(pool, quotas):
        quotas.report.replace_column(0, pl.Series("margin", ["x"] * quotas.report.height))
        assert pool.rows["row"].is_sorted()
        return Picks(own.right(pool, quotas))

    from recipe.config.step import Step

    before, eligible = labelled.rows.clone(), labelled.eligible.copy()
    mix = select_mix(labelled, **{**QUICK, "score": [Step(spoils, knobs)], "select": picks})
    assert mix.pool.rows["row"].is_sorted()
    assert "x" not in mix.quotas.report["margin"]
    assert labelled.rows.equals(before)
    assert np.array_equal(labelled.eligible, eligible)
    assert knobs == {"names": ["a"]}


def test_lent_quotas_are_those_of_the_mix(labelled):
    """A lent copy is equal in everything, and read-only where it shares memory."""
    quotas = make_quotas(labelled, 10, margins={"task": ("even", {})}, per_image=3)
    lent = quotas.lent()
    for name in ("cell", "quota", "stratum", "limited", "image"):
        assert np.array_equal(getattr(lent, name), getattr(quotas, name))
        assert not getattr(lent, name).flags.writeable
    assert lent.per_image == 3
    assert lent.report.equals(quotas.report)


def test_the_cause_is_kept_and_ctrl_c_passes(labelled):
    """The exception of a user is the cause of the error; an error of the library, and Ctrl-C, pass through."""

    def raises(pool):  # noqa: ARG001
        raise thrown

    for thrown in (ValueError("a\nb" * 300), OSError(28, "full", "x"), MemoryError(), SystemExit(3), GoesWrong()):
        error = refused(lambda: score_pool(labelled, score=[raises]), f"raised {type(thrown).__name__}")
        assert isinstance(error, FunctionError)
        assert error.__cause__ is thrown
    for thrown in (KeyboardInterrupt(), ConfigError("my own words")):
        with pytest.raises(type(thrown)) as caught:
            score_pool(labelled, score=[raises])
        assert caught.value is thrown


class GoesWrong(Exception):  # noqa: N818
    """An exception that cannot be printed or sent to another process."""

    def __init__(self):
        self.lock = threading.Lock()

    def __str__(self):
        raise ValueError


MODULE = """
import sys, threading

class GoesWrong(Exception):
    def __init__(self):
        self.lock = threading.Lock()

    def __str__(self):
        raise ValueError

class InWorker:
    def __init__(self, failure):
        self.failure = failure

    def encode(self, shard, learned, *, seed=0):
        if self.failure == "odd":
            raise GoesWrong
        sys.exit(1) if self.failure == "exit" else None
        raise ValueError("in a worker")
"""


@pytest.fixture
def in_worker(tmp_path, monkeypatch):
    """A module with an embedder that fails in its worker; its folder is found there too."""
    (tmp_path / "fails_in_worker.py").write_text(MODULE)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")]))
    dismiss()  # processes that were started before do not know the folder
    yield importlib.import_module("fails_in_worker").InWorker
    sys.modules.pop("fails_in_worker")


@pytest.mark.parametrize(("failure", "said"), [("odd", "GoesWrong"), ("exit", "SystemExit: 1"), ("", "in a worker")])
def test_workers_say_the_same(failure, said, tmp_path, in_worker):
    """What is raised in a process of its own comes back as one line, even where it cannot be sent itself."""
    how = {"engine": "processes", "workers": 1, "cache": tmp_path / "cache", "score": []}
    write_demo(tmp_path, images=2)
    refused(lambda: score_pool(tmp_path / "svit", embed=in_worker(failure), **how), "InWorker.encode raised", said)
    if not failure:
        embedder = in_worker(threading.Lock())
        refused(lambda: score_pool(tmp_path / "svit", embed=embedder, **how), "cannot be sent", "cannot pickle")


def test_what_a_worker_cannot_load_is_named(tmp_path, in_worker):
    """An object of a module that a worker does not find is refused by the name of the module, at the first try."""
    embedder = in_worker("")
    (tmp_path / "fails_in_worker.py").unlink()
    write_demo(tmp_path, images=2)
    how = {"engine": "processes", "workers": 1, "cache": tmp_path / "cache", "score": []}
    refused(lambda: score_pool(tmp_path / "svit", embed=embedder, **how), "cannot be loaded", "fails_in_worker")


MODULES = {
    "syntax": ("def f(:", "importing it failed with SyntaxError: invalid syntax (syntax.py, line 1)"),
    "exits": ("import sys\nsys.exit(4)", "importing it failed with SystemExit: 4 (exits.py, line 2)"),
    "zeros": ("a\0b", "importing it failed with SyntaxError"),
    "asks": ("def __getattr__(name):\n    raise RuntimeError('no')", "failed with RuntimeError: no (asks.py, line 2)"),
    "number": ("f = 3", "expected number:f to be a function"),
    "object_": (
        "class A:\n    def __getattr__(self, name):\n        raise ValueError('no')\nf = A()",
        "raised ValueError: no",
    ),
    "bare": ("def f(pool, half=3): ...", "'half' is not keyword-only; write def ...(pool, *, half=...)"),
    "only": ("def f(pool, half, /): ...", "expected a function of (pool, *, ...)"),
    "empty": ("", "the module has no 'f', but nothing"),
}


@pytest.mark.parametrize("name", MODULES)
def test_modules_that_do_not_fit_are_named(name, tmp_path, monkeypatch):
    """A module that cannot be imported, or has something else under the name, is refused before anything is read."""
    text, said = MODULES[name]
    (tmp_path / f"{name}.py").write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    try:
        refused(lambda: select_mix(tmp_path, **{**QUICK, "score": [{f"{name}:f": {"half": 3}}]}), said)
    finally:
        sys.modules.pop(name, None)


def test_a_function_whose_name_is_a_column_is_not_blamed_for_another():
    """A missing module is named as that, whatever its function is called; the name of a column is refused after it."""
    refused(lambda: select_mix("nowhere", **{**QUICK, "score": ["nowhere:x"]}), "no such module can be imported")
    refused(lambda: select_mix("nowhere", **{**QUICK, "score": ["nowhere.sub:task"]}), "no such module")

    def task(pool): ...

    refused(
        lambda: select_mix("nowhere", **{**QUICK, "score": [task]}), "that no column of a pool has, got task", "called"
    )


def test_what_has_no_name_is_not_looked_for():
    """A lambda, a partial and a function of a script are named, and refused by name where another run needs them."""
    for name in ("mine:<lambda>", "mine:f.<locals>.g", "mine:<partial of f>"):
        with pytest.raises(ConfigError, match="define it with def in a module"):
            check_knobs("score", name, {})
    with pytest.raises(ConfigError, match="defined in a script or a notebook"):
        check_knobs("score", "__main__:no_such_function", {})
    assert as_named(own.right) == "adversary.own:right"
    for odd in (own.picking(None), partial(own.right), "abc".upper, own.Embedder()):
        assert as_named(odd) is odd


def test_a_reader_with_a_name_is_cached(quiz, tmp_path):
    """A reader that a process finds by its name is sent to workers and cached; of another, one warning says so."""
    store = open_store(tmp_path / "cache")
    known = read_pool(quiz, format=named_reader, store=store)
    assert known.checkpoint.shards is not None
    assert known.rows["key"].to_list() == read_pool(quiz, format=named_reader).rows["key"].to_list()
    with pytest.warns(NotCached, match="nothing of this pool is cached; put it in a module") as caught:
        assert read_pool(quiz, format=own.reading(), store=store).checkpoint.shards is None
    assert len(caught) == 1


def named_reader(record, context):  # noqa: ARG001
    """Read a question."""
    yield Entry([("human", record["q"]), ("gpt", "I.")])


def test_a_cache_knows_what_a_module_imports(tmp_path, monkeypatch):
    """A change in a local module that the function's module imports, at any depth, makes another identity."""
    (tmp_path / "kit").mkdir()
    files = {
        "top_of_mine.py": "import json, numpy, kit.a\ndef f(pool): ...",
        "kit/__init__.py": "",
        "kit/a.py": "def g():\n    from . import b\n    from .c import h",
        "kit/b.py": "import top_of_mine",
        "kit/c.py": "h = 1",
        "kit/unused.py": "",
    }
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    seen = {identity("top_of_mine:f")}
    for name, text in files.items():
        (tmp_path / name).write_text(f"{text}\n# changed")
        now = identity("top_of_mine:f")
        assert (now in seen) == (name == "kit/unused.py"), name
        seen.add(now)
    assert "top_of_mine" not in sys.modules
    assert "kit" not in sys.modules


@pytest.mark.parametrize("fails", [False, True])
@pytest.mark.parametrize("gone", [False, True])
def test_the_working_directory_is_restored(labelled, tmp_path, monkeypatch, fails, gone):
    """A function that changes the working directory, even to one that it removes, changes none of the later paths."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "away").mkdir()

    def moves(pool):
        os.chdir("away")
        if gone:
            (tmp_path / "away").rmdir()
        if fails:
            raise ValueError
        return np.zeros(len(pool), np.float32)

    if fails:
        refused(lambda: score_pool(labelled, score=[moves]), "raised ValueError")
    else:
        select_mix(labelled, **{**QUICK, "score": [moves]}).write("mix.json")
        assert (tmp_path / "mix.json").is_file()
    assert Path.cwd() == tmp_path


def test_calls_at_the_same_time_end_where_they_began(tmp_path, monkeypatch):
    """Two calls that overlap in threads leave the working directory where it was before both of them."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "away").mkdir()
    first, second = guarded("mine:first"), guarded("mine:second")
    with first:
        os.chdir("away")
        second.__enter__()
    second.__exit__(None, None, None)
    assert Path.cwd() == tmp_path


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_an_output_may_not_be_closed(labelled, monkeypatch, stream):
    """A function that closes an output is named with it; one that finds it closed is not blamed."""

    def closes(pool):
        getattr(sys, stream).close()
        return np.zeros(len(pool), np.float32)

    monkeypatch.setattr(sys, stream, io.StringIO())
    refused(lambda: score_pool(labelled, score=[closes]), f"closes closed sys.{stream}")
    if stream == "stdout":  # tqdm asks the other whether it is a terminal
        score_pool(labelled, score=[closes])


def test_an_output_may_not_be_closed_by_its_number(labelled, tmp_path, monkeypatch):
    """Neither may a function close the file of an output behind Python's back."""
    with (tmp_path / "printed").open("w") as file:
        copy = os.dup(file.fileno())
        monkeypatch.setattr(sys, "stdout", file)

        def closes(pool):
            os.close(file.fileno())
            return np.zeros(len(pool), np.float32)

        refused(lambda: score_pool(labelled, score=[closes]), "closes closed sys.stdout")
        os.dup2(copy, file.fileno())
        os.close(copy)


def test_a_module_that_changes_its_surroundings_when_it_is_imported(tmp_path, monkeypatch):
    """What a module does when it is imported is held to the same rules."""
    (tmp_path / "moves_at_import.py").write_text("import os\nos.chdir('/')\ndef score(pool): ...\n")
    (tmp_path / "closes_at_import.py").write_text("import sys\nsys.stdout.close()\ndef score(pool): ...\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    load("moves_at_import:score")
    assert Path.cwd() == tmp_path
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    refused(lambda: load("closes_at_import:score"), "closes_at_import:score closed sys.stdout")
