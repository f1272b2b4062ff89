"""A mix is a container of the records that its file holds."""

import json

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import SMALL

from recipe import demo_pool, select_mix
from recipe.demo import write_demo
from recipe.errors import ConfigError

ALONE = {"embed": SMALL, "select": "random"}


@pytest.fixture(scope="module")
def mix():
    """Select 40 samples of a small pool."""
    return select_mix(demo_pool(images=4), size=40, **ALONE)


@given(ids=st.sampled_from(["string", "given"]), ending=st.sampled_from([".json", ".jsonl"]), size=st.integers(1, 60))
@settings(max_examples=8)
def test_iteration_gives_what_the_file_holds(tmp_path_factory, ids, ending, size):
    """The records of a mix are those of the file that it writes, in its order, however ids and lines are written."""
    target = tmp_path_factory.mktemp("mix") / f"mix{ending}"
    mix = select_mix(demo_pool(images=3), size=size, write={"ids": ids}, **ALONE)
    assert mix.save(target)[0] == target
    text = target.read_text("ascii")
    written = json.loads(text) if ending == ".json" else [json.loads(line) for line in text.split("\n")[:-1]]
    assert list(mix) == mix.to_records() == written
    assert len(mix) == len(written) == size


def test_originals_are_given_as_they_are_written(tmp_path):
    """A mix of records as given iterates over these, with the order of their keys."""
    turns = [{"from": "human", "value": "<image>\nWho?"}, {"from": "gpt", "value": "A jay."}]
    given = [{"model": "m", "conversations": turns, "image": f"{i}.jpg", "id": i} for i in range(6)]
    (tmp_path / "pool.json").write_text(json.dumps(given))
    plan = {"write": {"records": "given"}, "dedup": {"near": None}}
    mix = select_mix(tmp_path / "pool.json", size=4, **ALONE, **plan)
    mix.save(tmp_path / "mix.json")
    assert [list(one) for one in mix] == [["model", "conversations", "image", "id"]] * 4
    assert list(mix) == json.loads((tmp_path / "mix.json").read_text())


@given(at=st.integers(-45, 45), stop=st.integers(-45, 45), step=st.integers(-3, 3).filter(bool))
@settings(max_examples=30)
def test_an_index_and_a_slice_are_those_of_the_list(mix, at, stop, step):
    """`m[i]` is `list(m)[i]` for every number and slice, and a number beyond the picks raises IndexError."""
    whole = list(mix)
    assert mix[at:stop:step] == whole[at:stop:step]
    if -40 <= at < 40:
        assert mix[at] == mix[np.int64(at)] == whole[at]
    else:
        with pytest.raises(IndexError, match="one of 40 picks"):
            mix[at]
    with pytest.raises(ConfigError, match="expected the number of a pick or a slice"):
        mix["a"]


def test_a_pick_is_found_by_key_id_and_record(mix):
    """Exactly the picked samples are in the mix: by key, by id, by record."""
    picked, rows = set(mix.keys), mix.pool.rows
    assert [key in mix for key in rows["key"]] == [key in picked for key in rows["key"]]
    ids = set(rows["id"].gather(mix.picks.rows))
    assert [name in mix for name in rows["id"]] == [name in ids for name in rows["id"]]
    assert all(record in mix for record in mix[::7])
    assert not any(stranger in mix for stranger in (None, 1.5, True, {"id": "no"}, "", ["a"]))


def test_numbers_are_found_as_the_ids_they_are(tmp_path):
    """A record whose id is the number 7 is found by 7 and by "7"."""
    turns = [{"from": "human", "value": "Who?"}, {"from": "gpt", "value": "A jay."}]
    (tmp_path / "pool.json").write_text(json.dumps([{"id": 7, "conversations": turns}]))
    mix = select_mix(tmp_path / "pool.json", size=1, **ALONE)
    assert 7 in mix
    assert "7" in mix
    assert 8 not in mix


def test_tables_hold_the_same_picks(mix):
    """The table has a line for each pick in pick order, and a pandas table and a dataset hold the same."""
    table = mix.to_polars()
    assert table["key"].to_list() == mix.keys
    assert table["conversations"].to_list() == [record["conversations"] for record in mix]
    assert table["image"].to_list() == [record.get("image") for record in mix]
    pytest.importorskip("pandas")
    assert mix.to_pandas()["key"].to_list() == mix.keys
    pytest.importorskip("datasets")
    dataset = mix.to_dataset()
    assert dataset[3]["conversations"] == mix[3]["conversations"]
    assert pl.from_arrow(dataset.data.table)["key"].to_list() == mix.keys


def test_an_opened_mix_is_the_same_container(tmp_path):
    """A mix that was written and opened again has the same records."""
    from recipe import open_mix

    mix = select_mix(write_demo(tmp_path / "pool", images=3), size=12, **ALONE)
    mix.save(tmp_path / "mix.json")
    assert list(open_mix(tmp_path / "mix.json")) == list(mix)
