"""Differences of two mixes: counts beside naive sets, files with and without what lies beside them, harmless output."""

import json
import os
import subprocess
import sys
from collections import Counter
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recipe import select_mix
from recipe.check.drift import check_drift
from recipe.check.drift.baseline import diff_files
from recipe.check.drift.diff import EXAMPLES, Picked, diff_mixes
from recipe.check.drift.verdicts import Drift
from recipe.data.picks import Picks
from recipe.data.samples import SHOWN
from recipe.demo import write_demo
from recipe.errors import InputError

TURNS = [{"from": "human", "value": "<image>\nQ?"}, {"from": "gpt", "value": "A."}]


def picked(keys, tasks=None, clusters=None, turns=TURNS):
    """Build the samples of a mix by their keys."""
    columns = {
        "key": pl.Series(list(keys), dtype=pl.String),
        "row": pl.Series([0] * len(keys), dtype=pl.UInt32),
        "task": pl.Series(tasks or ["t"] * len(keys), dtype=pl.String),
        "cluster": pl.Series(clusters or [None] * len(keys), dtype=pl.Int32),
    }
    return Picked(pl.DataFrame(columns), pl.DataFrame({"turns": [turns]}))


keys = st.lists(st.sampled_from("abcdefghijklmnopqrstuvwxyz"), max_size=40)


@given(keys, keys)
def test_counts_are_those_of_multisets(old, new):
    """Added, removed and kept are the differences and the intersection of two multisets, whatever repeats in a mix."""
    diff = diff_mixes(picked(old), picked(new), Drift(()))
    one, two = Counter(old), Counter(new)
    assert (diff.added, diff.removed, diff.kept) == ((two - one).total(), (one - two).total(), (one & two).total())
    keys = {side: {each.key for each in examples} for side, examples in diff.examples.items()}
    for side, whole in (("added", set(two - one)), ("removed", set(one - two))):
        assert keys[side] <= whole
        assert len(keys[side]) == len(diff.examples[side]) == min(EXAMPLES, len(whole))


@given(keys, keys, st.randoms(use_true_random=False))
def test_order_does_not_matter(old, new, lot):
    """The same samples in another order give the same difference, examples and all."""
    shuffled = lot.sample(new, len(new))
    assert diff_mixes(picked(old), picked(new), Drift(())) == diff_mixes(picked(old), picked(shuffled), Drift(()))


def test_counts_by_label_by_hand():
    """Counts by task and cluster are sorted by how much changed, then by name; unknown labels are left out."""
    old = picked("abcd", ["x", "x", "y", "z"], [1, 1, 2, None])
    new = picked("cdefg", ["y", "z", "z", "y", "w"], [2, None, 7, None, 7])
    diff = diff_mixes(old, new, check_drift({"yes": 0.5, "vendi": 3}, {"yes": 0.6, "fresh": 1}))
    assert list(diff.tasks.items()) == [
        ("x", {"added": 0, "removed": 2, "kept": 0}),
        ("w", {"added": 1, "removed": 0, "kept": 0}),
        ("y", {"added": 1, "removed": 0, "kept": 1}),
        ("z", {"added": 1, "removed": 0, "kept": 1}),
    ]
    assert list(diff.clusters) == ["1", "7", "2"]
    assert [each.metric for each in diff.moved] == ["yes"]
    assert diff.not_measured == ("fresh", "vendi")


def test_examples_show_the_beginning_of_the_first_pair():
    """An example shows its first question and answer on one line, without the picture's mark, and cut where long."""
    turns = [{"from": "human", "value": "<image>\nTwo\nlines?"}, {"from": "gpt", "value": "word " * 100}, *TURNS]
    (one,) = diff_mixes(picked([]), picked(["a"], turns=turns), Drift(())).examples["added"]
    assert (one.question, len(one.answer), one.answer[-1]) == ("Two lines?", SHOWN, "…")


@pytest.fixture(scope="module")
def mix(tmp_path_factory):
    """Return a folder with a demo pool, and a mix of it."""
    folder = tmp_path_factory.mktemp("diff")
    write_demo(folder / "pool", images=40)
    return folder, select_mix(folder / "pool", size=200)


