"""Statistics: counted as naive Python counts, read back as they were written."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from importlib import import_module
from itertools import chain, pairwise

import numpy as np
import polars as pl
import pytest
import scipy
from builders import make_pool
from scipy.stats import entropy
from sklearn.decomposition import PCA

import recipe.report.stats.measure
from recipe import open_mix, select_mix
from recipe.data.vectors import rows_of, unit, unit_rows
from recipe.demo import write_demo
from recipe.errors import InputError
from recipe.mix.from_file import file_stats
from recipe.report.representatives import representatives
from recipe.report.stats import coverage, read_stats
from recipe.report.stats.measure import measure, repeats
from recipe.report.stats.vendi import vendi

coverage_file = import_module("recipe.report.stats.coverage")  # `recipe.report.stats` has a function of that name
N = 60
RNG = np.random.default_rng(1)
TASKS = ["conversation", "detail", "referring", None]
CONCEPTS = ["cat", "dog", "red", "left of"]


def drawn(values):
    """One of the values for each sample."""
    return [values[i] for i in RNG.integers(len(values), size=N)]


def talk():
    """A conversation of one or two questions."""
    begin = lambda: " ".join(RNG.choice(["what", "is", "the", "red", "cat", "Dog"], size=RNG.integers(1, 7)))  # noqa: E731
    return [(who, begin() + "!") for _ in range(RNG.integers(1, 3)) for who in ("human", "gpt")]


@pytest.fixture(scope="module")
def pool():
    """A pool with every label that statistics count."""
    return make_pool(
        [talk() for _ in range(N)],
        vectors=unit_rows(RNG.standard_normal((N, 8)).astype(np.float32)),
        image=drawn(["1.jpg", "2.jpg", "3.jpg", None]),
        source=drawn(["b.json", "a.json"]),
        problem=drawn(["L06", "dup:0a", "dup:0b", *[None] * 9]),
        task=drawn(TASKS),
        answer=drawn(["yes", "no", "phrase"]),
        n_qas=RNG.integers(1, 5, size=N).tolist(),
        n_yes=RNG.integers(0, 2, size=N).tolist(),
        n_no=RNG.integers(0, 2, size=N).tolist(),
        concepts=[[c for c in CONCEPTS if RNG.random() < 0.4] for _ in range(N)],
        cluster=RNG.integers(0, 6, size=N).tolist(),
    )


@pytest.fixture(scope="module")
def picked(pool):
    """Some eligible rows."""
    return RNG.permutation(np.flatnonzero(pool.eligible))[:11]


def counted(values):
    """Count what is not null, by name."""
    return dict(sorted(Counter(value for value in values if value is not None).items()))


def check_side(side, rows):
    """Compare one side with naive Python."""
    table = rows.to_dicts()
    images = [row["image"] for row in table]
    lengths = [row["n_words"] for row in table]
    an_image = list(Counter(image for image in images if image).values())
    assert side.samples == len(table)
    assert side.images == len(set(images) - {None})
    assert side.text_only == images.count(None)
    assert [side.qas, side.yes, side.no] == [sum(row[name] for row in table) for name in ("n_qas", "n_yes", "n_no")]
    assert [side.words, side.tokens] == [sum(lengths), sum(row["n_tokens"] for row in table)]
    assert side.sources == counted(row["source"] for row in table)
    assert side.tasks == counted(row["task"] for row in table)
    assert side.answers == counted(row["answer"] for row in table)
    assert side.concepts == counted(concept for row in table for concept in row["concepts"])
    held = counted(row["cluster"] for row in table)
    assert side.clusters["reached"] == len(held)
    assert side.clusters["largest"] == pytest.approx(max(held.values()) / len(table), abs=1e-4)
    assert side.clusters["entropy"] == pytest.approx(entropy(list(held.values()), base=2), abs=1e-4)
    assert side.concept_entropy == pytest.approx(entropy(list(side.concepts.values()), base=2), abs=1e-4)
    for name, of in {"words_a_record": lengths, "samples_an_image": an_image}.items():
        quantiles = side.quantiles[name]
        assert quantiles["mean"] == pytest.approx(np.mean(of), abs=1e-4)
        assert [quantiles["min"], quantiles["p50"], quantiles["max"]] == [min(of), np.median(of), max(of)]
        assert list(quantiles.values())[1:] == sorted(list(quantiles.values())[1:])
    assert side.quantiles["turns_a_record"]["max"] == max(len(row["turns"]) for row in table)
    for task, kinds in side.task_answers.items():
        assert kinds == counted(row["answer"] for row in table if row["task"] == task)
    for task, (yes, no) in side.yes_no.items():
        assert [yes, no] == [sum(row[name] for row in table if row["task"] == task) for name in ("n_yes", "n_no")]
    assert list(side.sources) == sorted(side.sources)


def test_counts_are_those_of_naive_python(pool, picked):
    """Both sides are counted as a loop over their samples counts them, in the order of names."""
    stats = measure(pool, picked)
    check_side(stats.pool, pool.rows)
    check_side(stats.mix, pool.rows[picked])


def test_rejects_are_counted_by_code(pool, picked):
    """Rejected rows are counted by the code before the colon."""
    assert measure(pool, picked).rejected == counted(
        problem and problem.split(":")[0] for problem in pool.rows["problem"]
    )


def test_coverage_is_that_of_brute_force(pool, picked):
    """Coverage is the mean, and its low end the 5 % quantile, of the eligible samples' best cosines to a pick."""
    points = rows_of(pool.vectors, slice(None))
    best = [max(float(points[i] @ points[j]) for j in picked) for i in np.flatnonzero(pool.eligible)]
    reached = measure(pool, picked).coverage
    assert reached["mix"] == pytest.approx(np.mean(best), abs=1e-4)
    assert reached["low"] == pytest.approx(np.quantile(best, 0.05), abs=1e-4)
    assert reached["points"] == len(best)


