"""Files that are compared with are believed only as they were written, and only if they say something."""

import json

import pytest

from recipe.check.drift.baseline import check_baseline
from recipe.demo import write_demo
from recipe.errors import ConfigError, InputError
from recipe.mix.flow import select_mix
from recipe.report.comparison import Comparison, read_comparison, values_of

LINES = [(9, name, seed, "vendi", 0.5 + seed) for name in ("random", "source-balanced", "ours") for seed in range(2)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with two mixes of one pool."""
    folder = tmp_path_factory.mktemp("believed")
    (folder / "pool").mkdir()
    write_demo(folder / "pool", images=8)
    for name, size in (("one", 40), ("two", 50)):
        select_mix(folder / "pool", size=size).write(folder / f"{name}.json")
    return folder


def test_an_edited_baseline_is_refused_where_its_manifest_knows_it(folder):
    """Statistics beside their manifest must have the hash that it names; elsewhere they are a baseline like any."""
    stats = folder / "two.stats.json"
    written = stats.read_bytes()
    assert check_baseline(folder / "one.json", stats).verdicts
    content = json.loads(written)
    content["mix"]["yes"] += 1
    stats.write_text(json.dumps(content))
    with pytest.raises(InputError, match=r"two\.stats\.json: expected the file that was written with two\.manifest"):
        check_baseline(folder / "one.json", stats)
    (folder / "trusted.json").write_bytes(stats.read_bytes())
    assert check_baseline(folder / "one.json", folder / "trusted.json").verdicts
    stats.write_bytes(written)


@pytest.mark.parametrize("text", ["", "\n", "# nothing yet\n"])
def test_tolerances_that_say_nothing_are_refused(text, folder):
    """A file of tolerances without a line would be taken for one that was checked."""
    empty = folder / "empty.yaml"
    empty.write_text(text)
    with pytest.raises(ConfigError, match=r"empty\.yaml: expected metric: comparator, .* got an empty file; add one"):
        check_baseline(folder / "one.json", folder / "one.stats.json", empty)


@pytest.mark.parametrize("name", ["random", "source-balanced"])
def test_a_comparison_has_its_baselines(name, tmp_path):
    """A baseline is measured, or is named among the recipes that gave no mix; one that was renamed is missed."""
    file = tmp_path / "found.json"
    renamed = [(size, "mine" if recipe == name else recipe, *rest) for size, recipe, *rest in LINES]
    file.write_text(Comparison(values_of(renamed)).to_json())
    with pytest.raises(InputError, match=f"found.json: values: expected the recipe '{name}', got .*mine.*; compare"):
        read_comparison(file)
    without = [line for line in LINES if line[1] != name]
    file.write_text(Comparison(values_of(without), {f"{name} at 9": "too few samples"}).to_json())
    assert name not in read_comparison(file).recipes
