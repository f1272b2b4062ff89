"""The synthetic pool is what it says it is, the contest measures what it says, and the tables are what results say."""

import doctest
import errno
import json
import subprocess
import sys
from collections import Counter
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from strategies import unit_rows

from recipe import read_pool

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
sys.path.insert(0, str(BENCHMARKS))
synth, tables, machine, bench_select, selectors = (
    pytest.importorskip(name) for name in ("synth", "tables", "_machine", "bench_select", "_selectors")
)
TASKS = ("conversation", "complex_reasoning", "referring_qa", "detail_description")

linux = pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc")


@pytest.fixture(scope="module")
def pool(tmp_path_factory):
    """Write 130 images, which is more than one chunk."""
    folder = tmp_path_factory.mktemp("synth") / "pool"
    synth.write_pool(130, 0, folder)
    return folder


def run(script, *arguments, cwd=None):
    """Run a script of the folder as a user does."""
    command = [sys.executable, str(BENCHMARKS / script), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd, check=False)


def test_synthetic_pool_hangs_on_its_seed_alone(pool, tmp_path):
    """The same seed gives the same bytes, another seed others, and more images leave those before them as they are."""
    again, more, other = tmp_path / "again", tmp_path / "more", tmp_path / "other"
    synth.write_pool(130, 0, again)
    synth.write_pool(140, 0, more)
    synth.write_pool(130, 1, other)
    for file in pool.iterdir():
        text = file.read_bytes()
        assert text == (again / file.name).read_bytes() != (other / file.name).read_bytes()
        assert json.loads(text) == json.loads((more / file.name).read_bytes())[:130]


def test_synthetic_pool_is_read_without_a_reject(pool):
    """Every sample is eligible for a mix, bears the task of its file, and knows the size of its image."""
    rows = read_pool(pool).rows
    assert rows["problem"].null_count() == len(rows) == 130 * 29
    assert dict(rows["task_name"].value_counts().iter_rows()) == dict(zip(TASKS, (390, 1950, 1300, 130), strict=True))


def test_synthetic_conversations_say_yes_and_no_as_often_as_they_should(pool):
    """30 % of the answers in conversations are yes or no, 70 % of these are yes, and no other task has any."""
    openings = {task: Counter() for task in TASKS}
    for task in TASKS:
        for item in json.loads((pool / f"{task}.json").read_bytes()):
            for talk in item["conversations"]:
                openings[task].update(turn["value"].partition(",")[0] for turn in talk["content"][1::2])
    said = openings.pop("conversation")
    assert (said["Yes"] + said["No"]) / (130 * 15) == pytest.approx(0.3, abs=0.05)
    assert said["Yes"] / (said["Yes"] + said["No"]) == pytest.approx(0.7, abs=0.07)
    assert not any(found["Yes"] or found["No"] for found in openings.values())


def test_synthetic_pool_has_its_duplicates(pool):
    """1 % of the reasoning samples are copies, and 5 % differ from another of the image in one word or mark."""
    copies = near = total = 0
    for item in json.loads((pool / "complex_reasoning.json").read_bytes()):
        said = [" ".join(turn["value"] for turn in talk["content"]) for talk in item["conversations"]]
        total += len(said)
        different = list(dict.fromkeys(said))
        copies += len(said) - len(different)
        words = [Counter(text.replace(".", " .").replace("!", " !").split()) for text in different]
        near += sum(sum(((a - b) + (b - a)).values()) <= 2 for a, b in combinations(words, 2))
    assert copies / total == pytest.approx(0.01, abs=0.008)
    assert near / total == pytest.approx(0.05, abs=0.02)


def test_synthetic_pool_appears_whole_or_not_at_all(pool, tmp_path, monkeypatch):
    """A folder that holds something is refused, and a full disk leaves nothing behind."""
    with pytest.raises(FileExistsError, match="new or empty folder"):
        synth.write_pool(1, 0, pool)

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(synth, "image_data", full)
    with pytest.raises(OSError, match="No space left"):
        synth.write_pool(1, 0, tmp_path / "out")
    assert not list(tmp_path.iterdir())