def test_coverage_in_parts():
    """More points and picks than one block holds give what one multiplication gives."""
    vectors = unit_rows(np.random.default_rng(0).standard_normal((5000, 4)).astype(np.float32))
    points, picks = np.arange(0, 5000), np.arange(0, 5000, 7)[::-1]
    picks = np.concatenate([picks, np.arange(1, 4500)])  # more than 4,096
    assert coverage(vectors, points, picks) == pytest.approx((vectors @ vectors[picks].T).max(axis=1).mean(), abs=1e-5)


def test_a_large_mix_is_estimated_on_fewer_points(pool, picked, monkeypatch):
    """Points times picks stay within the budget, and the estimate within a few of its standard errors."""
    whole = measure(pool, picked).coverage
    monkeypatch.setattr(coverage_file, "PAIRS", 20 * len(picked))
    part = measure(pool, picked).coverage
    assert part["points"] == 20
    assert 0 < abs(part["mix"] - whole["mix"]) < 4 * part["error"]


def test_everything_picked_covers_everything(pool):
    """A mix of all eligible samples has coverage 1, and so has as large a random one."""
    reached = measure(pool, np.flatnonzero(pool.eligible)).coverage
    assert reached["mix"] == reached["random"] == pytest.approx(1, abs=1e-4)
    assert reached["radius"] == pytest.approx(0, abs=1e-4)


def test_random_coverage_hangs_on_the_seed_alone(pool, picked):
    """The random mix beside the mix is the same for a seed, however the picks are ordered, and another for another."""
    twice = [measure(pool, rows, seed=3).coverage["random"] for rows in (picked, picked[::-1])]
    assert twice[0] == twice[1]
    assert len({measure(pool, picked, seed=seed).coverage["random"] for seed in range(5)}) > 1


def test_without_vectors_there_is_no_coverage(pool, picked):
    """A pool that was not embedded, and an empty mix, have no coverage, and are counted all the same."""
    bare = measure(make_pool(["one", "two"]), np.array([1]))
    assert (bare.coverage, bare.mix.samples, bare.mix.tasks, bare.mix.clusters) == ({}, 1, {}, {})
    assert bare.mix.vendi is None
    empty = measure(pool, picked[:0])
    assert (empty.coverage, empty.mix.samples, set(empty.mix.quantiles["words_a_record"].values())) == ({}, 0, {0.0})
    assert empty.metrics()["samples"] == 0


def test_json_round_trip(pool, picked, tmp_path):
    """What is written as JSON is plain ASCII and is read back as the same statistics, value for value."""
    stats = measure(pool, picked, certificate=0.98765432)
    text = stats.to_json()
    (tmp_path / "stats.json").write_text(text, "ascii")
    again = read_stats(tmp_path / "stats.json")
    assert again == stats
    assert again.to_json() == text
    assert again.certificate == 0.9877


@pytest.mark.parametrize(
    "text",
    ["", "[]", "3", "{}", '{"format": 2}', '{"format": 2, "mix": {}, "pool": {}}', '{"format": 2, "mix": 3}'],
)
def test_other_json_is_refused(text, tmp_path):
    """A file that holds no statistics is refused in one line that names it."""
    path = tmp_path / "stats.json"
    path.write_text(text)
    with pytest.raises(InputError, match=r"stats\.json: (cannot read the|expected) statistics") as caught:
        read_stats(path)
    assert "\n" not in str(caught.value)


