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
from recipe.demo import write_demo

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


def test_packed_records_are_packed_again(tmp_path):
    """A packed mix is rebuilt to the byte: records are merged by the labels that they had."""
    write_demo(tmp_path, images=20)
    mix = select_mix(tmp_path, size=0.2, write={"pack": True})
    mix.write(tmp_path / "mix.json")
    assert len(json.loads((tmp_path / "mix.json").read_bytes())) < len(mix)
    again = rebuild_mix(tmp_path / "mix.manifest.json", tmp_path / "again.json")
    assert again.read_bytes() == (tmp_path / "mix.json").read_bytes()


def test_a_folder_of_images_and_a_cache(tmp_path):
    """A folder of images is one of the things that name what a cache keeps."""
    (tmp_path / "pool").mkdir()
    (tmp_path / "images").mkdir()
    write_demo(tmp_path / "pool", images=2)
    knobs = {"size": 5, "embed": SMALL, "read": {"images": str(tmp_path / "images")}}
    first = select_mix(tmp_path / "pool", cache=tmp_path / "cache", **knobs)
    assert select_mix(tmp_path / "pool", cache=tmp_path / "cache", **knobs).keys == first.keys


def test_functions_of_a_script_do_not_keep_a_mix_from_its_bytes(tmp_path):
    """A score that was a function inside another cannot be found again, and is not needed to rebuild the mix."""

    def ones(pool):
        """One for all."""
        return np.ones(len(pool), np.float32)

    (tmp_path / "pool").mkdir()
    write_demo(tmp_path / "pool", images=2)
    select_mix(tmp_path / "pool", size=5, embed=SMALL, score=[ones]).write(tmp_path / "mix.json")
    manifest = json.loads((tmp_path / "mix.manifest.json").read_bytes())
    assert list(manifest["functions"]) == [f"{__name__}:{ones.__qualname__}"]
    manifest["functions"] = dict.fromkeys([*manifest["functions"], "__main__:ones"], "0" * 64)
    (tmp_path / "mix.manifest.json").write_text(json.dumps(manifest))
    again = rebuild_mix(tmp_path / "mix.manifest.json", tmp_path / "again.json")
    assert again.read_bytes() == (tmp_path / "mix.json").read_bytes()
