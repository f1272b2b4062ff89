"""Recipes against random mixes: which samples may be picked, the word for a difference, and that no loss is hidden."""

import subprocess
import sys
import warnings

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import ttest_1samp

from recipe import compare_mixes, demo_pool, score_pool, select_mix
from recipe.compare.hold_out import OpenPool, draw_hold_out
from recipe.config.recipe import Recipe
from recipe.config.resolve import without_unused
from recipe.errors import ConfigError, InputError
from recipe.report.charts.comparison import draw_comparison, save_comparison
from recipe.report.comparison import METRICS, Comparison, read_comparison, values_of
from recipe.report.intervals import mean_interval

numbers = st.floats(-1e3, 1e3).map(lambda x: round(x, 3))


@pytest.fixture(scope="module")
def pool():
    return demo_pool(images=40)


@pytest.fixture(scope="module")
def found(pool):
    return compare_mixes(pool, {"again": "random", "svit-concepts": "svit-concepts"}, sizes=[0.1, 60], seeds=3)


def run(*arguments, cwd):
    """Run the command as a user does."""
    command = [sys.executable, "-m", "recipe", "compare", *arguments]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)


@given(st.lists(numbers, min_size=2, max_size=9), st.sampled_from([0.8, 0.95]))
def test_an_interval_is_students(differences, level):
    """The interval is that of scipy's test of a mean; differences without spread have an interval of length 0."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # from scipy, of a spread that is lost in rounding
        expected = ttest_1samp(differences, 0).confidence_interval(level)
    if np.std(differences) == 0:
        expected = (np.mean(differences),) * 2
    assert mean_interval(differences, level=level) == pytest.approx(tuple(expected), rel=1e-6, abs=1e-6)


@given(st.lists(numbers, min_size=2, max_size=9), st.randoms(use_true_random=False))
def test_an_interval_depends_on_no_order_and_mirrors_with_the_signs(differences, random):
    """The order of differences does not matter, and with their signs changed the interval is mirrored."""
    low, high = mean_interval(differences)
    shuffled = random.sample(differences, len(differences))
    assert mean_interval(shuffled) == (low, high)
    assert low <= np.mean(differences) + 1e-9
    assert high >= np.mean(differences) - 1e-9
    assert mean_interval([-x for x in differences]) == pytest.approx((-high, -low), abs=1e-9)


def test_one_difference_has_an_infinite_interval():
    """A single difference has no spread, so its interval is the whole line."""
    assert mean_interval([3.0]) == (-np.inf, np.inf)


@pytest.mark.parametrize("n", [2, 3, 5, 6])
def test_an_interval_contains_the_mean_as_often_as_it_should(n):
    """Of 4,000 samples of few normal numbers 94 to 96 % of the intervals contain zero."""
    samples = np.random.default_rng(n).normal(size=(4000, n))
    contained = [low <= 0 <= high for low, high in map(mean_interval, samples)]
    assert 0.94 <= np.mean(contained) <= 0.96


def test_words_know_which_direction_is_better():
    """More is better for Vendi and worse for bits; a difference whose sign varies is none; a gap is not measured."""
    lines = [
        (9, "random", seed, metric, 1.0 + 0.01 * seed) for seed in range(5) for metric in ("vendi", "proxy/language")
    ]
    lines += [(9, "more", seed, metric, 2.0) for seed in range(5) for metric in ("vendi", "proxy/language")]
    lines += [(9, "noise", seed, "vendi", 1.0 + (-1) ** seed) for seed in range(5)]
    lines += [(9, "noise", seed, "yes/gap", 1.0) for seed in range(5)]
    table = Comparison(values_of(lines)).table()
    words = {(recipe, metric): word for recipe, metric, word in table.select("recipe", "metric", "word").iter_rows()}
    assert words["more", "vendi"] == "better"
    assert words["more", "proxy/language"] == "worse"
    assert words["noise", "vendi"] == "no difference"
    assert words["noise", "yes/gap"] == "not measured"
    counts = Comparison(values_of(lines)).count().filter(pl.col("recipe") == "more").row(0)
    assert counts == (9, "more", 1, 1, 0, 0)


def test_a_recipe_does_not_differ_from_itself(found):
    """Random under another name is no different from random in any number, at any size."""
    words = found.table().filter(pl.col("recipe") == "again")
    assert set(words["word"]) == {"no difference"}
    assert set(words["difference"]) == {0.0}


def test_every_metric_is_measured_for_every_recipe(found):
    """Each recipe has each metric at each size and seed."""
    counted = found.values.group_by("size", "recipe", "seed").agg(pl.col("metric").n_unique())
    assert set(counted["metric"]) == {len(METRICS)}
    assert found.recipes == ["random", "source-balanced", "again", "svit-concepts"]
    assert len(counted) == 2 * 4 * 3


def test_no_mix_picks_a_held_out_sample(pool):
    """A selector is never given a held-out sample as eligible, and its picks have no image of one."""
    seen = []

    def spy(pool, quotas, *, seed=0):
        from recipe.config.registry import find

        picks = find("select", "random")(pool, quotas, seed=seed)
        out = draw_hold_out(pool, 0.3, seed=seed)
        assert not pool.eligible[out].any()
        assert out.any()
        images = set(pool.rows["image"].filter(pl.Series(out)).drop_nulls())
        assert images.isdisjoint(pool.rows["image"].gather(picks.rows).to_list())
        seen.append(seed)
        return picks

    compare_mixes(pool, {"spy": {"select": spy}}, sizes=[0.1], seeds=2, hold_out=0.3)
    assert seen == [0, 1]


def test_a_duplicate_that_is_held_out_is_no_duplicate_any_more(pool):
    """A held-out duplicate is marked as held out, since a part of size `all` would pick duplicates."""
    labelled = score_pool(pool, score=[])
    duplicates = labelled.refuse(pl.Series(["dup:0"] * len(labelled)))
    out = draw_hold_out(labelled, 0.3, seed=0)
    seen = OpenPool.without(duplicates, out).seen_by(Recipe()).rows["problem"]
    assert set(seen.filter(pl.Series(out))) == {"held_out"}
    assert seen.filter(pl.Series(~out)).equals(duplicates.rows["problem"].filter(pl.Series(~out)))


def test_an_image_is_never_on_both_sides(pool):
    """Samples whose images have the same file name are held out together, whatever their folder and ending."""
    ending = pl.when(pl.col("row") % 2 == 0).then(pl.lit("jpg")).otherwise(pl.lit("png"))
    rows = pool.rows.with_columns(image=pl.format("{}/{}.{}", pl.col("row") % 3, pl.col("row") % 200, ending))
    out = draw_hold_out(type(pool)(rows), 0.5, seed=1)
    sides = pl.DataFrame({"name": rows["row"] % 200, "out": out}).group_by("name").agg(pl.col("out").n_unique())
    assert set(sides["out"]) == {1}
    assert 0.3 < out.mean() < 0.7


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 99), st.floats(0.1, 0.9))
def test_what_is_held_out_depends_on_the_image_alone(seed, share):
    """The images held out of a subset of a pool are those held out of the whole."""
    pool = demo_pool(images=12)
    half = type(pool)(pool.rows.head(len(pool) // 2))
    assert (draw_hold_out(half, share, seed=seed) == draw_hold_out(pool, share, seed=seed)[: len(half)]).all()


def test_an_existing_mix_is_compared(pool):
    """A mix keeps its picks, its images are never held out, and others are picked at its size."""
    mix = select_mix(pool, size=70, balance={"per_image": 2})
    out = draw_hold_out(pool, 0.3, seed=0, taken=[mix.picks.rows])
    images = set(pool.rows["image"].filter(pl.Series(out)).drop_nulls())
    assert images.isdisjoint(pool.rows["image"].gather(mix.picks.rows).to_list())
    found = compare_mixes(pool, [], mixes={"mine": mix}, sizes=[70], seeds=2, hold_out=0.3)
    assert found.recipes == ["random", "source-balanced", "mine"]
    assert found.sizes == [70]
    steady = found.values.filter(pl.col("recipe") == "mine", pl.col("metric") == "tasks/entropy")["value"]
    assert steady.n_unique() == 1


def test_a_mix_of_another_pool_is_refused(pool):
    """A mix whose samples are not in the pool is refused in one line that names one of them."""
    other = select_mix(demo_pool(images=5, seed=9), size=20)
    with pytest.raises(ConfigError, match=r"samples of the mix 'mine' are not in the pool, as [0-9a-f]{32}"):
        compare_mixes(pool, [], mixes={"mine": other}, seeds=2)


FREE = {"margins": {}, "yes_share": None, "per_image": None}  # so that a selector may take what it wants


def test_a_loss_is_never_hidden(pool):
    """A selector that takes one task alone is reported as worse over the tasks, against both baselines."""

    def narrow(pool, quotas):
        from recipe.data.picks import Picks

        rows = pool.rows.filter(pool.eligible).sort("task", "row")["row"].cast(pl.Int64).to_numpy()
        return Picks(rows[: quotas.size])

    found = compare_mixes(pool, {"narrow": {"select": narrow, "balance": FREE}}, sizes=[0.05], seeds=3)
    for against in ("random", "source-balanced"):
        lines = found.table(against).filter(pl.col("recipe") == "narrow", pl.col("metric") == "tasks/entropy")
        assert lines["word"].to_list() == ["worse"]


def test_a_recipe_that_cannot_be_run_is_listed(pool):
    """A recipe that cannot reach a size is listed with its reason, and the others are compared."""
    recipes = {"scarce": {"balance": {"margins": {}, "at_most": {"task": {"conversation": 0}}, "per_image": 1}}}
    found = compare_mixes(pool, recipes, sizes=[100], seeds=2)
    assert list(found.refused) == ["scarce at 100"]
    assert "size=100" in found.refused["scarce at 100"]
    assert found.recipes == ["random", "source-balanced"]


def test_the_same_comparison_has_the_same_bytes(pool, found):
    """Run again with its recipes in another order, every value is the same."""
    again = compare_mixes(pool, {"svit-concepts": "svit-concepts", "again": "random"}, sizes=[60, 0.1], seeds=3)
    order = ["size", "recipe", "seed", "metric"]
    assert again.values.sort(order).equals(found.values.sort(order))


@pytest.mark.parametrize(
    ("knobs", "message"),
    [
        ({"seeds": 1}, "seeds=1"),
        ({"hold_out": 1.0}, "hold_out=1.0"),
        ({"sizes": []}, "sizes="),
        ({"sizes": ["1M tokens"]}, "or shares"),
    ],
)
def test_what_cannot_be_compared_is_refused_at_once(pool, knobs, message):
    """One seed, nothing left to pick from, no size or a size in tokens is refused before anything is read."""
    with pytest.raises(ConfigError, match=message):
        compare_mixes(pool, [], **knobs)


def test_the_former_name_of_hold_out_is_accepted(pool):
    """`held` is understood as `hold_out`, with a DeprecationWarning that says so."""
    with (
        pytest.warns(DeprecationWarning, match="held is called hold_out"),
        pytest.raises(ConfigError, match=r"hold_out=1\.0"),
    ):
        compare_mixes(pool, [], held=1.0)


@pytest.mark.parametrize(
    ("recipes", "mixes"),
    [
        ({"random": {"select": "concepts"}}, {}),
        (["a/mine.yaml", "b/mine.yaml"], {}),
        ({"mine": "kmq"}, {"mine": "x.json"}),
    ],
)
def test_two_of_one_name_are_refused(pool, recipes, mixes):
    """Two recipes, a recipe and a baseline, or a recipe and a mix of the same name are refused."""
    given = {name: select_mix(pool, size=20) for name in mixes}
    with pytest.raises(ConfigError, match=r"expected distinct names, got (random|mine) twice"):
        compare_mixes(pool, recipes, mixes=given, seeds=2)


def test_only_what_the_picks_depend_on_is_computed():
    """Scores that no selector, part or later score names are left out, as is the certificate."""
    plan = without_unused(Recipe())
    assert [step.label for step in plan.score] == ["novelty", "length"]
    assert plan.select.knobs["certificate"] is False
    kept = without_unused(Recipe(score=["novelty", "density"], select={"facility": {"quality": {"density": 1.0}}}))
    assert [step.label for step in kept.score] == ["density"]
    assert len(without_unused(Recipe(select=print)).score) == 5


def test_scores_that_a_selector_names_need_not_be_listed(pool):
    """With own scores only, or with none, a mix is the same as with the shipped scores."""

    def mine(pool):
        return np.ones(len(pool), np.float32)

    whole = select_mix(pool, size=30)
    assert select_mix(pool, size=30, score=[mine]).keys == whole.keys
    assert select_mix(pool, size=30, score=[]).keys == whole.keys
    blend = {"blend": {"weights": {"novelty": 1.0, "length": 1.0}, "called": "both"}}
    mixed = select_mix(pool, size=30, score=[blend], select={"ranked": {"by": "both"}})
    assert {"novelty", "length", "both"} <= set(mixed.scores.columns)


def test_a_comparison_is_read_again(found, tmp_path):
    """What was written as JSON is read again with the same table; anything else is refused in one line."""
    file = tmp_path / "found.json"
    file.write_text(found.to_json())
    assert read_comparison(file).table("source-balanced").equals(found.table("source-balanced"))
    file.write_text('{"format": 0}')
    with pytest.raises(InputError, match="expected a comparison of format 1, got format=0"):
        read_comparison(file)
    file.write_text("[")
    with pytest.raises(InputError, match="cannot read the comparison"):
        read_comparison(file)


def test_the_chart_shows_every_difference_except_the_baseline_s(found, tmp_path):
    """The chart has one tile for each recipe, size and metric, and is written as a picture and as a page."""
    spec = draw_comparison(found).to_dict()
    lines = next(iter(spec["datasets"].values())).splitlines()
    assert len(lines) - 1 == 3 * 2 * len(METRICS)
    assert save_comparison(found, tmp_path / "chart.png").read_bytes()[:4] == b"\x89PNG"
    page = save_comparison(found, tmp_path / "chart.html").read_text()
    assert "https://cdn" not in page


def test_the_page_of_a_mix_shows_the_comparison(found, pool, tmp_path):
    """The section shows every recipe and sign, and is there only if a comparison is given."""
    mix = select_mix(pool, size=50)
    page = mix.report(tmp_path / "with.html", comparison=found).read_text()
    assert page.count('class="sign"') == 2 * (3 + 3) * len(METRICS)
    assert "Compared with random" in page
    assert "Compared with random" not in mix.report(tmp_path / "without.html").read_text()


def test_the_command_prints_and_writes(tmp_path):
    """The command compares on files, prints every recipe, and writes JSON and chart."""
    from recipe.demo import write_demo

    write_demo(tmp_path / "pool", images=20)
    given = [
        "--recipe",
        "svit-concepts",
        "--size",
        "0.1",
        "--seeds",
        "2",
        "--out",
        "found.json",
        "--chart",
        "chart.svg",
    ]
    done = run("pool", *given, "--cache", "off", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "svit-concepts" in done.stdout
    assert "against source-balanced" in done.stdout
    assert read_comparison(tmp_path / "found.json").recipes == ["random", "source-balanced", "svit-concepts"]
    assert (tmp_path / "chart.svg").read_text().startswith("<svg")
    refused = run("pool", "--out", "found.txt", cwd=tmp_path)
    assert refused.returncode == 2
    assert "expected a file ending in .json" in refused.stderr
    refused = run("pool", "--held", "1.0", cwd=tmp_path)
    assert "--held is now called --hold-out" in refused.stderr
    assert "got sizes=[0.05], seeds=5, hold_out=1.0" in refused.stderr