def test_other_format_is_refused(pool, picked, tmp_path):
    """Statistics of another version are refused by both numbers."""
    path = tmp_path / "stats.json"
    path.write_text(json.dumps(measure(pool, picked).to_dict() | {"format": 7}))
    with pytest.raises(InputError, match="expected statistics of format 2, got format=7"):
        read_stats(path)


def test_missing_file_is_refused(tmp_path):
    """A file that is not there is an input error."""
    with pytest.raises(InputError, match=r"none\.json"):
        read_stats(tmp_path / "none.json")


def test_table_lines(pool, picked):
    """The table has one line for each total, for yes and no, and for each value of the pool, with its shares."""
    stats = measure(pool, picked)
    table = stats.table()
    named = {row["what"]: row for row in table.to_dicts()}
    groups = sum(len(getattr(stats.pool, group)) for group in ("tasks", "answers", "sources", "concepts"))
    assert table.height == len(named) > groups
    assert (named["samples"]["mix"], named["samples"]["pool"], named["samples"]["mix %"]) == (11, N, None)
    red = sum("red" in concepts for concepts in pool.rows["concepts"][picked])
    assert named["concepts: red"]["mix"] == red
    assert named["concepts: red"]["mix %"] == pytest.approx(100 * red / 11, abs=0.005)
    closed = stats.pool.yes + stats.pool.no
    assert named["yes answers"]["pool %"] == pytest.approx(100 * stats.pool.yes / closed, abs=0.005)
    assert sum(row["pool"] for what, row in named.items() if what.startswith("sources: ")) == N
    assert table.schema["mix %"] == pl.Float64


def test_radius_is_that_of_brute_force(pool, picked):
    """The radius is the largest distance of an eligible sample to its nearest pick, with or without a first bound."""
    far = max(1 - max(float(pool.vectors[i] @ pool.vectors[j]) for j in picked) for i in np.flatnonzero(pool.eligible))
    for known in (pool, pool.with_labels(representatives(pool, picked, seed=0))):
        found = measure(known, picked).coverage
        assert found["radius"] == found["radius_at_most"] == pytest.approx(far, abs=1e-4)


def test_the_search_for_the_radius_ends_early(monkeypatch):
    """Once the next bound is below the distance found the search ends; without room to search it is a bound."""
    vectors, cluster = unit(np.random.default_rng(0).standard_normal((3000, 8))), [0] * 3000
    pool, picked = make_pool(["text"] * 3000, vectors=vectors, cluster=cluster), np.arange(0, 3000, 60)
    pool = pool.with_labels(representatives(pool, picked, seed=0))
    looked = []
    best = coverage_file.best_cosines
    monkeypatch.setattr(coverage_file, "FARTHEST", 10)
    monkeypatch.setattr(coverage_file, "best_cosines", lambda *given: looked.append(len(given[1])) or best(*given))
    found = coverage_file._radius(pool, vectors, np.arange(3000), picked)
    assert sum(looked) <= 20
    assert found["radius"] == pytest.approx(1 - (vectors @ vectors[picked].T).max(axis=1).min(), abs=1e-6)
    monkeypatch.setattr(coverage_file, "BLOCK", 0)
    monkeypatch.setattr(coverage_file, "PAIRS", 0)
    unknown = coverage_file._radius(make_pool(["text"] * 3000, vectors=vectors), vectors, np.arange(3000), picked)
    assert (unknown["radius"], unknown["radius_at_most"]) == (0, 2)


@pytest.mark.parametrize(("n", "d"), [(40, 6), (12, 30), (1, 3)])
def test_vendi_is_that_of_the_whole_kernel(n, d):
    """The Vendi score by the d x d dual is that of scipy's eigenvalues of the n x n matrix of cosines."""
    vectors = unit(np.random.default_rng(n).standard_normal((n, d)))
    points = vectors / np.linalg.norm(vectors.astype(np.float64), axis=1, keepdims=True)
    shares = scipy.linalg.eigvalsh(points @ points.T / n)
    shares = shares[shares > 1e-12]
    assert vendi(vectors, np.arange(n)) == pytest.approx(np.exp(-(shares * np.log(shares)).sum()), rel=1e-5)


def test_vendi_by_hand():
    """Duplicates count once, three orthogonal vectors count three, and an empty vector counts nothing."""
    axes = np.eye(3, dtype=np.float16)
    assert vendi(axes, np.array([0, 0, 0])) == pytest.approx(1)
    assert vendi(axes, np.array([2, 1, 0])) == pytest.approx(3)
    assert vendi(np.vstack([axes, np.zeros((2, 3), np.float16)]), np.arange(5)) == pytest.approx(3)
    assert vendi(axes, np.array([], np.int64)) == 0


