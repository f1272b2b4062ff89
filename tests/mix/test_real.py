"""The main job on real samples: SVIT raw files, a LLaVA mix and Vision-Flan's annotations in, an eighth of them out."""

import json
import re

import numpy as np
import pytest
from builders import thinned

from recipe import check_mix, select_mix

SIZE = 6667


@pytest.fixture(scope="module")
def sources(real_data, tmp_path_factory):
    """Return the three sources, with every third of their samples."""
    folder = tmp_path_factory.mktemp("thinned")
    svit, llava, flan = (thinned(real_data / name, folder / name, 3) for name in ("svit", "llava", "vision_flan"))
    return [svit, llava / "llava_mix.json", flan / "annotation.json"]


@pytest.fixture(scope="module")
def mix(sources):
    """Return a mix of all of them."""
    return select_mix([str(source) for source in sources], size=SIZE, seed=0)


@pytest.fixture(scope="module")
def file(mix, tmp_path_factory):
    """Return the written mix."""
    path = tmp_path_factory.mktemp("real") / "mix.json"
    mix.write(path)
    return path


def naive_count(source):
    """Count the samples of a file without the library: conversations of SVIT's items, or records."""
    items = json.loads(source.read_text("utf-8"))
    return sum(len(item["conversations"]) if "image_id" in item else 1 for item in items)


def test_everything_is_accounted_for(mix, sources):
    """What is read is all that the files hold, and is picked, not picked, or rejected for a reason."""
    svit, *others = sources
    files = [
        svit / f"{name}.json" for name in ("conversation", "complex_reasoning", "detail_description", "referring_qa")
    ]
    assert mix.counts["read"] == sum(naive_count(source) for source in [*files, *others])
    assert mix.counts["read"] == sum(count for name, count in mix.counts.items() if name != "read")
    assert mix.counts["picked"] == len(mix) == SIZE == len(set(mix.keys))


def test_every_task_of_the_pool_is_in_the_mix(mix):
    """No task that has an eligible sample is lost."""
    tasks = mix.pool.rows.filter(mix.pool.eligible)["task"].unique().to_list()
    assert set(mix.pool.rows["task"].gather(mix.picks.rows).to_list()) == set(tasks)
    assert len(tasks) >= 12


def test_yes_and_no_are_balanced_in_the_file(file):
    """Yes and no differ by at most 2 % of their sum, counted over single answers of the written file by first words."""
    records = json.loads(file.read_text("ascii"))
    answers = [turn["value"] for record in records for turn in record["conversations"] if turn["from"] == "gpt"]
    yes, no = (
        sum(bool(re.match(rf"\s*{word}\b", answer, re.IGNORECASE)) for answer in answers) for word in ("yes", "no")
    )
    assert yes + no > 1000
    assert abs(yes - no) <= 0.02 * (yes + no)


def test_the_trainer_finds_nothing(file):
    """No rule of LLaVA's loader is broken by the written file."""
    assert check_mix(file) == []


def test_the_mix_covers_more_than_a_random_one(mix):
    """The mean best similarity of the pool to the mix is above that to as many random samples."""
    reached = mix.stats().coverage
    assert reached["mix"] > reached["random"]


def test_no_two_picks_are_twins(mix):
    """No two picked samples have the same image and the same words."""
    picked = mix.pool.rows.select("image").with_columns(text=mix.pool.texts)[mix.picks.rows]
    assert picked.is_unique().all()


def test_gains_fall_within_a_cell(mix):
    """Greedy takes the larger gain first: inside a cell the gains of the picks never rise."""
    gain = sum(mix.picks.gains.values())
    cell = mix.quotas.cell[mix.picks.rows]
    order = np.argsort(cell, kind="stable")
    same = np.diff(cell[order]) == 0
    assert (np.diff(gain[order])[same] <= 1e-9).all()