@pytest.fixture(scope="module")
def folder(mix):
    """Return a folder with mixes: a, b (some picks swapped), packed ones, and bare copies without files beside them."""
    folder, one = mix
    rows = one.picks.rows.copy()
    free = np.setdiff1d(np.flatnonzero(one.pool.eligible), rows)
    rows[::4] = free[:: len(free) // 50][:50]
    two = replace(one, picks=Picks(rows), stated=None)
    for name, each in (("a", one), ("b", two)):
        each.write(folder / f"{name}.json")
        (folder / f"bare_{name}.json").write_bytes((folder / f"{name}.json").read_bytes())
        packed = each.recipe.model_copy(update={"write": each.recipe.write.model_copy(update={"pack": True})})
        replace(each, recipe=packed).write(folder / f"packed_{name}.json")
        (folder / f"bare_packed_{name}.json").write_bytes((folder / f"packed_{name}.json").read_bytes())
    return folder


def keys_of(folder, name):
    """Return the keys of a written mix by its manifest."""
    return set(json.loads((folder / f"{name}.manifest.json").read_text())["keys"])


@pytest.mark.parametrize(
    ("a", "b"), [("a", "b"), ("bare_a", "bare_b"), ("a", "bare_b"), ("packed_a", "packed_b"), ("packed_a", "b")]
)
def test_files_are_compared_by_their_samples(folder, mix, a, b):
    """Samples are counted by key, whether the manifests are there, one is gone, or single questions were packed."""
    diff = diff_files(folder / f"{a}.json", folder / f"{b}.json")
    old, new = keys_of(folder, "a"), keys_of(folder, "b")
    assert (diff.added, diff.removed, diff.kept) == (len(new - old), len(old - new), len(new & old))
    assert diff.added == 50
    table = mix[1].pool.rows.select("key", "task", "cluster").filter(pl.col("key").is_in(list(new - old)))
    if not (a.startswith("bare") and b.startswith("bare")):
        assert {name: counts["added"] for name, counts in diff.tasks.items() if counts["added"]} == Counter(
            table["task"]
        )
        assert {name: counts["added"] for name, counts in diff.clusters.items() if counts["added"]} == {
            str(name): count for name, count in Counter(table["cluster"]).items()
        }
    else:
        assert sum(counts["added"] for counts in diff.tasks.values()) == 50
        assert diff.clusters == {}
    for side, among in (("added", new - old), ("removed", old - new)):
        assert len(diff.examples[side]) == EXAMPLES
        assert {each.key for each in diff.examples[side]} <= among
    if "packed" not in a:
        assert all(each.question and each.answer for each in diff.examples["added"])


def test_packed_records_without_manifests(folder):
    """Where one side does not say which samples were packed, records are compared with records."""
    same = diff_files(folder / "packed_a.json", folder / "bare_packed_a.json")
    assert (same.added, same.removed) == (0, 0)
    assert same.kept == len(json.loads((folder / "packed_a.json").read_text()))
    assert diff_files(folder / "packed_a.json", folder / "bare_packed_b.json").added > 0


def test_a_mix_against_itself(folder):
    """Nothing came, nothing left, nothing moved."""
    diff = diff_files(folder / "a.json", folder / "a.json")
    assert (diff.added, diff.removed, diff.kept, diff.moved, diff.not_measured) == (0, 0, 200, (), ())
    assert diff.examples == {"added": [], "removed": []}


def test_clusters_of_other_pools_are_not_compared(folder, tmp_path):
    """Numbers of clusters that two mixes mean differently are not counted."""
    write_demo(tmp_path / "pool", images=20)
    select_mix([folder / "pool", tmp_path / "pool"], size=200, seed=1).write(tmp_path / "c.json")
    diff = diff_files(folder / "a.json", tmp_path / "c.json")
    assert diff.tasks
    assert diff.clusters == {}


def run(*arguments, cwd):
    """Run `recipe` in a folder."""
    command = [sys.executable, "-m", "recipe", *map(str, arguments)]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False, env=os.environ)


def test_the_command(folder):
    """The command prints counts, tables and examples, or all of it as JSON, the same twice."""
    done = run("diff", "a.json", "b.json", cwd=folder)
    assert (done.returncode, done.stderr) == (0, "")
    assert "50 added, 50 removed, 150 kept" in done.stdout
    outputs = [run("diff", "a.json", "b.json", "--json", cwd=folder).stdout for _ in range(2)]
    assert outputs[0] == outputs[1]
    found = json.loads(outputs[0])
    assert found == json.loads(json.dumps(diff_files(folder / "a.json", folder / "b.json").to_dict()))
    assert all(each["key"][:12] in done.stdout for each in found["examples"]["added"])


def test_what_cannot_be_read(folder):
    """A file that is not there is an input error with exit code 2."""
    with pytest.raises(InputError, match=r"none\.json"):
        diff_files(folder / "a.json", folder / "none.json")
    done = run("diff", "none.json", "a.json", cwd=folder)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)


def test_output_is_harmless(folder):
    """Markup and control characters of a sample are shown as text, not obeyed by the terminal."""
    record = {
        "id": "a",
        "conversations": [{"from": "human", "value": "[red]Is\x1b[31m it?\x07"}, {"from": "gpt", "value": "[/x] No."}],
    }
    (folder / "evil.json").write_text(json.dumps([record]))
    done = run("diff", "a.json", "evil.json", cwd=folder)
    assert done.returncode == 0
    assert "[red]Is\\x1b[31m it?\\x07" in done.stdout
    assert "[/x] No." in done.stdout
    assert not {"\x1b", "\x07"} & set(done.stdout)