def test_objective_is_the_mean_best_cosine():
    """Blockwise and as the definition says."""
    vectors, _ = unit_rows(0, 50, 8)
    picks = np.array([3, 30])
    assert bench_select.objective(vectors, picks) == pytest.approx((vectors @ vectors[picks].T).max(axis=1).mean())


def test_greedy_on_a_whole_graph_is_exact_greedy():
    """Where every sample is a neighbour of every other, each pick is the one that a look at all candidates finds."""
    vectors, _ = unit_rows(1, 40, 6)
    square = (vectors @ vectors.T).clip(0)
    picks = selectors.graph_greedy(vectors, 8, 0)()
    best = np.zeros(40)
    for pick in picks:
        gains = np.maximum(square - best, 0).sum(axis=1)
        assert gains[pick] == pytest.approx(gains.max(), rel=1e-5)
        best = np.maximum(best, square[pick])


@linux
def test_contest_writes_what_it_promises(tmp_path):
    """Our selector and random run, the measurements are there, ours is better, and no path is in the results."""
    asked = ("--n", 400, "--k", 20, "--d", 16, "--repeat", 2, "--only", "recipe:facility")
    done = run("bench_select.py", *asked, "--json", tmp_path / "out.json")
    assert done.returncode == 0, done.stderr
    rows = {row["name"]: row for row in json.loads((tmp_path / "out.json").read_bytes())}
    assert {"recipe:facility", "random"} <= set(rows)
    assert all(row["seconds"] > 0 and row["peak_mb"] >= 0 and row["runs"] == 2 for row in rows.values())
    assert rows["recipe:facility"]["objective"] > rows["random"]["objective"]
    assert str(tmp_path) not in (tmp_path / "out.json").read_text()


@linux
def test_memory_of_a_child_is_what_it_allocates():
    """100 MB allocated during the run are measured, 100 MB made while preparing are not; errors are reported."""
    script = """
import numpy as np
from _forked import measured

def broken():
    raise ValueError("no")

def prepare():
    before = np.ones(100_000_000, np.int8)
    return lambda: int(before[0]) + int(np.ones(100_000_000, np.int8).sum(dtype=np.int64))

run, failed = measured(prepare), measured(lambda: broken)
print(run.result, run.peak_mb, failed.error)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=BENCHMARKS, check=True)
    result, peak, error = done.stdout.strip().split(" ", 2)
    assert int(result) == 100_000_001
    assert 99 < float(peak) < 130
    assert error == "ValueError: no"


@linux
def test_job_is_timed_and_weighed(pool, tmp_path):
    """Stages add up to the whole, the mix has its size, and memory is neither nothing nor beyond the machine's."""
    done = run("bench_job.py", "--pool", pool, "--size", 50, "--json", tmp_path / "job.json")
    assert done.returncode == 0, done.stderr
    job = json.loads((tmp_path / "job.json").read_bytes())
    assert (job["samples"], job["picked"]) == (130 * 29, 50)
    assert sum(stage["seconds"] for stage in job["stages"]) == pytest.approx(job["total_seconds"])
    assert 0.05 < job["peak_gb"] < job["machine"]["memory_gb"]
    assert str(pool) not in (tmp_path / "job.json").read_text()


@linux
def test_job_refuses_what_the_library_does_not_take(pool, tmp_path):
    """A failing job is no result."""
    done = run("bench_job.py", "--pool", pool / "missing", "--size", 50, "--json", tmp_path / "job.json")
    assert done.returncode != 0
    assert not (tmp_path / "job.json").exists()


def test_tables_are_what_results_say():
    """The README's tables were made from the files beside it, and making them again changes nothing."""
    text = (BENCHMARKS / "README.md").read_text(encoding="utf-8")
    assert tables.rewritten(text) == text


def test_examples_of_the_benchmarks_run():
    """The doctests of the shared files hold."""
    import _world

    assert not doctest.testmod(machine).failed
    assert not doctest.testmod(_world).failed