def test_words_of_texts_are_counted_as_a_loop_counts_them(pool, picked):
    """Distinct words, pairs of words, beginnings of questions and words a turn are those of naive Python."""
    side = measure(pool, picked).mix
    turns = pool.rows["turns"].gather(picked).to_list()
    talks = [[turn["value"].lower().strip("!").split() for turn in row] for row in turns]
    said = [list(chain(*talk)) for talk in talks]
    pairs = [pair for words in said for pair in pairwise(words)]
    starts = Counter(" ".join(turn[:4]) for talk in talks for turn in talk[::2])
    assert side.distinct_1 == pytest.approx(len(set(chain(*said))) / sum(map(len, said)), abs=1e-4)
    assert side.distinct_2 == pytest.approx(len(set(pairs)) / len(pairs), abs=1e-4)
    assert side.question_starts == pytest.approx(entropy(list(starts.values()), base=2), abs=1e-4)
    assert side.quantiles["words_a_turn"]["mean"] == pytest.approx(
        np.mean([len(t) for talk in talks for t in talk]), abs=1e-4
    )
    assert side.texts == len(picked)


def test_texts_are_drawn_by_lot_where_there_are_many(pool, picked, monkeypatch):
    """Of more samples than may be read, so many are read whatever their order, and others for another seed."""
    monkeypatch.setattr(recipe.report.stats.measure, "TEXTS", 7)
    sides = [measure(pool, rows, seed=seed).mix for rows, seed in ((picked, 0), (picked[::-1], 0), (picked, 1))]
    assert [side.texts for side in sides] == [7, 7, 7]
    assert sides[0] == sides[1] != sides[2]


def test_repeats_are_counted():
    """A sample that repeats another of its image counts once; the same words on another image do not."""
    text = "the red cat sits on the old mat near the door"
    pool = make_pool(
        [text, f"{text} ,", text, "something else entirely, with many words of its own"],
        image=["1.jpg", "1.jpg", "2.jpg", "1.jpg"],
    )
    assert repeats(pool, np.arange(4)) == 0.25
    assert repeats(pool, np.array([0, 2, 3])) == 0
    assert repeats(pool, np.array([], np.int64)) == 0


def test_metrics_by_hand():
    """Shares of samples, of yes, and of those of the pool have flat names; what was not measured is left out."""
    pool = make_pool(
        ["a", "b", "c", "d"],
        image=["1.jpg", None, "1.jpg", "2.jpg"],
        task=["ocr", "ocr", "chat", "chat"],
        answer=["yes", "no", "yes", "phrase"],
        n_yes=[120, 0, 1, 0],
        n_no=[0, 40, 0, 0],
        concepts=[["cat"], [], ["cat", "dog"], []],
        cluster=[0, 0, 1, 2],
    )
    metrics = measure(pool, np.array([2, 0, 1])).metrics()
    assert metrics["samples"] == 3
    assert (
        metrics["text_only"] == metrics["task/chat"] == metrics["task_answer/ocr/no"] == pytest.approx(1 / 3, abs=1e-4)
    )
    assert (metrics["yes"], metrics["yes/ocr"]) == (0.7516, 0.75)  # 121 of 161, 120 of 160
    assert "yes/chat" not in metrics  # too few answers
    assert (metrics["concepts/reached"], metrics["concept/dog"]) == (1, pytest.approx(1 / 3, abs=1e-4))
    assert metrics["clusters/reached"] == metrics["clusters/largest"] == pytest.approx(2 / 3, abs=1e-4)
    assert metrics["samples_an_image/max"] == 2
    assert not {"vendi", "certificate", "coverage/mean"} & set(metrics)


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """A mix that was written, and the folder of its pool."""
    folder = tmp_path_factory.mktemp("written")
    mix = select_mix(write_demo(folder / "pool", images=20), size=150)
    mix.write(folder / "mix.json")
    return folder, mix


def test_counts_are_those_of_the_raw_file(written):
    """Records, images, turns and words of the statistics are those that polars counts in the written file."""
    folder, mix = written
    raw = pl.read_json(folder / "mix.json").select("image", pl.col("conversations"))
    side = mix.stats().mix
    words = raw.select(
        pl.col("conversations")
        .list.eval(
            pl.element().struct.field("value").str.replace_all("<image>", "", literal=True).str.count_matches(r"\S+")
        )
        .list.sum()
    ).to_series()
    assert side.samples == raw.height
    assert side.images == raw["image"].drop_nulls().n_unique()
    assert side.text_only == raw["image"].null_count()
    assert side.words == words.sum()
    assert side.quantiles["words_a_record"]["p50"] == words.median()
    assert side.quantiles["turns_a_record"]["mean"] == pytest.approx(raw["conversations"].list.len().mean(), abs=1e-4)


