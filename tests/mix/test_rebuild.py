"""Whatever was picked, its manifest and the sources give the same bytes again."""

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import SMALL

from recipe import rebuild_mix, select_mix
from recipe.data.picks import Picks

ALIKE = [0, 0, 0, 0, 1, 1, 1, 2, 2, 3]  # what each record says; their ids differ


@pytest.fixture(scope="module")
def mix(tmp_path_factory):
    """Return a mix of ten records that say four different things."""
    turns = [[{"from": "human", "value": f"What is {n}?"}, {"from": "gpt", "value": f"It is {n}."}] for n in ALIKE]
    records = [{"id": f"record {at}", "conversations": said} for at, said in enumerate(turns)]
    file = tmp_path_factory.mktemp("alike") / "pool.json"
    file.write_text(json.dumps(records))
    kept = {"exact": False, "near": None}
    return select_mix({"path": str(file), "format": "llava"}, size=1.0, embed=SMALL, dedup=kept, select="random")


@settings(max_examples=15)
@given(picked=st.permutations(range(len(ALIKE))), count=st.integers(1, len(ALIKE)))
def test_equal_records_are_told_apart(mix, tmp_path_factory, picked, count):
    """Of records that say the same, those that were picked are written again, in their order, and no others."""
    folder = tmp_path_factory.mktemp("mix")
    some = replace(mix, picks=Picks(np.array(picked[:count])))
    some.write(folder / "mix.json")
    ids = [record["id"] for record in json.loads((folder / "mix.json").read_bytes())]
    assert ids == mix.pool.rows["id"].gather(picked[:count]).to_list()
    again = rebuild_mix(folder / "mix.manifest.json", folder / "again.json")
    assert again.read_bytes() == (folder / "mix.json").read_bytes()