def test_a_file_is_recounted_as_it_was_counted(written):
    """A changed mix is counted again, with the labels it was made with, to the same numbers."""
    folder, mix = written
    file = folder / "mix.json"
    assert file_stats(file).metrics() == mix.stats().metrics()
    try:
        text = file.read_text()
        file.write_text(text + "\n")
        again = file_stats(file)
    finally:
        file.write_text(text)
    of_the_pool = {"certificate", "vendi", "clusters/reached", "concepts/reached"}
    known = {name: value for name, value in mix.stats().metrics().items() if not name.startswith("coverage")}
    assert {name: value for name, value in again.metrics().items() if name not in of_the_pool} == pytest.approx(
        {name: value for name, value in known.items() if name not in of_the_pool}, abs=2e-4
    )


def test_a_bare_copy_is_labelled_as_the_mix_was(written, tmp_path):
    """A copy without the files beside it is labelled from its text and ids alone, task for task and kind for kind."""
    folder, mix = written
    shutil.copy(folder / "mix.json", tmp_path / "copy.json")
    found, known = file_stats(tmp_path / "copy.json").mix, mix.stats().mix
    for name in (
        "tasks",
        "answers",
        "task_answers",
        "yes_no",
        "concepts",
        "quantiles",
        "near_duplicates",
        "distinct_2",
    ):
        assert getattr(found, name) == getattr(known, name), name


def test_a_mix_is_opened_again_as_it_was(written):
    """A written mix that is opened again has the same picks, gains, quotas, scores and statistics."""
    folder, mix = written
    again = open_mix(folder / "mix.json")
    assert again.keys == mix.keys
    assert again.scores.equals(mix.scores)
    assert again.stats() == mix.stats()
    assert again.counts == mix.counts
    assert again.quotas.report.equals(mix.quotas.report)
    assert np.array_equal(again.quotas.cell, mix.quotas.cell)
    assert repr(again).splitlines()[:-1] == repr(mix).splitlines()[:-1]  # the certificate was rounded


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda folder: (folder / "mix.json").write_text("[]"), "its manifest describes"),
        (
            lambda folder: (folder / "mix.scores.parquet").write_text("no"),
            "file that was written with mix.json",
        ),
        (lambda folder: (folder / "mix.stats.json").unlink(), "mix.stats.json: cannot be read"),
        (lambda folder: (folder / "mix.manifest.json").write_text("{}"), "expected a manifest"),
        (lambda folder: (folder / "pool" / "svit" / "conversation.json").unlink(), "sources have changed"),
    ],
)
def test_a_mix_that_was_damaged_is_not_opened(change, message, tmp_path):
    """A mix whose files or sources are gone, changed or another's is refused in one line that says which."""
    select_mix(write_demo(tmp_path / "pool", images=4), size=20).write(tmp_path / "mix.json")
    change(tmp_path)
    with pytest.raises(InputError, match=message) as caught:
        open_mix(tmp_path / "mix.json")
    assert "\n" not in str(caught.value)


def test_a_sample_is_represented_by_the_nearest_pick_of_its_cluster(pool, picked):
    """Each sample is represented by the pick of its cluster with the largest cosine, ties by the smaller key."""
    table = representatives(pool, picked, seed=0)
    cluster, cosine = pool.rows["cluster"].to_list(), pool.vectors @ pool.vectors.T
    for row, (nearest, similarity) in enumerate(table.select("nearest", "similarity").iter_rows()):
        of_cluster = sorted(j for j in picked if cluster[j] == cluster[row])
        best = row if row in picked else max(of_cluster, key=lambda j: cosine[row, j], default=None)
        assert nearest == best
        assert similarity is None if best is None else similarity == pytest.approx(cosine[row, best], abs=1e-3)


def test_the_map_is_that_of_sklearn():
    """Coordinates on the map are the first two principal components, up to their sign."""
    vectors = np.random.default_rng(3).standard_normal((200, 6)).astype(np.float32) * [5, 3, 1, 1, 1, 1]
    pool = make_pool(["text"] * 200, vectors=unit_rows(vectors.astype(np.float32)))
    places = representatives(pool, np.array([0]), seed=0).select("x", "y").to_numpy()
    known = PCA(2).fit_transform(pool.vectors)
    assert np.abs(places) == pytest.approx(np.abs(known), abs=1e-3)
